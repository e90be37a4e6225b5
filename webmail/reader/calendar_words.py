"""Calendar entries and invitations in words, in the person's own time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

_WEEKDAYS = {
    "MO": gettext_lazy("Monday"),
    "TU": gettext_lazy("Tuesday"),
    "WE": gettext_lazy("Wednesday"),
    "TH": gettext_lazy("Thursday"),
    "FR": gettext_lazy("Friday"),
    "SA": gettext_lazy("Saturday"),
    "SU": gettext_lazy("Sunday"),
}
_WHICH = {
    1: gettext_lazy("the first {day}"),
    2: gettext_lazy("the second {day}"),
    3: gettext_lazy("the third {day}"),
    4: gettext_lazy("the fourth {day}"),
    -1: gettext_lazy("the last {day}"),
}
_ANSWERED = {
    "ACCEPTED": gettext_lazy("{name} accepts"),
    "TENTATIVE": gettext_lazy("{name} may come"),
    "DECLINED": gettext_lazy("{name} declines"),
    "DELEGATED": gettext_lazy("{name} sends somebody else"),
}
_SHOWN_PEOPLE = 12

type Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestView:
    """Somebody invited, and their answer in words ("" when there is none yet)."""

    name: str
    address: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event for its card and for the viewer; everything is text."""

    kind: str  # headline: "Invitation", "Cancelled", …
    is_cancelled: bool
    title: str
    month: str  # "Dec" and "4" for the leaf of a calendar; "" without a start
    day: str
    when: str
    zone: str
    where: str
    repeats: str
    organizer: str
    organizer_address: str
    guests: tuple[GuestView, ...]
    guests_more: int
    counts: str
    description: str
    can_answer: bool  # asks for an answer that can be given
    is_past: bool


def event_view(calendar: Facts, event: Facts) -> EventView:
    """Return one event of `previews`' calendar facts in words."""
    method = calendar["method"]
    organizer = event["organizer"] or {"name": "", "address": ""}
    start = moment(event["start"])
    guests = event["attendees"]
    is_cancelled = method == "CANCEL" or event["status"] == "CANCELLED"
    return EventView(
        kind=_kind(method, guests, is_cancelled=is_cancelled),
        is_cancelled=is_cancelled,
        title=event["summary"] or _("(no title)"),
        month=formats.date_format(start, "M") if start else "",
        day=formats.date_format(start, "j") if start else "",
        when=when_words(event["start"], event["end"]),
        zone=_zone(event["start"]),
        where=event["location"],
        repeats=repeats_words(event["recurrence"], is_instance=event["is_instance"]),
        organizer=organizer["name"] or organizer["address"],
        organizer_address=organizer["address"],
        guests=tuple(
            GuestView(
                name=each["name"] or each["address"] or _("somebody"),
                address=each["address"] if each["name"] else "",
                answer=_answer(each["partstat"]),
            )
            for each in guests[:_SHOWN_PEOPLE]
        ),
        guests_more=max(0, len(guests) - _SHOWN_PEOPLE),
        counts=_counts(guests),
        description=event["description"],
        can_answer=method == "REQUEST"
        and not is_cancelled
        and bool(organizer["address"] and event["uid"]),
        is_past=_is_past(event),
    )


def _kind(method: str, guests: Sequence[Facts], *, is_cancelled: bool) -> str:
    if is_cancelled:
        return _("Cancelled")
    if method == "REPLY" and guests:
        template = _ANSWERED.get(guests[0]["partstat"], gettext_lazy("{name} answers"))
        return str(template).format(name=guests[0]["name"] or guests[0]["address"])
    if method == "COUNTER":
        return _("Another time is proposed")
    return _("Invitation") if method == "REQUEST" else _("Calendar entry")


def _answer(partstat: str) -> str:
    return {
        "ACCEPTED": _("accepted"),
        "TENTATIVE": _("maybe"),
        "DECLINED": _("declined"),
        "DELEGATED": _("sends somebody else"),
    }.get(partstat, "")


def _counts(guests: Sequence[Facts]) -> str:
    if not guests:
        return ""
    invited = ngettext("{n} person invited", "{n} people invited", len(guests))
    accepted = sum(each["partstat"] == "ACCEPTED" for each in guests)
    said = invited.format(n=len(guests))
    if not accepted:
        return said
    return _("{invited}, {n} accepted").format(invited=said, n=accepted)


