"""Opening a message for its page: what is finished is shown, what is not is asked for.

The web process parses nothing: it posts a task and waits at most `PATIENCE` for its word; later
than that the page shows a skeleton that fills in when the worker announces the message.
"""

import time
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, cast

from django.conf import settings
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from accounts import lanes, late_replies, replies
from accounts.models import User
from smime import trust, unlocking, vault
from webmail.attached.kinds import kind_of
from webmail.mailbox import bodies, standing, subjects
from webmail.mailbox.models import Message, Placement
from webmail.mailbox.protected_fields import Opener
from webmail.mime.trace import from_json
from webmail.reader import authentication, links, permissions, words
from webmail.reader.aid_words import Asked, aids_view, without_said
from webmail.reader.asks import asks_view
from webmail.reader.attachment_cards import AttachedView, attached_view
from webmail.reader.detail_words import details_view
from webmail.reader.framing import frame_views
from webmail.reader.models import Reading
from webmail.reader.notices import notices
from webmail.reader.presenting import (
    AttachmentView,
    ImagesView,
    OpenMessage,
    PersonView,
    kind_words,
)
from webmail.reader.receiving import receiving_servers
from webmail.reader.store import FAILURE_LIMIT, Page, load_page
from webmail.reader.variants import Theme, Variant

PATIENCE = 1.5  # seconds


def _person(request: HttpRequest) -> User:
    """Return the signed-in person; views ask for sign-in before they come here."""
    return cast("User", request.user)


def theme_of(request: HttpRequest) -> str:
    """Return the theme for the message's frame: what the person set, else what the page says."""
    user = _person(request)
    if user.theme in {"light", "dark"}:
        return str(user.theme)
    return "dark" if request.COOKIES.get("signet-theme") == "dark" else "light"


def variant_for(
    request: HttpRequest,
    message: Message,
    *,
    images: bool = False,
    places: Collection[Placement] | None = None,
) -> Variant:
    """Return the rendering this person gets of this message; `places` as `standing.is_junk`."""
    return Variant(
        images=images,
        verified_images=not images and permissions.is_always(_person(request), message),
        theme=_shade_of(request),
        plain=request.GET.get("body") == "plain",
        junk=standing.is_junk(message, places),
    )


def _shade_of(request: HttpRequest) -> Theme:
    """Return the theme for the frame, or what was asked for this time on a dark page."""
    if theme_of(request) != "dark":
        return "light"
    match request.GET.get("shade"):
        case "dark":
            return "inverted"
        case "light":
            return "card"
    return "dark"


class Ask(Protocol):
    """A way to have a worker do a task for a message: `ask` or `ask_late`."""

    def __call__(
        self, request: HttpRequest, message: Message, task: str, *arguments: str, patience: float
    ) -> str | None:
        """Return the worker's word; None if it takes longer than `patience` seconds."""


def ask(
    request: HttpRequest, message: Message, task: str, *arguments: str, patience: float = PATIENCE
) -> str | None:
    """Have a worker do `task` for this message and wait for its word; None if it takes longer."""
    reply = replies.reply_key()
    _post(request, message, task, reply, *arguments)
    return replies.wait(reply, patience)


def ask_late(
    request: HttpRequest, message: Message, task: str, *arguments: str, patience: float
) -> str | None:
    """As `ask`, but no thread of the web waits meanwhile: for what may take many seconds.

    Once per request at most. Raises accounts.late_replies.LateReply.
    """

    def post(reply: str) -> None:
        _post(request, message, task, reply, *arguments)

    return late_replies.ask(request, post, patience)


def _post(request: HttpRequest, message: Message, task: str, reply: str, *arguments: str) -> None:
    """Post a task of the crypto lane with a ticket for this person's keys.

    The message itself is fetched first if its bytes are not here (interactive lane).
    """
    ticket = vault.key_ticket(request)
    if bodies.is_cached(message):
        lanes.post(task, message.pk, ticket, reply, *arguments, lane="crypto")
    else:
        lanes.post(
            "reader.fetch_then", message.pk, ticket, reply, task, *arguments, lane="interactive"
        )


