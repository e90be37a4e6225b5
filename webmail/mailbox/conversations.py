"""The rows of the list: rebuilt from what they are made of, in the same transaction.

`refresh` takes threads and rewrites their row in every folder in bulk, keeping row ids, and moves
the folders' counters by the difference. Callers hold the account's lock (webmail.mailbox.locking),
so that two writers cannot both apply a difference to the same old row.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db.models import F, Value
from django.db.models.functions import Greatest

from accounts.models import Identity, MailAccount
from webmail.mailbox.models import Conversation, Flag, Folder, Placement
from webmail.mailbox.people import Name, recipient_words, sender_words

THREADS_AT_ONCE = 400
_WRITTEN = frozenset({Folder.Role.SENT.value, Folder.Role.DRAFTS.value})
_APART = frozenset({Folder.Role.TRASH.value, Folder.Role.JUNK.value})
_UPDATED = (
    "newest", "latest_at", "message_count", "unseen_count", "placed_count", "is_flagged",
    "has_attachment", "people", "subject", "preview", "seal", "seal_flag", "is_locked",
    "is_answered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Placed:
    """A shown placement with what its row needs of the message."""

    folder_id: int
    role: str
    account_id: int
    thread_id: int
    message_id: int
    at: datetime
    flags: int
    subject: str
    sender: Name
    recipients: dict[str, list[list[str]]]
    preview: str
    has_attachment: bool
    seal: str
    seal_flag: str
    is_locked: bool


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
    if rows:
        Conversation.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["folder", "thread"],
            update_fields=_UPDATED,
        )
    changes: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (folder_id, _thread), (_pk, unseen, count) in old.items():
        changes[folder_id][0] -= unseen
        changes[folder_id][1] -= count
        changes[folder_id][2] -= 1
    for row in rows.values():
        changes[row.folder_id][0] += row.unseen_count
        changes[row.folder_id][1] += row.placed_count
        changes[row.folder_id][2] += 1
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
    return [
        _Placed(
            folder_id=row[0], role=row[1], account_id=row[2], thread_id=row[3], message_id=row[4],
            at=row[5], flags=(row[6] | row[7]) & ~row[8], subject=row[9],
            sender=Name(row[10], row[11]), recipients=row[12], preview=row[13],
            has_attachment=row[14], seal=row[15], seal_flag=row[16], is_locked=row[17],
        )
        for row in rows
    ]  # fmt: skip


def _own_addresses(account_ids: Collection[int]) -> dict[int, set[str]]:
    own: dict[int, set[str]] = defaultdict(set)
    for pk, address in MailAccount.objects.filter(pk__in=account_ids).values_list("id", "address"):
        own[pk].add(address)
    identities = Identity.objects.filter(account_id__in=account_ids)
    for pk, address in identities.values_list("account_id", "address"):
        own[pk].add(address)
    return own


def _rows(
    placed: Iterable[_Placed], own: dict[int, set[str]]
) -> dict[tuple[int, int], Conversation]:
    """Build one row for each folder and thread."""
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
            rows[folder_id, thread_id] = _row(
                folder_id,
                thread_id,
                here,
                count=count,
                own=own[here[-1].account_id],
                thread=members,
            )
    return rows


def _row(
    folder_id: int,
    thread_id: int,
    here: list[_Placed],
    *,
    count: int,
    own: set[str],
    thread: list[_Placed],
) -> Conversation:
    newest = here[-1]
    return Conversation(
        folder_id=folder_id,
        thread_id=thread_id,
        newest_id=newest.message_id,
        latest_at=newest.at,
        message_count=count,
        placed_count=len(here),
        unseen_count=sum(not one.flags & Flag.SEEN for one in here),
        is_flagged=any(one.flags & Flag.FLAGGED for one in here),
        has_attachment=any(one.has_attachment for one in here),
        people=_people(newest, thread, own),
        subject=newest.subject,
        preview=newest.preview,
        seal=newest.seal,
        seal_flag=newest.seal_flag,
        is_locked=newest.is_locked,
        is_answered=bool(newest.flags & Flag.ANSWERED),
    )


def _people(newest: _Placed, thread: list[_Placed], own: set[str]) -> str:
    if newest.role in _WRITTEN:
        named = [*newest.recipients.get("to", ()), *newest.recipients.get("cc", ())]
        return recipient_words([Name(pair[0], pair[1]) for pair in named if len(pair) == 2])
    is_apart = newest.role in _APART
    senders = [one.sender for one in thread if is_apart or one.role not in _APART]
    return sender_words(senders or [newest.sender], own=own)
