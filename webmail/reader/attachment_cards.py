"""The attachments of an open message as cards: picture, name, kind, size, and what they say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smime import unlocking
from webmail.mailbox.models import Message
from webmail.reader import links, preview_store
from webmail.reader.calendar_words import EventView, event_view
from webmail.reader.models import InvitationAnswer
from webmail.reader.presenting import AttachmentView, size_words
from webmail.reader.report_words import ReportView, report_view
from webmail.reader.signals import asked_what_failed
from webmail.reader.variants import Variant

_MOST_FINDINGS = 3  # invitations said above the body; further ones are cards only
_SHOWN_KINDS = frozenset({"picture", "pdf", "text", "calendar", "contacts", "message"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """One attachment."""

    file: AttachmentView
    name: str
    view_url: str  # "" if it is only downloaded
    is_held: bool  # downloaded by a second click only
    thumbnail: str  # data: URL of a WebP picture, or ""
    words: str  # "PDF, 3 pages, 240 kB"
    event: EventView | None  # the first one of a calendar file


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation or calendar entry said above the body."""

    event: EventView
    path: str
    answer_url: str
    mine: str  # the answer given from here, in words; "" for none


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedView:
    """All that the page says about attachments."""

    cards: tuple[CardView, ...]
    total: str
    all_url: str  # the ZIP of all; "" for one attachment, or if they may not be taken together
    is_one_by_one: bool  # several that may not
    pending_url: str  # to be asked for what is not known yet; "" when all is here
    invitations: tuple[InvitationView, ...] = ()
    report: ReportView | None = None


def attached_view(
    request: HttpRequest,
    message: Message,
    variant: Variant,
    files: Sequence[AttachmentView],
    *,
    is_plain_only: bool,
    may_look_into: Collection[str],
    has_report: bool = False,
    is_asked: bool = False,
) -> AttachedView | None:
    """Return the cards with whatever is known by now; None if there is nothing to say.

    `is_plain_only`: the mail must not be relied on, so nothing of its files is shown.
    `may_look_into`: paths of the files that may be; the others are downloaded one by one.
    `is_asked`: a worker has just been asked; what is missing stays missing.
    """
    if not files and not has_report:
        return None
    facts = None
    if not is_plain_only:
        facts = preview_store.load(message, session_key=partial(unlocking.opened_key, request))
    entries = facts["entries"] if facts else {}

    def address(kind: str, position: str) -> str:
        return links.address(
            kind, links.Target(message.account.user_id, message.pk, variant.key, position)
        )

    together = all(file.path in may_look_into for file in files)
    return AttachedView(
        cards=tuple(
            _card(
                file,
                entries.get(file.path, {}),
                address("attached", file.path),
                may_look_into=file.path in may_look_into,
            )
            for file in files
        ),
        total=size_words(sum(file.size for file in files)),
        all_url=address("attached-all", "") if len(files) > 1 and together else "",
        is_one_by_one=len(files) > 1 and not together,
        pending_url=""
        if facts or is_plain_only or is_asked
        else reverse("reader:attached-cards", args=[message.pk]),
        invitations=_invitations(message, files, entries),
        report=report_view(facts["report"]) if facts and facts["report"] else None,
    )


def _card(
    file: AttachmentView, entry: Mapping[str, Any], view_url: str, *, may_look_into: bool
) -> CardView:
    kind = entry.get("kind", "")
    is_held = file.is_dangerous or not may_look_into
    may_view = kind in _SHOWN_KINDS and not is_held
    thumbnail = entry.get("thumbnail", "")
    calendar = entry.get("calendar")
    return CardView(
        file=file,
        name=entry.get("filename") or file.name,
        view_url=view_url if may_view else "",
        is_held=is_held,
        thumbnail=f"data:image/webp;base64,{thumbnail}" if thumbnail and may_view else "",
        words=_words(file, entry),
        event=event_view(calendar, calendar["events"][0])
        if calendar and calendar["events"]
        else None,
    )


def _given(message: Message) -> dict[str, str]:
    """Return the answers by path; one whose mail was called back or failed is none."""
    rows = list(InvitationAnswer.objects.filter(message=message))
    asked = {row.envelope_id for row in rows if row.envelope_id}
    answers = asked_what_failed.send(InvitationAnswer, envelope_ids=asked) if asked else []
    failed: set[object] = {each for _receiver, found in answers for each in found or ()}
    return {row.path: row.answer for row in rows if row.envelope_id not in failed}


def _mine(answer: str) -> str:
    return {
        "ACCEPTED": _("You accepted."),
        "TENTATIVE": _("You answered: maybe."),
        "DECLINED": _("You declined."),
    }.get(answer, "")


def _words(file: AttachmentView, entry: Mapping[str, Any]) -> str:
    size = size_words(file.size)
    if entry.get("code") == "password":
        return _("{kind}, asks for a password, {size}").format(kind=file.kind, size=size)
    if entry.get("kind") == "pdf" and entry.get("pages"):
        pages = ngettext("{n} page", "{n} pages", entry["pages"]).format(n=entry["pages"])
        return _("{kind}, {pages}, {size}").format(kind=file.kind, pages=pages, size=size)
    if entry.get("moves"):
        return _("{kind}, animated, {size}").format(kind=file.kind, size=size)
    if entry.get("kind") == "contacts" and entry.get("cards"):
        found = entry["cards"]["cards"]
        if len(found) == 1 and found[0]["name"]:
            return _("Contact, {name}").format(name=found[0]["name"])
        return ngettext("{n} contact", "{n} contacts", len(found)).format(n=len(found))
    return _("{kind}, {size}").format(kind=file.kind, size=size)


def _invitations(
    message: Message, files: Sequence[AttachmentView], entries: Mapping[str, Any]
) -> tuple[InvitationView, ...]:
    asks = any(entry.get("calendar") for entry in entries.values())
    given = _given(message) if asks else {}
    seen: set[str] = set()
    found: list[InvitationView] = []
    for file in files:
        calendar = entries.get(file.path, {}).get("calendar")
        if not calendar or not calendar["events"] or len(found) == _MOST_FINDINGS:
            continue
        event = calendar["events"][0]
        # The same invitation often comes twice: as an alternative and as a file.
        name = f"{calendar['method']} {event['uid']} {event['echo']}"
        if name in seen and event["uid"]:
            continue
        seen.add(name)
        found.append(
            InvitationView(
                event=event_view(calendar, event),
                path=file.path,
                answer_url=reverse("pages:invitation", args=[message.pk]),
                mine=_mine(given.get(file.path, "")),
            )
        )
    return tuple(found)