def open_message(
    request: HttpRequest,
    message: Message,
    *,
    images: bool = False,
    wait: bool = True,
    places: Collection[Placement] | None = None,
) -> OpenMessage:
    """Return `message` for its page, in whatever state it can be had within 1.5 s.

    places: where it is, as `standing.is_junk` takes it.
    """
    begun = time.monotonic()
    variant = variant_for(request, message, images=images, places=places)
    user = _person(request)
    stamp = trust.stamp_for(user)
    key = partial(unlocking.opened_key, request)
    page = load_page(message, variant, trust_stamp=stamp, session_key=key)
    word: str | None = None
    if page is None and wait:
        if Reading.objects.filter(message=message, failures__gt=FAILURE_LIMIT).exists():
            return _unfinished(request, message, "failed")
        word = ask(request, message, "reader.render", variant.key)
        page = load_page(message, variant, trust_stamp=stamp, session_key=key)
    if page is None:
        return _unfinished(request, message, word or "")
    opened = _finished(user, message, variant, page)

    def attached(*, is_asked: bool) -> AttachedView | None:
        return attached_view(
            request,
            message,
            variant,
            opened.attachments,
            is_plain_only=opened.is_plain_only,
            may_look_into=page["may_look_into"],
            has_report=page.get("has_report", False),
            is_asked=is_asked,
        )

    found = attached(is_asked=not wait)
    left = begun + PATIENCE - time.monotonic()
    if found is not None and found.pending_url and left > 0 and _says_something(page):
        # What stands above the text must not push it down once somebody reads it.
        ask(request, message, "reader.preview", patience=left)
        found = attached(is_asked=False)
    return replace(opened, attached=found)


def _says_something(page: Page) -> bool:
    """Whether files of the message are told of above its text: invitations, delivery reports."""
    return page.get("has_report", False) or any(
        kind_of(b"", content_type=content_type, filename=name) == "calendar"
        for _path, name, content_type, _size, _is_dangerous in page["attachments"]
    )


def asks_of(request: HttpRequest, message: Message) -> dict[str, Any] | None:
    """Return what the message asks of its reader (`asking.facts_of`), as its finished page has it;
    None for junk, and when the page is not here.
    """
    variant = variant_for(request, message)
    if variant.junk:
        return None
    page = load_page(
        message,
        variant,
        trust_stamp=trust.stamp_for(_person(request)),
        session_key=partial(unlocking.opened_key, request),
    )
    return page.get("asks") if page else None


def opener_for(request: HttpRequest) -> Opener:
    """Return what opens the person's protected fields in this request."""
    return Opener(_person(request).pk, vault.kek_for(request, is_use=False))


def subject_words(subject: str, *, is_encrypted: bool) -> str:
    """Return a subject as shown: words instead of what stands outside for a hidden one."""
    is_hidden = is_encrypted and subjects.stands_for_hidden(subject)
    return _("Encrypted message") if is_hidden else subject


