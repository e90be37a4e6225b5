"""Dates of header fields (RFC 5322 §3.3, §4.3): always aware, None when absurd."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache
from typing import Final

_LONGEST: Final = 200  # octets that can hold a date with comments
_EARLIEST: Final = 1900
_LATEST: Final = 9998  # a conversion between zones must not leave datetime's range
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_DAY: Final = 86_400
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
# What nearly every sender writes, zones below a day.
_USUAL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"([12]\d{3}) (\d\d):(\d\d):(\d\d) ([+-])([01]\d|2[0-3])([0-5]\d)(?: \([A-Z]{1,5}\))?",
    re.ASCII,
)


def parse_date(value: bytes | str | None) -> datetime | None:
    """The moment a date field names; a missing or absurd zone is read as UTC."""
    if value is None:
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = text[:_LONGEST].strip()
    moment = _parse_iso(text) if _ISO.match(text) else _parse_rfc5322(text)
    if moment is None or not _EARLIEST <= moment.year <= _LATEST:
        return None
    return moment


def _parse_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parse_rfc5322(text: str) -> datetime | None:
    if (usual := _USUAL.fullmatch(text)) is not None:
        day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = usual.groups()
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        try:
            return datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second),
                tzinfo=_zone(-offset if sign == "-" else offset),
            )  # fmt: skip
        except ValueError:
            pass  # a second 60 or a day 32: the lenient reading decides
    return _parse_leniently(text)


@lru_cache(maxsize=256)
def _zone(offset: timedelta) -> timezone:
    return UTC if not offset else timezone(offset)


def _parse_leniently(text: str) -> datetime | None:
    try:
        fields = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None  # the parser of the standard library is lenient, not total
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    offset = fields[9]
    zone = UTC
    if offset and abs(offset) < _DAY:
        zone = timezone(timedelta(seconds=offset))
    try:
        # RFC 5322 §3.3 allows the leap second 60, datetime does not.
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except (ValueError, OverflowError):
        return None