def moment(when: Facts | None) -> date | datetime | None:
    """Return a `When` of the facts: a date, or a time in the person's zone."""
    if when is None:
        return None
    if "T" not in when["at"]:
        return date.fromisoformat(when["at"])
    at = datetime.fromisoformat(when["at"])
    if when["is_floating"]:
        return at.replace(tzinfo=None)
    try:
        return timezone.localtime(at)
    except (OverflowError, ValueError):  # the years 1 and 9999
        return at


def when_words(start: Facts | None, end: Facts | None) -> str:
    """Return "Friday 4 December 2026, 15:00 to 16:30" in the person's own time."""
    begins, ends = moment(start), moment(end)
    if begins is None:
        return _("No time is stated")
    if not isinstance(begins, datetime):
        return _days(begins, ends)
    said = _("{day}, {time}").format(day=_day(begins), time=_time(begins))
    if not isinstance(ends, datetime) or ends <= begins.replace(tzinfo=ends.tzinfo):
        return said
    if ends.date() == begins.date():
        return _("{begin} to {end}").format(begin=said, end=_time(ends))
    until = _("{day}, {time}").format(day=_day(ends), time=_time(ends))
    return _("{begin} to {end}").format(begin=said, end=until)


def _days(begins: date, ends: date | datetime | None) -> str:
    # RFC 5545 §3.6.1: the end of a whole-day event is the day after its last.
    last = ends - timedelta(days=1) if ends and not isinstance(ends, datetime) else begins
    if last <= begins:
        return _("{day}, all day").format(day=_day(begins))
    return _("{begin} to {end}").format(begin=_day(begins), end=_day(last))


def _day(at: date) -> str:
    return formats.date_format(at, "l j F Y")


def _time(at: datetime) -> str:
    return formats.date_format(at, "H:i")


def _zone(start: Facts | None) -> str:
    if start is None or "T" not in start["at"]:
        return ""
    if start["is_floating"]:
        return _("in the sender's local time")
    return _("your time, {zone}").format(zone=timezone.get_current_timezone_name())


def _is_past(event: Facts) -> bool:
    if event["recurrence"]:
        return False
    at = moment(event["end"] or event["start"])
    if at is None:
        return False
    now = timezone.localtime()
    if not isinstance(at, datetime):
        return at < now.date()
    return (at if at.tzinfo else at.replace(tzinfo=now.tzinfo)) < now


def repeats_words(recurrence: Facts | None, *, is_instance: bool) -> str:
    """Return "Every 2 weeks on Monday and Wednesday, 10 times"; "" for a single event."""
    if is_instance:
        return _("One of a series")
    if recurrence is None:
        return ""
    if not recurrence["frequency"]:
        return _("Repeats, by a rule that only a calendar program can follow")
    every = _every(recurrence["frequency"], recurrence["interval"])
    days = [_weekday(each) for each in recurrence["days"]]
    if days:
        every = _("{every} on {days}").format(every=every, days=_and(days))
    if recurrence["count"]:
        return ngettext("{every}, {n} time", "{every}, {n} times", recurrence["count"]).format(
            every=every, n=recurrence["count"]
        )
    if recurrence["until"]:
        until = formats.date_format(date.fromisoformat(recurrence["until"]), "j F Y")
        return _("{every}, until {day}").format(every=every, day=until)
    return every


def _every(frequency: str, n: int) -> str:
    words = {
        "DAILY": ngettext("Every day", "Every {n} days", n),
        "WEEKLY": ngettext("Every week", "Every {n} weeks", n),
        "MONTHLY": ngettext("Every month", "Every {n} months", n),
        "YEARLY": ngettext("Every year", "Every {n} years", n),
    }
    return words[frequency].format(n=n)


def _weekday(code: str) -> str:
    number, day = code[:-2], str(_WEEKDAYS[code[-2:]])
    if not number:
        return day
    which = _WHICH.get(int(number))
    return str(which).format(day=day) if which else f"{int(number)}. {day}"


def _and(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _("{names} and {last}").format(names=", ".join(words[:-1]), last=words[-1])
