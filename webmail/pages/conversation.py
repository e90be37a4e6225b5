"""An open conversation: its messages, one of them open, and where it stands in its list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from webmail.mailbox import listing
from webmail.mailbox.models import Flag, Folder, Message
from webmail.pages import lists, times
from webmail.pages.rows import glyphs
from webmail.reader.presenting import OpenMessage, PersonView
from webmail.reader.reading import open_message, opener_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadItem:
    """One message of the thread: folded to a line, or open."""

    id: int
    who: str
    preview: str
    url: str
    when: str
    when_long: str
    when_iso: str
    when_exact: str
    glyphs: SafeString
    to_words: str
    is_open: bool
    is_unread: bool
    is_secured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """What the reading pane draws beside the opened message itself."""

    message: Message
    opened: OpenMessage
    thread: tuple[ThreadItem, ...]
    thread_people: str
    folder: Folder | None
    id_kind: str
    ids: tuple[int, ...]
    conversation_id: int | None
    is_flagged: bool
    is_secret: bool  # it shows what a key opened, or waits for one
    list_url: str
    after_url: str
    newer_url: str
    older_url: str
    position: int | None
    total: int


def conversation_view(
    request: HttpRequest, message: Message, address: lists.ListAddress
) -> ConversationView:
    """Open `message` with its thread around it."""
    user: Any = request.user
    found = listing.thread_messages(user, message)
    opened = open_message(
        request,
        message,
        images=request.GET.get("images") == "once",
        places=next((each.placements for each in found if each.message.pk == message.pk), None),
    )
    folder = lists.folder_named(user, address.folder)
    place = None
    if folder is not None:
        place = listing.neighbours(user, folder, message.thread_id)
    now = timezone.now()
    locked = [each.message.pk for each in found if each.message.is_locked]
    inside = opener_for(request).open(locked) if locked else {}
    thread = tuple(
        _item(
            each,
            user=user,
            name=inside[each.message.pk].sender_name if each.message.pk in inside else None,
            open_id=message.pk,
            opened=opened,
            address=address,
            now=now,
        )
        for each in found
    )
    return ConversationView(
        message=message,
        opened=opened,
        thread=thread,
        thread_people=_and([item.who for item in thread]),
        folder=folder,
        id_kind="conversation" if place else "message",
        ids=(place.conversation_id,) if place else tuple(each.message.pk for each in found),
        conversation_id=place.conversation_id if place else None,
        is_flagged=any(each.flags & Flag.FLAGGED for each in found),
        is_secret=opened.is_secret or bool(inside),
        list_url=address.url,
        after_url=_url(place and place.older_id, address) or address.url,
        newer_url=_url(place and place.newer_id, address),
        older_url=_url(place and place.older_id, address),
        position=place.position if place else None,
        total=place.total if place else 0,
    )


def _url(message_id: int | None, address: lists.ListAddress) -> str:
    return lists.message_url(message_id, address) if message_id else ""


def _item(
    each: "listing.ThreadMessage",
    *,
    user: User,
    name: str | None,
    open_id: int,
    opened: OpenMessage,
    address: lists.ListAddress,
    now: datetime,
) -> ThreadItem:
    message = each.message
    is_open = message.pk == open_id
    at = message.date or message.internal_date
    is_mine = message.from_address.lower() == user.address.lower()
    return ThreadItem(
        id=message.pk,
        who=_("You") if is_mine else name or message.from_name or message.from_address,
        preview=message.preview,
        url=lists.message_url(message.pk, address),
        when=times.short(at, now=now),
        when_long=times.long(at, now=now),
        when_iso=at.isoformat(timespec="minutes"),
        when_exact=times.exact(at),
        glyphs=glyphs(
            is_locked=message.is_locked, seal=message.seal, has_attachment=message.has_attachment
        ),
        to_words=_to_words(opened, user) if is_open else "",
        is_open=is_open,
        is_unread=not each.flags & Flag.SEEN,
        is_secured=message.is_secured,
    )


def _to_words(opened: OpenMessage, user: User) -> str:
    """Return "to me, Jonas Berg" or "to me and 12 others"."""
    people = [*opened.to, *opened.cc]
    names = [_shown(person, user) for person in people]
    if not names:
        return _("no recipients are named")
    if len(names) > 4:
        return ngettext(
            "to {name} and {n} other", "to {name} and {n} others", len(names) - 1
        ).format(name=names[0], n=len(names) - 1)
    return _("to {names}").format(names=", ".join(names))


def _shown(person: PersonView, user: User) -> str:
    return _("me") if person.address.lower() == user.address.lower() else person.shown


def _and(names: Sequence[str]) -> str:
    """Return "Anna Lindqvist and Jonas Berg": each person once, oneself apart."""
    unique = [name for name in dict.fromkeys(names) if name != _("You")]
    if not unique:
        return _("yourself")
    if len(unique) == 1:
        return unique[0]
    if len(unique) > 3:
        return _("{name} and {n} others").format(name=unique[0], n=len(unique) - 1)
    return _("{names} and {last}").format(names=", ".join(unique[:-1]), last=unique[-1])
