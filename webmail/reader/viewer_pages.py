"""The viewer's content for each kind of attachment: plain values for its template."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from webmail.attached import limits
from webmail.mailbox.models import Message
from webmail.reader import links, words
from webmail.reader.calendar_words import EventView, event_view
from webmail.reader.framing import frame_views
from webmail.reader.presenting import (
    AttachmentView,
    BoxView,
    FrameView,
    PersonView,
    VerdictView,
    kind_words,
    size_words,
)
from webmail.reader.shown import MOVING, STEP, Shown
from webmail.reader.variants import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """A drawn page: its picture's URL and its number."""

    url: str
    number: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerView:
    """A forwarded message, with a verdict of its own."""

    subject: str
    sender: PersonView
    rows: tuple[tuple[str, str], ...]
    verdict: VerdictView | None
    frames: tuple[FrameView | BoxView, ...]
    files: tuple[tuple[AttachmentView, str], ...]  # with the viewer's URL


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerView:
    """One attachment in the viewer."""

    path: str
    kind: str
    name: str
    words: str
    download_url: str
    problem: str  # why nothing is shown
    notice: str  # what is not shown
    width: int = 0
    height: int = 0
    pages: tuple[PageView, ...] = ()
    moving_url: str = ""  # of the picture as it moves
    text: str = ""
    events: tuple[EventView, ...] = ()
    cards: tuple[dict[str, Any], ...] = ()
    inner: InnerView | None = None


def problem_words(code: str) -> str:
    """Return why a file is not shown; "" for no reason."""
    problems = {
        "": "",
        "too-large": _("This file is too large to be shown here."),
        "too-many-pixels": _("This picture has more pixels than can be shown here."),
        "damaged": _("This file is damaged, or is not what its name says."),
        "password": _("This PDF asks for a password."),
        "too-slow": _("This file takes too long to draw."),
        "ended": _("This file could not be drawn safely."),
        "no-such-page": _("This PDF has no such page."),
    }
    return problems.get(code, _("There is no preview for this kind of file."))


def viewer_view(message: Message, variant: Variant, path: str, found: Shown) -> ViewerView:
    """Return what the viewer shows of a part."""
    code = found["code"]
    kind = found["kind"]

    def address(what: str, position: str) -> str:
        target = links.Target(message.account.user_id, message.pk, variant.key, position)
        return links.address(what, target)

    described = _("{kind}, {size}").format(
        kind=kind_words(found["content_type"], found["filename"]), size=size_words(found["size"])
    )
    calendar, cards = found.get("calendar"), found.get("cards")
    count = min(found.get("pages", 0), limits.PDF_PAGES) if not code else 0
    return ViewerView(
        path=path,
        kind=kind,
        name=found["filename"],
        words=described,
        download_url=f"{address('part', path)}?download=1",
        problem=problem_words(code),
        notice=_notice(found),
        width=found.get("width", 0),
        height=found.get("height", 0),
        pages=tuple(
            PageView(
                url=address("attached-page", f"{path}#{number}"),
                number=number,
                label=_label(found["filename"], number, count if kind == "pdf" else 0),
            )
            for number in range(1, count + 1)
        ),
        moving_url=address("attached-page", f"{path}#{MOVING}") if found.get("moves") else "",
        text=found.get("text", ""),
        events=tuple(event_view(calendar, each) for each in calendar["events"]) if calendar else (),
        cards=tuple(cards["cards"]) if cards else (),
        inner=_inner(path, found["page"], address) if "page" in found else None,
    )


def _label(filename: str, number: int, count: int) -> str:
    if not count:
        return filename
    return _("Page {n} of {count}").format(n=number, count=count)


def _notice(found: Shown) -> str:
    if found.get("moves"):
        return _("This picture moves; its first frame is shown.")
    if found["kind"] == "pdf" and found.get("pages", 0) > limits.PDF_PAGES:
        return _(
            "The first {n} of {count} pages are shown. Download the file to see the rest."
        ).format(n=limits.PDF_PAGES, count=found["pages"])
    cut = found.get("is_cut") or any(
        found.get(name, {}).get("is_cut") for name in ("calendar", "cards")
    )
    return _("Only the beginning is shown. Download the file to see the rest.") if cut else ""


def _inner(path: str, page: dict[str, Any], address: Any) -> InnerView:
    people = [PersonView(name=name, address=each) for name, each in page["from"]]
    sender = people[0] if people else PersonView(name="", address=_("no sender is named"))
    files = []
    for inner_path, name, content_type, size, is_dangerous in page["attachments"]:
        whole = f"{path}{STEP}{inner_path}"
        file = AttachmentView(
            path=whole,
            name=name,
            kind=kind_words(content_type, name),
            size=size,
            url=f"{address('part', whole)}?download=1",
            is_dangerous=is_dangerous,
        )
        may_view = not is_dangerous and inner_path in page.get("may_look_into", ())
        files.append((file, address("attached", whole) if may_view else ""))
    return InnerView(
        subject=page["subject"],
        sender=sender,
        rows=_rows(page),
        verdict=words.verdict_view(page["verdict"]),
        frames=frame_views(
            page,
            address=lambda number: address("attached-frame", f"{path}#{number}"),
            title=_("Message from {name}").format(name=sender.shown),
        ),
        files=tuple(files),
    )


def _rows(page: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    def people(field: str) -> str:
        return ", ".join(
            f"{name} <{address}>" if name else address for name, address in page[field][:20]
        )

    found = [
        (_("From"), people("from")),
        (_("To"), people("to")),
        (_("Cc"), people("cc")),
        (_("Date"), _date(page["date"])),
    ]
    return tuple((name, value) for name, value in found if value)


def _date(stated: str) -> str:
    """Return an ISO 8601 time in the person's own; "" for none."""
    if not stated:
        return ""
    try:
        return formats.date_format(timezone.localtime(datetime.fromisoformat(stated)), "j F Y, H:i")
    except (ValueError, OverflowError):  # absurd years, or no zone
        return stated
