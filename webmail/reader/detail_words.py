"""What "Details" above a message shows: people, checks, the way it came, lists; in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webmail.mime.trace import Step, Trace, steps
from webmail.reader.aid_words import AidView
from webmail.reader.authentication import CheckView
from webmail.reader.presenting import PersonView

_SLOW = timedelta(minutes=5)  # a delay that is worth a look
_AT_ONCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A field: people, or text."""

    label: str
    people: tuple[PersonView, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A server on the way, with the time since the one before."""

    server: str
    from_: str  # whom it got the message from, by their own word
    at: datetime | None
    time_words: str
    delay_words: str
    is_slow: bool
    is_odd: bool  # a clock that cannot be right


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsView:
    """The header of a message, told."""

    rows: tuple[RowView, ...]
    checks: tuple[CheckView, ...]
    aids: tuple[AidView, ...]  # those that are not said above the body
    path: tuple[StepView, ...]  # oldest first
    path_words: str
    is_path_cut: bool
    list_rows: tuple[RowView, ...]


def details_view(
    page: dict[str, Any],
    *,
    trace: Trace,
    checks: tuple[CheckView, ...],
    aids: tuple[AidView, ...],
) -> DetailsView:
    """Return what "Details" shows of a page."""
    details = page["details"]
    path = tuple(_step_view(each) for each in steps(trace))
    return DetailsView(
        rows=tuple(_rows(page)),
        checks=checks,
        aids=aids,
        path=path,
        path_words=_path_words(trace),
        is_path_cut=trace.is_cut,
        list_rows=tuple(RowView(label=name, text=value) for name, value in details["list"]),
    )


def _rows(page: dict[str, Any]) -> Iterator[RowView]:
    for label, field in (
        (_("From"), "from"),
        (_("Sent by"), "sender"),
        (_("Replies go to"), "reply_to"),
        (_("To"), "to"),
        (_("Cc"), "cc"),
        (_("Bcc"), "bcc"),
    ):
        people = tuple(PersonView(name=name, address=address) for name, address in page[field])
        if people:
            yield RowView(label=label, people=people)
    if page["date"]:
        yield RowView(label=_("Date"), text=_moment(datetime.fromisoformat(page["date"])))
    if page["details"]["organization"]:
        yield RowView(label=_("Organisation"), text=page["details"]["organization"])


def _step_view(step: Step) -> StepView:
    hop = step.hop
    return StepView(
        server=hop.by or _("An unnamed server"),
        from_=hop.from_,
        at=hop.at,
        time_words=_moment(hop.at) if hop.at is not None else "",
        delay_words=_delay_words(step),
        is_slow=step.delay is not None and step.delay >= _SLOW,
        is_odd=bool(step.oddity),
    )


def _moment(at: datetime) -> str:
    try:
        return formats.date_format(timezone.localtime(at), "j F Y, H:i:s")
    except (ValueError, OverflowError):  # absurd years
        return at.isoformat(" ", "seconds")


def _delay_words(step: Step) -> str:
    match step.oddity:
        case "no-time":
            return _("It states no time.")
        case "absurd":
            return _("Its clock cannot be right.")
        case "backwards":
            return _("Its clock is {time} behind the one before.").format(time=_span(step.delay))
    if step.delay is None:
        return ""
    if step.delay <= _AT_ONCE:
        return _("at once")
    return _("{time} later").format(time=_span(step.delay))


def _path_words(trace: Trace) -> str:
    """Say how long the way was, by the clocks of the first and the last server."""
    way = [each for each in steps(trace) if each.oddity in {"", "backwards"} and each.hop.at]
    count = len(trace.hops)
    servers = ngettext("{n} server", "{n} servers", count).format(n=count)
    if len(way) < 2:
        return servers
    first, last = way[0].hop.at, way[-1].hop.at
    if first is None or last is None or last < first:
        return servers
    return _("{servers}, {time}").format(servers=servers, time=_span(last - first))


def _span(span: timedelta | None) -> str:
    """Return "3 minutes", in the largest unit that fits; without a sign."""
    seconds = round(abs(span.total_seconds())) if span is not None else 0
    if seconds < 120:
        return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)
    if seconds < 2 * 3600:
        minutes = seconds // 60
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    if seconds < 2 * 86_400:
        hours = seconds // 3600
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    days = seconds // 86_400
    return ngettext("{n} day", "{n} days", days).format(n=days)