def _unfinished(request: HttpRequest, message: Message, word: str) -> OpenMessage:
    """Return the page's skeleton with what the mirror and the protected fields say, and why there
    is no more yet.
    """
    problems = {
        "failed": _("This message could not be shown safely. You can download the original."),
        "server-down": _("The mail server does not answer. The text is not here yet."),
        "gone": _("This message is no longer on the server."),
        "too-large": _(
            "This message is larger than {limit}, the most that is opened here. Only its header is"
            " shown; download the original."
        ).format(limit=filesizeformat(settings.MESSAGE_LIMIT)),
    }
    inside = opener_for(request).open([message.pk]).get(message.pk) if message.is_locked else None
    name = (inside and inside.sender_name) or message.from_name
    sender = PersonView(name=name, address=message.from_address)
    subject = message.subject if inside is None or inside.subject is None else inside.subject
    recipients = {
        kind: tuple(PersonView(name=name, address=address) for name, address in entries)
        for kind, entries in message.recipients.items()
    }
    state = {"failed": "failed", "gone": "failed", "too-large": "failed"}.get(
        word, "server-down" if word == "server-down" else "rendering"
    )
    return OpenMessage(
        id=message.pk,
        state=state,  # type: ignore[arg-type]
        subject=subject_words(subject, is_encrypted=message.is_secured or message.is_locked),
        sender=sender,
        from_=(sender,),
        to=recipients.get("to", ()),
        cc=recipients.get("cc", ()),
        bcc=(),
        reply_to=(),
        sent_on_behalf=None,
        date=message.date or message.internal_date,
        received_at=message.internal_date,
        verdict=None,
        is_secret=message.is_locked,
        problem=problems.get(word, ""),
    )


def _people(page: Page, field: str) -> tuple[PersonView, ...]:
    return tuple(PersonView(name=name, address=address) for name, address in page[field])


def _finished(user: User, message: Message, variant: Variant, page: Page) -> OpenMessage:
    def address(kind: str, position: str) -> str:
        return links.address(kind, links.Target(user.pk, message.pk, variant.key, position))

    from_ = _people(page, "from")
    sender = from_[0] if from_ else PersonView(name="", address=message.from_address)
    images = page["images"]
    trace = from_json(page["details"]["trace"])
    found = authentication.findings(trace, receiving_servers(message.account.server))
    aids = aids_view(
        Asked(user=user, message=message, page=page, found=found, is_received=bool(trace.hops))
    )
    verdict = without_said(words.verdict_view(page["verdict"]), aids)
    is_locked = verdict.action == "unlock"
    is_loaded = images["may_load"] and variant.wants_images(level=verdict.level)
    return OpenMessage(
        id=message.pk,
        state="locked" if is_locked else "ready",
        subject=subject_words(page["subject"], is_encrypted=page["is_encrypted"]),
        sender=sender,
        from_=from_,
        to=_people(page, "to"),
        cc=_people(page, "cc"),
        bcc=_people(page, "bcc"),
        reply_to=_people(page, "reply_to"),
        sent_on_behalf=next(iter(_people(page, "sender")), None),
        date=datetime.fromisoformat(page["date"]) if page["date"] else None,
        received_at=message.internal_date,
        verdict=verdict,
        frames=frame_views(
            page,
            address=lambda number: address("frame", str(number)),
            title=_("Message from {name}").format(name=sender.shown),
        ),
        attachments=tuple(
            AttachmentView(
                path=path,
                name=name,
                kind=kind_words(content_type, name),
                size=size,
                url=address("part", path),
                is_dangerous=is_dangerous,
            )
            for path, name, content_type, size, is_dangerous in page["attachments"]
        ),
        images=ImagesView(
            blocked=0 if is_loaded else images["remote"],
            trackers=images["trackers"],
            tracker_hosts=tuple(images["tracker_hosts"]),
            loaded=images["remote"] if is_loaded else 0,
            is_always=permissions.is_always(user, message)
            if variant.images
            else variant.verified_images,
            may_load=images["may_load"],
            may_always=images["may_always"],
        ),
        is_encrypted=page["is_encrypted"],
        is_secret=page.get("is_secret", False),
        is_plain_only=page["is_plain_only"],
        is_junk=variant.junk,
        asks=asks_view(user, message, page.get("asks"), is_junk=variant.junk, sender=sender),
        has_deceptive_links=page["has_deceptive_links"],
        shade=variant.shade(page["colours"]),
        notices=notices(page["limits"]),
        header_rows=tuple((name, value) for name, value in page["header_rows"]),
        has_more_header=page.get("has_more_header", False),
        aid=aids.line,
        details=details_view(
            page,
            trace=trace,
            checks=authentication.check_views(found),
            aids=aids.more,
        ),
    )
