"""Calendar files and invitations: events as plain facts (RFC 5545, RFC 5546).

Reads anything within `limits` and never raises. Everything is text: DESCRIPTION and X-ALT-DESC are
never HTML, no URI is followed, no alarm is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from webmail.attached import limits
from webmail.attached.lines import ContentLine, content_lines, shown
from webmail.attached.zones import Observance, Zones, observance

_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME: Final = re.compile(r"(\d{8})T(\d{6})(Z?)")
_DURATION: Final = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?"
)
_FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"@]{1,64}@[^\s<>,;:\"@]{1,255}")
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Person:
    """An organizer or attendee; `address` may be "" when it is no mail address."""

    name: str
    address: str
    partstat: str = ""  # NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """A date, or a moment in UTC, or a local time whose zone nobody knows (`is_floating`)."""

    at: date | datetime
    is_floating: bool = False

    @property
    def is_date(self) -> bool:
        """Whether it has no time of day."""
        return not isinstance(self.at, datetime)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How an event repeats; `days` like ("MO", "WE") or ("-1FR",)."""

    frequency: str  # DAILY, WEEKLY, MONTHLY, YEARLY; "" for a rule that is not understood
    interval: int = 1
    days: tuple[str, ...] = ()
    count: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A VEVENT. `echo` are the lines that a reply repeats as they came (DTSTART, RECURRENCE-ID)."""

    uid: str
    sequence: int
    summary: str
    location: str
    description: str
    status: str
    start: When | None
    end: When | None  # exclusive for dates (RFC 5545 §3.6.1)
    recurrence: Recurrence | None
    is_instance: bool  # has a RECURRENCE-ID: one of a series
    organizer: Person | None
    attendees: tuple[Person, ...]
    echo: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A file. `method` is its own, in capitals: REQUEST, CANCEL, REPLY, PUBLISH, …; or ""."""

    method: str
    events: tuple[Event, ...]
    is_cut: bool  # more events or attendees, or a larger file, than is read


@dataclass(slots=True)
class _Component:
    name: str
    lines: list[ContentLine] = field(default_factory=list)
    children: list["_Component"] = field(default_factory=list)

    def first(self, name: str) -> ContentLine | None:
        return next((line for line in self.lines if line.name == name), None)

    def text(self, name: str) -> str:
        line = self.first(name)
        return line.text if line is not None else ""

    def named(self, name: str) -> Iterator["_Component"]:
        return (child for child in self.children if child.name == name)


def read_calendar(text: str) -> Calendar | None:
    """Return what a calendar file says; None when there is no VCALENDAR in it."""
    tree = _components(text[: limits.CALENDAR])
    calendars = list(tree.named("VCALENDAR"))
    if not calendars:
        return None
    zones = Zones({name: seen for each in calendars for name, seen in _zones(each)})
    events = [event for each in calendars for event in each.named("VEVENT")]
    return Calendar(
        method=calendars[0].text("METHOD").upper()[:32],
        events=tuple(_event(each, zones) for each in events[: limits.EVENTS]),
        is_cut=len(text) > limits.CALENDAR
        or len(events) > limits.EVENTS
        or any(len(_attendees(each)) > limits.ATTENDEES for each in events),
    )


def _components(text: str) -> _Component:
    root = _Component("")
    open_ones = [root]
    for line in content_lines(text):
        if line.name == "BEGIN":
            if len(open_ones) > _DEEPEST:
                break
            made = _Component(line.value.strip().upper()[:32])
            open_ones[-1].children.append(made)
            open_ones.append(made)
        elif line.name == "END":
            if len(open_ones) > 1:
                open_ones.pop()
        else:
            open_ones[-1].lines.append(line)
    return root


def _zones(calendar: _Component) -> Iterator[tuple[str, list[Observance]]]:
    for zone in calendar.named("VTIMEZONE"):
        line = zone.first("TZID")
        found = [observance(child.lines) for child in zone.children]
        yield (line.value.strip() if line else "", [each for each in found if each is not None])


