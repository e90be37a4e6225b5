"""What the pages list: conversations of a folder, the messages of a thread, the next and previous.

Everything here reads the mirror alone. A list page is one index range scan over `Conversation`,
which holds all that a row draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from accounts.prepared import PreparedObjects
from webmail.mailbox.access import Person
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.folders import FolderItem, folder_by_name, folders
from webmail.mailbox.models import Conversation, Folder, Message, Placement
from webmail.mailbox.protected_fields import Opener

__all__ = [
    "ConversationRow",
    "Cursor",
    "FolderItem",
    "ListPage",
    "Neighbours",
    "Only",
    "ThreadMessage",
    "conversations",
    "folder_by_name",
    "folders",
    "neighbours",
    "placement_ids_of",
    "search",
    "thread_messages",
]

type Only = Literal["all", "unread", "starred", "attachments"]

LONGEST_PAGE = 200
MOST_THREAD_MESSAGES = 500
# A position is counted only so far: counting a folder to its end is what keysets avoid.
FARTHEST_POSITION = 1_000

# In the order of ConversationRow.
_COLUMNS = (
    "id", "thread_id", "newest_id", "people", "message_count", "subject", "preview", "latest_at",
    "unseen_count", "is_flagged", "has_attachment", "seal", "seal_flag", "is_locked", "is_answered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A row of the list. id: the conversation's; message_id: the row id of its newest message."""

    id: int
    thread_id: int
    message_id: int
    people: str
    message_count: int
    subject: str
    preview: str
    latest_at: datetime
    is_unread: bool
    is_flagged: bool
    has_attachment: bool
    seal: str
    seal_flag: str
    is_locked: bool
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page, newest first. older, newer: cursors for `before` and `after`; None at the ends.

    total: rows in all, as far as the mirror has come (of a search: at most search.MOST_COUNTED).
    unseen: unread messages in the folder, 0 for a search.
    """

    rows: tuple[ConversationRow, ...]
    older: str | None
    newer: str | None
    total: int
    unseen: int


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message of a conversation with the places it is in; flags as shown, of its first place."""

    message: Message
    placements: tuple[Placement, ...]
    flags: int


class Neighbours(NamedTuple):
    """A conversation in its folder's list, and what is next to it.

    conversation_id: its row. newer_id, older_id: row ids of the neighbours' newest messages (what
    /message/<id> takes). position: 1 for the newest, None beyond FARTHEST_POSITION.
    """

    conversation_id: int
    newer_id: int | None
    older_id: int | None
    position: int | None
    total: int


def conversations(
    user: Person,
    folder: Folder,
    *,
    before: Cursor | None = None,
    after: Cursor | None = None,
    only: Only = "all",
    limit: int = 50,
) -> ListPage:
    """Return the page that ends just before (older than) or after (newer than) a place.

    One query; `folder` must be the user's own (webmail.mailbox.access).
    """
    if folder.account.user_id != user.pk:
        raise PermissionError("A folder is listed for its owner alone.")
    limit = max(1, min(limit, LONGEST_PAGE))
    rows = _only(Conversation.objects.filter(folder=folder), only)
    if after is not None:
        found = [_row(values) for values in _newer(rows, after).values_list(*_COLUMNS)[: limit + 1]]
        is_cut, found = len(found) > limit, found[:limit][::-1]
        newer = _cursor(found[0]) if found and is_cut else None
        older = _cursor(found[-1]) if found else None
    else:
        found = [
            _row(values) for values in _older(rows, before).values_list(*_COLUMNS)[: limit + 1]
        ]
        is_cut, found = len(found) > limit, found[:limit]
        newer = _cursor(found[0]) if found and before is not None else None
        older = _cursor(found[-1]) if is_cut else None
    return ListPage(
        rows=tuple(found),
        older=older,
        newer=newer,
        total=folder.conversation_count,
        unseen=folder.unseen_count,
    )


_PLACES = PreparedObjects(
    lambda thread, user: Placement.objects.filter(
        message__thread_id=thread, folder__account__user_id=user, gone_at=None, is_leaving=False
    ).order_by("-message__internal_date", "-message_id", "id")[: 4 * MOST_THREAD_MESSAGES],
    Placement,
    "message",
    "folder",
)


def thread_messages(user: Person, message: Message) -> tuple[ThreadMessage, ...]:
    """Return the messages of a message's conversation, oldest first, the newest 500 at most.

    One query. Messages that are nowhere any more are left out.
    """
    places: dict[int, list[Placement]] = {}
    for placement in _PLACES.all(message.thread_id, user.pk or 0):
        places.setdefault(placement.message_id, []).append(placement)
    newest = list(places.values())[:MOST_THREAD_MESSAGES]
    return tuple(
        ThreadMessage(found[0].message, tuple(found), found[0].shown_flags)
        for found in reversed(newest)
    )


# Each is a short range of the index conversation_newest. Written out, because building three
# queries took longer than the database takes to answer them.
_TABLE = Conversation._meta.db_table  # noqa: SLF001
_AHEAD = """each.folder_id = mine.folder_id AND each.latest_at >= mine.latest_at
    AND NOT (each.latest_at = mine.latest_at AND each.id <= mine.id)"""
