"""The rows of the list: rebuilt from what they are made of, in the same transaction.

`refresh` takes threads and rewrites their row in every folder in bulk, keeping row ids, and moves
the folders' counters by the difference. Callers hold the account's lock (webmail.mailbox.locking),
so that two writers cannot both apply a difference to the same old row.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import batched
from typing import NamedTuple

from django.db.models import F, Value
from django.db.models.functions import Greatest

from accounts.models import Identity, MailAccount
from webmail.mailbox import bulk
from webmail.mailbox.models import Conversation, Flag, Folder, Placement
from webmail.mailbox.people import Name, recipient_words, sender_words

THREADS_AT_ONCE = 400
_WRITTEN = frozenset({Folder.Role.SENT.value, Folder.Role.DRAFTS.value})
_APART = frozenset({Folder.Role.TRASH.value, Folder.Role.JUNK.value})


class _Row(NamedTuple):
    """What a row of the list says; attributes of Conversation."""

    newest_id: int
    latest_at: datetime
    message_count: int
    unseen_count: int
    placed_count: int
    is_flagged: bool
    has_attachment: bool
    people: str
    subject: str
    preview: str
    seal: str
    seal_flag: str
    is_locked: bool
    is_answered: bool


_WRITTEN_COLUMNS = _Row._fields


class _Placed(NamedTuple):
    """A shown placement with what its row needs of the message (columns in this order)."""

    folder_id: int
    role: str
    account_id: int
    thread_id: int
    message_id: int
    at: datetime
    flags: int
    pending_add: int
    pending_remove: int
    subject: str
    from_name: str
    from_address: str
    recipients: dict[str, list[list[str]]]
    preview: str
    has_attachment: bool
    seal: str
    seal_flag: str
    is_locked: bool

    @property
    def shown_flags(self) -> int:
        return (self.flags | self.pending_add) & ~self.pending_remove

    @property
    def sender(self) -> Name:
        return Name(self.from_name, self.from_address)


def refresh(thread_ids: Collection[int]) -> set[int]:
    """Rebuild the rows of these threads; returns the ids of the folders that changed."""
    touched: set[int] = set()
    for some in batched(sorted(set(thread_ids)), THREADS_AT_ONCE, strict=False):
        touched |= _refresh(some)
    return touched


def _refresh(thread_ids: Collection[int]) -> set[int]:
    placed = _placed(thread_ids)
    own = _own_addresses({one.account_id for one in placed})
    rows = _rows(placed, own)
    old = {
        (folder_id, thread_id): (pk, unseen, count)
        for pk, folder_id, thread_id, unseen, count in Conversation.objects.filter(
            thread_id__in=thread_ids
        ).values_list("id", "folder_id", "thread_id", "unseen_count", "placed_count")
    }
    gone = [pk for key, (pk, *_counts) in old.items() if key not in rows]
    if gone:
        Conversation.objects.filter(pk__in=gone).delete()
    bulk.insert(
        Conversation,
        ("folder_id", "thread_id", *_WRITTEN_COLUMNS),
        ((*key, *row) for key, row in rows.items() if key not in old),
    )
    bulk.update(
        Conversation,
        _WRITTEN_COLUMNS,
        ((old[key][0], row) for key, row in rows.items() if key in old),
    )
    changes: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (folder_id, _thread), (_pk, unseen, count) in old.items():
        changes[folder_id][0] -= unseen
        changes[folder_id][1] -= count
        changes[folder_id][2] -= 1
    for (folder_id, _thread), row in rows.items():
        changes[folder_id][0] += row.unseen_count
        changes[folder_id][1] += row.placed_count
        changes[folder_id][2] += 1
    _count(changes)
    return set(changes)


def _count(changes: dict[int, list[int]]) -> None:
    for folder_id in sorted(changes):
        unseen, total, rows = changes[folder_id]
        if unseen or total or rows:
            Folder.objects.filter(pk=folder_id).update(
                # Never below zero, whatever happened to a counter before.
                unseen_count=Greatest(F("unseen_count") + unseen, Value(0)),
                total_count=Greatest(F("total_count") + total, Value(0)),
                conversation_count=Greatest(F("conversation_count") + rows, Value(0)),
            )


def _placed(thread_ids: Collection[int]) -> list[_Placed]:
    rows = (
        Placement.objects.filter(
            message__thread_id__in=thread_ids, gone_at=None, is_leaving=False
        )
        .order_by("internal_date", "id")
        .values_list(
            "folder_id", "folder__role", "folder__account_id", "message__thread_id", "message_id",
            "internal_date", "flags", "pending_add", "pending_remove", "message__subject",
            "message__from_name", "message__from_address", "message__recipients",
            "message__preview", "message__has_attachment", "message__seal", "message__seal_flag",
            "message__is_locked",
        )
    )  # fmt: skip
    return [_Placed._make(row) for row in rows]


def _own_addresses(account_ids: Collection[int]) -> dict[int, set[str]]:
    own: dict[int, set[str]] = defaultdict(set)
    for pk, address in MailAccount.objects.filter(pk__in=account_ids).values_list("id", "address"):
        own[pk].add(address)
    identities = Identity.objects.filter(account_id__in=account_ids)
    for pk, address in identities.values_list("account_id", "address"):
        own[pk].add(address)
    return own


def _rows(placed: Iterable[_Placed], own: dict[int, set[str]]) -> dict[tuple[int, int], _Row]:
    """Build one row for each folder and thread: (folder id, thread id)."""
    threads: dict[int, list[_Placed]] = defaultdict(list)
    for one in placed:
        threads[one.thread_id].append(one)
    rows = {}
    for thread_id, members in threads.items():
        counted = {one.message_id for one in members if one.role not in _APART}
        in_folders: dict[int, list[_Placed]] = defaultdict(list)
        for one in members:
            in_folders[one.folder_id].append(one)
        for folder_id, here in in_folders.items():
            is_apart = here[-1].role in _APART
            count = len({one.message_id for one in here} if is_apart else counted)
            own_here = own[here[-1].account_id]
            rows[folder_id, thread_id] = _row(here, count=count, own=own_here, thread=members)
    return rows


def _row(here: list[_Placed], *, count: int, own: set[str], thread: list[_Placed]) -> _Row:
    newest = here[-1]
    flags = [one.shown_flags for one in here]
    return _Row(
        newest_id=newest.message_id,
        latest_at=newest.at,
        message_count=count,
        placed_count=len(here),
        unseen_count=sum(not one & Flag.SEEN for one in flags),
        is_flagged=any(one & Flag.FLAGGED for one in flags),
        has_attachment=any(one.has_attachment for one in here),
        people=_people(newest, thread, own),
        subject=newest.subject,
        preview=newest.preview,
        seal=newest.seal,
        seal_flag=newest.seal_flag,
        is_locked=newest.is_locked,
        is_answered=bool(flags[-1] & Flag.ANSWERED),
    )


def _people(newest: _Placed, thread: list[_Placed], own: set[str]) -> str:
    if newest.role in _WRITTEN:
        named = [*newest.recipients.get("to", ()), *newest.recipients.get("cc", ())]
        return recipient_words([Name(pair[0], pair[1]) for pair in named if len(pair) == 2])
    is_apart = newest.role in _APART
    senders = [one.sender for one in thread if is_apart or one.role not in _APART]
    return sender_words(senders or [newest.sender], own=own)