def _event(component: _Component, zones: Zones) -> Event:
    start = _when(component.first("DTSTART"), zones)
    sequence = component.text("SEQUENCE")
    organizers = [_person(line) for line in component.lines if line.name == "ORGANIZER"]
    echoed = (component.first("DTSTART"), component.first("RECURRENCE-ID"))
    return Event(
        uid=component.text("UID")[:255],
        sequence=int(sequence)
        if sequence.isascii() and sequence.isdigit() and len(sequence) < 10
        else 0,
        summary=component.text("SUMMARY"),
        location=component.text("LOCATION"),
        description=component.text("DESCRIPTION"),
        status=component.text("STATUS").upper()[:32],
        start=start,
        end=_end(component, start, zones),
        recurrence=_recurrence(component),
        is_instance=component.first("RECURRENCE-ID") is not None,
        organizer=organizers[0] if organizers else None,
        attendees=tuple(_person(line) for line in _attendees(component)[: limits.ATTENDEES]),
        echo=tuple(_echo(line) for line in echoed if line is not None),
    )


def _attendees(component: _Component) -> list[ContentLine]:
    return [line for line in component.lines if line.name == "ATTENDEE"]


def _echo(line: ContentLine) -> str:
    """Return a date line written anew from its checked parts."""
    zone = line.parameter("TZID")
    value = line.value.strip()
    if _DATE.fullmatch(value):
        return f"{line.name};VALUE=DATE:{value}"
    if not _TIME.fullmatch(value):
        return ""
    named = f';TZID="{shown(zone)[:64]}"' if zone and '"' not in zone else ""
    return f"{line.name}{named}:{value}"


def _when(line: ContentLine | None, zones: Zones) -> When | None:
    if line is None:
        return None
    value = line.value.strip()
    try:
        if found := _DATE.fullmatch(value):
            return When(date(int(found[1]), int(found[2]), int(found[3])))
        if (found := _TIME.fullmatch(value)) is None:
            return None
        local = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        return None
    if found[3]:
        return When(local.replace(tzinfo=UTC))
    moment = zones.to_utc(local, line.parameter("TZID"))
    return When(moment) if moment else When(local.replace(tzinfo=UTC), is_floating=True)


def _end(component: _Component, start: When | None, zones: Zones) -> When | None:
    stated = _when(component.first("DTEND"), zones)
    if stated is not None or start is None:
        return stated
    found = _DURATION.fullmatch(component.text("DURATION"))
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    try:
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return When(start.at + length, start.is_floating)
    except OverflowError:
        return None


def _recurrence(component: _Component) -> Recurrence | None:
    line = component.first("RRULE")
    if line is None:
        return Recurrence("") if component.first("RDATE") is not None else None
    parts = dict(part.partition("=")[::2] for part in line.value.upper()[:512].split(";"))
    frequency = parts.get("FREQ", "")
    known = {"FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY"}
    if frequency not in _FREQUENCIES or not set(parts) <= known:
        return Recurrence("", until=_until(parts.get("UNTIL", "")))
    days = tuple(each for each in parts.get("BYDAY", "").split(",") if _DAY.fullmatch(each))
    return Recurrence(
        frequency,
        interval=_number(parts.get("INTERVAL", "")) or 1,
        days=days[:7],
        count=_number(parts.get("COUNT", "")),
        until=_until(parts.get("UNTIL", "")),
    )


def _number(text: str) -> int | None:
    return (
        int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None
    )


def _until(text: str) -> date | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date() if text else None  # noqa: DTZ007
    except ValueError:
        return None


def _person(line: ContentLine) -> Person:
    value = line.value.strip()
    scheme, _, rest = value.partition(":")
    address = rest if scheme.lower() == "mailto" else ""
    if not _ADDRESS.fullmatch(address):
        stated = line.parameter("EMAIL")
        address = stated if _ADDRESS.fullmatch(stated) else ""
    return Person(
        name=shown(line.parameter("CN"))[:200],
        address=shown(address),
        partstat=line.parameter("PARTSTAT").upper()[:32],
        is_optional=line.parameter("ROLE").upper() == "OPT-PARTICIPANT",
    )
