"""Time zones that calendars name: the system's, else what the file's own VTIMEZONE says.

Names of Windows zones ("W. Europe Standard Time") come with a VTIMEZONE, whose yearly rules are
read here (RFC 5545 §3.6.5); anything else has no zone, and its times are the sender's local ones.
"""

import re
import zoneinfo
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from webmail.attached.lines import ContentLine

_OFFSET: Final = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
MOST_ONSETS: Final = 200  # of one RDATE list
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MONTH: Final = re.compile(r"[0-9]{1,2}")
_BY_DAY: Final = re.compile(r"([+-]?\d)(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Observance:
    """Standard or daylight time: its offset and the onset of each year it holds in."""

    offset: timedelta
    first: datetime  # local, naive
    month: int | None = None
    week: int = 0  # 1..5, or negative from the month's end
    weekday: int = 0
    until: datetime | None = None  # local, naive: the rule's last onset is not after it
    others: tuple[datetime, ...] = ()  # RDATE: further onsets, local

    def onset_before(self, local: datetime) -> datetime | None:
        """Return the last onset at or before `local`."""
        begun = [each for each in (self.first, *self.others) if each <= local]
        if self.month is not None:
            latest = local if self.until is None else min(local, self.until)
            ruled = (self._onset(year) for year in (latest.year, latest.year - 1))
            begun += [each for each in ruled if each is not None and self.first <= each <= latest]
        return max(begun, default=None)

    def _onset(self, year: int) -> datetime | None:
        assert self.month is not None
        first_weekday, days = monthrange(max(year, 1), self.month)
        offset = (self.weekday - first_weekday) % 7
        hits = list(range(1 + offset, days + 1, 7))
        index = self.week - 1 if self.week > 0 else self.week
        try:
            return self.first.replace(year=max(year, 1), month=self.month, day=hits[index])
        except (IndexError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of one calendar."""

    own: Mapping[str, Sequence[Observance]]

    def to_utc(self, local: datetime, name: str) -> datetime | None:
        """Return the moment of a local time in the zone `name`; None when it is not known."""
        try:
            system = _system_zone(name)
            if system is not None:
                return local.replace(tzinfo=system).astimezone(UTC)
            observances = self.own.get(name, ())
            begun = [
                (onset, each)
                for each in observances
                if (onset := each.onset_before(local)) is not None
            ]
            if begun:
                offset = max(begun, key=lambda pair: pair[0])[1].offset
            elif observances:
                offset = observances[0].offset
            else:
                return None
            return local.replace(tzinfo=timezone(offset)).astimezone(UTC)
        except (OverflowError, ValueError):  # the years 1 and 9999
            return None


def _system_zone(name: str) -> zoneinfo.ZoneInfo | None:
    plain = name.lstrip("/")
    if not _NAME.fullmatch(plain):
        return None
    try:
        return zoneinfo.ZoneInfo(plain)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def offset_of(value: str) -> timedelta | None:
    """Return a UTC-OFFSET (RFC 5545 §3.3.14) below a day, or None."""
    found = _OFFSET.fullmatch(value.strip())
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return -size if found[1] == "-" else size


def observance(lines: Sequence[ContentLine]) -> Observance | None:
    """Return what a STANDARD or DAYLIGHT component says; None when it says nothing usable."""
    values = {line.name: line.value for line in lines}
    offset = offset_of(values.get("TZOFFSETTO", ""))
    first = _local(values.get("DTSTART", ""))
    if offset is None or first is None:
        return None
    listed = [date for line in lines if line.name == "RDATE" for date in line.value.split(",")]
    others = tuple(onset for date in listed[:MOST_ONSETS] if (onset := _local(date)) is not None)
    rule = dict(part.partition("=")[::2] for part in values.get("RRULE", "").upper().split(";"))
    found = _BY_DAY.fullmatch(rule.get("BYDAY", ""))
    month = rule.get("BYMONTH", "")
    if rule.get("FREQ") != "YEARLY" or found is None or _MONTH.fullmatch(month) is None:
        return Observance(offset, first, others=others)
    if not 1 <= int(month) <= 12 or int(found[1]) == 0:
        return Observance(offset, first, others=others)
    return Observance(
        offset,
        first,
        int(month),
        int(found[1]),
        _DAYS.index(found[2]),
        until=_until(rule.get("UNTIL", ""), offset_of(values.get("TZOFFSETFROM", ""))),
        others=others,
    )


def _local(value: str) -> datetime | None:
    try:
        return datetime.strptime(value.strip()[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007
    except ValueError:
        return None


def _until(value: str, offset_from: timedelta | None) -> datetime | None:
    """Return UNTIL in local time; the RFC has it in UTC, older programs wrote local time."""
    stated = _local(value) or _local(f"{value}T235959")
    if stated is None or not value.endswith("Z") or offset_from is None:
        return stated
    return stated + offset_from
