"""Searching the mirror: the newest matches first, one page at a time."""

from collections.abc import Iterable
from typing import Literal

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.access import accounts_for
from webmail.mailbox import folders, search_protected, search_query
from webmail.mailbox.access import Person
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.listing import ConversationRow, ListPage
from webmail.mailbox.models import Flag, Folder, Message, Placement
from webmail.mailbox.protected_fields import Opener
from webmail.mailbox.search_query import Query

MOST_COUNTED = 1_000
_APART = (Folder.Role.TRASH, Folder.Role.JUNK)
_SEALS = {"signed": ("ok", "warn"), "altered": ("bad",)}

__all__ = ["MOST_COUNTED", "find"]

type _Bit = tuple[Flag, bool]
_BITS: dict[str, _Bit] = {
    "unread": (Flag.SEEN, False),
    "read": (Flag.SEEN, True),
    "starred": (Flag.FLAGGED, True),
    "unstarred": (Flag.FLAGGED, False),
    "answered": (Flag.ANSWERED, True),
}


def find(
    user: Person,
    text: str,
    *,
    folder: Folder | None = None,
    before: Cursor | None = None,
    limit: int = 50,
    opener: Opener | None = None,
) -> ListPage:
    """Return messages that match, newest first; a row's id is its message's.

    folder: where to look, unless the query says `in:`. Trash and spam are searched only when named.
    opener: opens the person's protected fields, which are searched as well.
    """
    query = search_query.parse(text, zone=timezone.get_current_timezone())
    where = _folder(user, query, folder)
    matches = Q(pk__in=[])
    found_inside = search_protected.look(query.terms, opener)
    # The account is a word of the index, so each has a condition of its own; one is the rule.
    for account_id in accounts_for(user).values_list("id", flat=True):
        matches |= found_inside.condition(query.terms, account_id=account_id)
    matched = Message.objects.filter(matches)
    matched = _filtered(matched, query, where)
    total = matched.order_by()[:MOST_COUNTED].count()
    if before is not None:
        matched = matched.filter(internal_date__lte=before.at).exclude(
            internal_date=before.at, id__gte=before.id
        )
    found = list(matched.order_by("-internal_date", "-id")[: limit + 1])
    shown = _rows(found[:limit])
    older = str(Cursor(shown[-1].latest_at, shown[-1].id)) if len(found) > limit else None
    return ListPage(rows=tuple(shown), older=older, newer=None, total=total, unseen=0)


def _folder(user: Person, query: Query, folder: Folder | None) -> Folder | Literal[""] | None:
    """Where to look: a folder, None for everywhere but trash and spam, "" for nowhere."""
    if not query.folder:
        return folder
    wanted = query.folder.casefold()
    if wanted in {"anywhere", "all"}:
        return None
    for item in folders.folders(user):
        if wanted in {item.role, item.name.casefold(), item.path.casefold(), item.url_name}:
            return folders.folder_by_name(user, item.url_name)
    return ""


def _filtered(
    rows: QuerySet[Message], query: Query, where: Folder | Literal[""] | None
) -> QuerySet[Message]:
    if where == "":
        return rows.none()
    places = Placement.objects.filter(message=OuterRef("pk"), gone_at=None, is_leaving=False)
    if where is not None:
        places = places.filter(folder=where)
    else:
        places = places.exclude(folder__role__in=_APART)
    for claim in query.claims & _BITS.keys():
        flag, is_set = _BITS[claim]
        places = _with_bit(places, flag, is_set=is_set)
    rows = rows.filter(Exists(places))
    for claim, seals in _SEALS.items():
        if claim in query.claims:
            rows = rows.filter(seal__in=seals)
    if "encrypted" in query.claims:
        rows = rows.filter(is_locked=True)
    if "attachment" in query.claims:
        rows = rows.filter(has_attachment=True)
    return _bounded(rows, query)


def _bounded(rows: QuerySet[Message], query: Query) -> QuerySet[Message]:
    bounds = {
        "internal_date__lt": query.before,
        "internal_date__gte": query.after,
        "size__gt": query.larger,
        "size__lt": query.smaller,
    }
    return rows.filter(**{name: value for name, value in bounds.items() if value is not None})


def _with_bit(places: QuerySet[Placement], flag: Flag, *, is_set: bool) -> QuerySet[Placement]:
    """Placements that show a flag or not: the server's, with what is pending on top."""
    bit = int(flag)
    rows = places.annotate(
        on_server=F("flags").bitand(bit),
        added=F("pending_add").bitand(bit),
        removed=F("pending_remove").bitand(bit),
    )
    shown = (~Q(on_server=0) | ~Q(added=0)) & Q(removed=0)
    return rows.filter(shown if is_set else ~shown)


def _rows(messages: Iterable[Message]) -> list[ConversationRow]:
    found = list(messages)
    flags: dict[int, int] = {}
    places = Placement.objects.filter(message__in=found, gone_at=None, is_leaving=False)
    for place in places.order_by("id"):
        flags.setdefault(place.message_id, place.shown_flags)
    return [
        ConversationRow(
            id=message.pk,
            thread_id=message.thread_id,
            message_id=message.pk,
            people=message.from_name or message.from_address,
            message_count=1,
            subject=message.subject,
            preview=message.preview,
            latest_at=message.internal_date,
            is_unread=not flags.get(message.pk, 0) & Flag.SEEN,
            is_flagged=bool(flags.get(message.pk, 0) & Flag.FLAGGED),
            has_attachment=message.has_attachment,
            seal=message.seal,
            seal_flag=message.seal_flag,
            is_locked=message.is_locked,
            is_answered=bool(flags.get(message.pk, 0) & Flag.ANSWERED),
        )
        for message in found
    ]