_BEHIND = """each.folder_id = mine.folder_id AND each.latest_at <= mine.latest_at
    AND NOT (each.latest_at = mine.latest_at AND each.id >= mine.id)"""
_UPWARDS = "ORDER BY each.latest_at, each.id"
_NEIGHBOURS = f"""
SELECT
    mine.id,
    (SELECT each.newest_id FROM {_TABLE} AS each WHERE {_AHEAD} {_UPWARDS} LIMIT 1),
    (SELECT each.newest_id FROM {_TABLE} AS each WHERE {_BEHIND}
        ORDER BY each.latest_at DESC, each.id DESC LIMIT 1),
    (SELECT COUNT(*) FROM (
        SELECT each.id FROM {_TABLE} AS each WHERE {_AHEAD} {_UPWARDS} LIMIT {FARTHEST_POSITION}
    ) AS ahead)
FROM {_TABLE} AS mine WHERE mine.folder_id = %s AND mine.thread_id = %s
"""  # noqa: S608  (the name of our own table; values are parameters)


def neighbours(user: Person, folder: Folder, thread_id: int) -> Neighbours | None:
    """Return a thread's row in the whole list of a folder and what is beside it. One query.

    None: it has no row there.
    """
    if folder.account.user_id != user.pk:
        raise PermissionError("A folder is listed for its owner alone.")
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, [folder.pk, thread_id])
        found = cursor.fetchone()
    if found is None:
        return None
    conversation, newer, older, ahead = found
    position = ahead + 1 if ahead < FARTHEST_POSITION else None
    return Neighbours(conversation, newer, older, position, folder.conversation_count)


def placement_ids_of(
    user: Person,
    *,
    kind: Literal["conversation", "message"],
    ids: Sequence[int],
    folder_id: int | None = None,
    is_move: bool = False,
) -> list[int]:
    """Return the shown placements that rows of a list stand for.

    A conversation stands for its messages in that folder; a message for its place in folder_id, or
    for all its places. is_move: copies in Sent and Drafts stay where they are, unless there is
    nothing else.
    """
    rows = Placement.objects.filter(
        folder__account__user_id=user.pk or 0, gone_at=None, is_leaving=False
    )
    if kind == "conversation":
        return _of_conversations(user, rows, ids)
    rows = rows.filter(message_id__in=ids)
    if folder_id is not None:
        rows = rows.filter(folder_id=folder_id)
    found = list(rows.values_list("id", "folder__role"))
    others = [pk for pk, role in found if role not in {Folder.Role.SENT, Folder.Role.DRAFTS}]
    return others if is_move and others else [pk for pk, _role in found]


def _of_conversations(user: Person, rows: QuerySet[Placement], ids: Sequence[int]) -> list[int]:
    pairs = Conversation.objects.filter(
        pk__in=ids, folder__account__user_id=user.pk or 0
    ).values_list("folder_id", "thread_id")
    by_folder: dict[int, list[int]] = {}
    for folder_id, thread_id in pairs:
        by_folder.setdefault(folder_id, []).append(thread_id)
    found: list[int] = []
    for folder_id, thread_ids in by_folder.items():
        chosen = rows.filter(folder_id=folder_id, message__thread_id__in=thread_ids)
        found += chosen.values_list("id", flat=True)
    return found


def _only(rows: QuerySet[Conversation], only: Only) -> QuerySet[Conversation]:
    match only:
        case "unread":
            return rows.filter(unseen_count__gt=0)
        case "starred":
            return rows.filter(is_flagged=True)
        case "attachments":
            return rows.filter(has_attachment=True)
        case _:
            return rows


def _older(rows: QuerySet[Conversation], place: Cursor | None) -> QuerySet[Conversation]:
    """Rows after `place` in the list, nearest first."""
    if place is not None:
        rows = rows.filter(latest_at__lte=place.at).exclude(latest_at=place.at, id__gte=place.id)
    return rows.order_by("-latest_at", "-id")


def _newer(rows: QuerySet[Conversation], place: Cursor) -> QuerySet[Conversation]:
    """Rows before `place` in the list, nearest first."""
    rows = rows.filter(latest_at__gte=place.at).exclude(latest_at=place.at, id__lte=place.id)
    return rows.order_by("latest_at", "id")


def _row(values: tuple[object, ...]) -> ConversationRow:
    unseen = _COLUMNS.index("unseen_count")
    row = (*values[:unseen], bool(values[unseen]), *values[unseen + 1 :])
    return ConversationRow(*row)  # type: ignore[arg-type]


def _cursor(row: ConversationRow) -> str:
    return str(Cursor(row.latest_at, row.id))


def search(
    user: Person,
    query: str,
    *,
    folder: Folder | None = None,
    before: Cursor | None = None,
    opener: Opener | None = None,
) -> ListPage:
    """Return the messages that match a query (ui: Search), newest first."""
    from webmail.mailbox.search import find

    return find(user, query, folder=folder, before=before, opener=opener)
