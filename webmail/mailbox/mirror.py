"""Writing what the server said into the mirror: windows of rows, flags, removals.

Each function is one idempotent transaction under the account's lock: repeating it, or running it
twice at once, leaves the same rows. What people asked for and the server has not done yet stays on
top (`pending_add`, `pending_remove`, `is_leaving`), so that news from the server never flickers.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from operator import attrgetter, itemgetter

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import MailAccount
from webmail.imap import FetchedRow, FlagRow
from webmail.mailbox import blobs, bulk, conversations, search_index, threads
from webmail.mailbox.changes import announce
from webmail.mailbox.facts import MessageFacts, read_row
from webmail.mailbox.flags import bits_of
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Flag, Folder, Message, Placement
from webmail.mailbox.signals import messages_mirrored

# How long a message that is gone from one folder may take to show up in another (S4, S6).
GRACE = timedelta(minutes=10)
_AT_ONCE = 500


@dataclass(slots=True)
class _Window:
    """What one window changes. placed: (INTERNALDATE, message's row id) of each new placement."""

    folder: Folder
    placed: list[tuple[datetime, int]] = field(default_factory=list)
    changed: list[Placement] = field(default_factory=list)
    thread_ids: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)


def write_rows(
    account: MailAccount, folder: Folder, rows: Sequence[FetchedRow], *, is_new: bool
) -> list[int]:
    """Mirror a window of a folder; returns the row ids of messages placed, newest first.

    Does nothing when the folder was renumbered meanwhile (its generation moved on).
    """
    arrivals = [read_row(row) for row in rows]
    with mirror_lock(account.pk):
        current = Folder.objects.filter(pk=folder.pk, generation=folder.generation).first()
        if current is None or not arrivals:
            return []
        window = _Window(current)
        fresh = _update_known(window, arrivals)
        _place(account.pk, window, fresh)
        touched = conversations.refresh(window.thread_ids)
        threads.delete_empty(window.joined)
        newest = sorted(window.placed, key=itemgetter(0), reverse=True)
        message_ids = [message_id for _at, message_id in newest]
        if touched:
            announce(account, folder_ids=touched, kind="folder")
        if message_ids:
            transaction.on_commit(partial(_tell, account, message_ids, is_new=is_new))
    return message_ids


def _tell(account: MailAccount, message_ids: list[int], *, is_new: bool) -> None:
    messages_mirrored.send(
        sender=MailAccount, account=account, message_ids=message_ids, is_new=is_new
    )


def _update_known(window: _Window, arrivals: list[MessageFacts]) -> list[MessageFacts]:
    """Bring placements that have rows up to date; returns the others."""
    known = {
        one.uid: one
        for one in _with_uids(window.folder, [facts.uid for facts in arrivals]).select_related(
            "message"
        )
    }
    fresh = []
    for facts in arrivals:
        placement = known.get(facts.uid)
        if placement is None:
            fresh.append(facts)
        elif _take_flags(placement, facts.flags, facts.keywords, facts.modseq):
            window.changed.append(placement)
            window.thread_ids.add(placement.message.thread_id)
    _save_flags(window.changed)
    return fresh


def _place(account_id: int, window: _Window, fresh: list[MessageFacts]) -> None:
    """Give new UIDs a placement: of a message known from elsewhere, or of a new one."""
    known = _known_messages(account_id, fresh)
    here = _placements_here(window.folder, {pk for found in known.values() for pk in found})
    taken = {
        one.message_id for one in here if one.uid is not None and _is_current(one, window.folder)
    }
    waiting: dict[int, list[Placement]] = defaultdict(list)
    for one in here:
        if one.uid is None or one.generation != window.folder.generation:
            waiting[one.message_id].append(one)
    unknown: list[MessageFacts] = []
    made: list[tuple[MessageFacts, int]] = []
    adopted: list[Placement] = []
    for facts in fresh:
        # Two placements of one folder never share a message: a forged copy must not hide one.
        message_id = next((pk for pk in _candidates(known, facts) if pk not in taken), None)
        if message_id is None:
            unknown.append(facts)
            continue
        taken.add(message_id)
        if waiting[message_id]:
            adopted.append(_adopt(window.folder, waiting[message_id].pop(0), facts))
        else:
            made.append((facts, message_id))
    old = {one.message_id for one in adopted} | {message_id for _facts, message_id in made}
    made += zip(unknown, _make_messages(account_id, window, unknown), strict=True)
    _save_adopted(adopted)
    _make_placements(window.folder, made)
    window.placed += [(one.internal_date, one.message_id) for one in adopted]
    window.placed += [(facts.internal_date, message_id) for facts, message_id in made]
    if old:
        rows = Message.objects.filter(pk__in=old)
        window.thread_ids |= set(rows.values_list("thread_id", flat=True))


# Columns of Message that are facts of the same name.
_COPIED = (
    "message_id", "content_key", "email_id", "subject", "from_name", "from_address", "recipients",
    "date", "internal_date", "size", "in_reply_to", "references", "list_id", "structure",
    "has_attachment", "is_secured",
)  # fmt: skip
_copied = attrgetter(*_COPIED)


def _make_messages(account_id: int, window: _Window, unknown: list[MessageFacts]) -> list[int]:
    """Write new messages with their words in the index; returns their row ids."""
    if not unknown:
        return []
    thread_ids, window.joined = threads.assign(account_id, unknown)
    window.thread_ids |= window.joined | set(thread_ids)
    ids = bulk.reserve_ids(Message, len(unknown))
    bulk.insert(
        Message,
        ("id", "account_id", "thread_id", *_COPIED),
        (
            (pk, account_id, thread_id, *_copied(facts))
            for pk, thread_id, facts in zip(ids, thread_ids, unknown, strict=True)
        ),
    )
    search_index.add_new(account_id, zip(ids, unknown, strict=True))
    return ids


def _make_placements(folder: Folder, made: list[tuple[MessageFacts, int]]) -> None:
    bulk.insert(
        Placement,
        (
            "folder_id", "message_id", "uid", "generation", "internal_date", "flags", "keywords",
            "modseq",
        ),
        (
            (
                folder.pk, message_id, facts.uid, folder.generation, facts.internal_date,
                facts.flags, facts.keywords, facts.modseq,
            )
            for facts, message_id in made
        ),
    )  # fmt: skip


def _adopt(folder: Folder, placement: Placement, facts: MessageFacts) -> Placement:
    """Give a placement that waited for its UID (a move, a renumbered folder) the one it got."""
    placement.uid = facts.uid
    placement.generation = folder.generation
    placement.internal_date = facts.internal_date
    placement.gone_at = None
    _take_flags(placement, facts.flags, facts.keywords, facts.modseq)
    return placement


def _save_adopted(adopted: list[Placement]) -> None:
    Placement.objects.bulk_update(
        adopted,
        ["uid", "generation", "internal_date", "gone_at", "flags", "keywords", "modseq"],
        batch_size=_AT_ONCE,
    )


def _known_messages(account_id: int, fresh: list[MessageFacts]) -> dict[str, list[int]]:
    """Row ids of messages that may be the same mail, by EMAILID and by content key."""
    found: dict[str, list[int]] = defaultdict(list)
    for some in batched(fresh, _AT_ONCE, strict=False):
        same = Q(content_key__in=[facts.content_key for facts in some])
        ids = [facts.email_id for facts in some if facts.email_id]
        if ids:
            same |= Q(email_id__in=ids)
        rows = Message.objects.filter(same, account_id=account_id).order_by("id")
        for pk, email_id, content_key in rows.values_list("id", "email_id", "content_key"):
            found[content_key].append(pk)
            if email_id:
                found[f"email-id:{email_id}"].append(pk)
    return found


def _candidates(known: dict[str, list[int]], facts: MessageFacts) -> Iterable[int]:
    if facts.email_id:  # RFC 8474 §5.1: the same EMAILID means the same bytes
        yield from known.get(f"email-id:{facts.email_id}", ())
    yield from known.get(facts.content_key, ())


def _placements_here(folder: Folder, message_ids: Collection[int]) -> list[Placement]:
    found: list[Placement] = []
    for some in batched(sorted(message_ids), _AT_ONCE, strict=False):
        found += Placement.objects.filter(folder=folder, message_id__in=some).order_by("id")
    return found


def _is_current(placement: Placement, folder: Folder) -> bool:
    return placement.generation == folder.generation and placement.gone_at is None


def write_flags(account: MailAccount, folder: Folder, rows: Iterable[FlagRow]) -> int:
    """Take over flags of messages that have rows; returns how many changed.

    Ascending by mod-sequence, so that a crash leaves no gap below the highest one written.
    """
    changed = 0
    ordered = sorted(rows, key=lambda row: row.modseq or 0)
    for some in batched(ordered, _AT_ONCE, strict=False):
        with mirror_lock(account.pk):
            by_uid = {row.uid: row for row in some}
            found = list(_with_uids(folder, list(by_uid)).select_related("message"))
            moved = [
                one
                for one in found
                if one.uid is not None
                and _take_flags(one, *bits_of(by_uid[one.uid].flags), by_uid[one.uid].modseq or 0)
            ]
            _save_flags(moved)
            changed += len(moved)
            touched = conversations.refresh({one.message.thread_id for one in moved})
            if touched:
                announce(account, folder_ids=touched, kind="folder")
    return changed


def _with_uids(folder: Folder, uids: Collection[int]) -> QuerySet[Placement]:
    return Placement.objects.filter(folder=folder, generation=folder.generation, uid__in=uids)


def _take_flags(placement: Placement, flags: int, keywords: list[str], modseq: int) -> bool:
    """Take over the server's flags; False when they are what the row says already."""
    if (
        placement.flags == flags
        and placement.keywords == keywords
        and placement.gone_at is None
        and placement.modseq >= modseq
    ):
        return False
    if placement.flags & Flag.DELETED and not flags & Flag.DELETED:
        placement.is_leaving = False  # somebody took the removal back on the server
    placement.flags = flags
    placement.keywords = keywords
    placement.modseq = max(modseq, placement.modseq)
    placement.gone_at = None
    return True


def _save_flags(placements: list[Placement]) -> None:
    Placement.objects.bulk_update(
        placements, ["flags", "keywords", "modseq", "gone_at", "is_leaving"], batch_size=_AT_ONCE
    )


def mark_gone(account: MailAccount, folder: Folder, uids: Collection[int]) -> int:
    """Hide messages that are not on the server any more; returns how many were shown until now.

    They are deleted after the grace, unless they turn up in another folder before.
    """
    hidden = 0
    for some in batched(uids, _AT_ONCE, strict=False):
        with mirror_lock(account.pk):
            gone = _with_uids(folder, some).filter(gone_at=None)
            thread_ids = set(gone.values_list("message__thread_id", flat=True))
            hidden += gone.update(gone_at=timezone.now())
            touched = conversations.refresh(thread_ids)
            if touched:
                announce(account, folder_ids=touched, kind="folder")
    return hidden


def purge_gone(account_id: int, *, limit: int = 2_000) -> int:
    """Delete what has been gone for longer than the grace, with messages that are nowhere now."""
    with mirror_lock(account_id):
        due = Placement.objects.filter(
            folder__account_id=account_id, gone_at__lt=timezone.now() - GRACE
        )
        found = list(due.values_list("id", "message_id")[:limit])
        if found:
            delete_placements([pk for pk, _message in found], {message for _pk, message in found})
    return len(found)


def delete_placements(ids: Collection[int], message_ids: Collection[int]) -> None:
    """Delete placements, then messages without any, then empty threads (under the lock)."""
    Placement.objects.filter(pk__in=ids).delete()
    held = Placement.objects.filter(message_id__in=message_ids).values_list("message_id", flat=True)
    nowhere = Message.objects.filter(pk__in=set(message_ids) - set(held))
    thread_ids = set(Message.objects.filter(pk__in=message_ids).values_list("thread_id", flat=True))
    # Rows point at their newest message: rebuild them before it goes.
    conversations.refresh(thread_ids)
    leaving = list(nowhere.values_list("id", flat=True))
    blobs.drop_of_messages(leaving)
    search_index.remove(leaving)
    nowhere.delete()
    threads.delete_empty(thread_ids)


def begin_generation(account: MailAccount, folder: Folder, *, uidvalidity: int) -> None:
    """Note that the server renumbered a folder (S5): its rows wait to be recognised again."""
    now = timezone.now()
    with mirror_lock(account.pk):
        locked = Folder.objects.select_for_update(no_key=True).get(pk=folder.pk)
        if locked.uidvalidity == uidvalidity:
            return
        day_ago = now - timedelta(days=1)
        is_first = locked.renumbered_at is None or locked.renumbered_at < day_ago
        locked.renumbered_count = 1 if is_first else locked.renumbered_count + 1
        locked.renumbered_at = now if is_first else locked.renumbered_at
        locked.generation += 1
        locked.uidvalidity = uidvalidity
        locked.uidnext = 1
        locked.highestmodseq = None
        locked.window_low_uid = None
        locked.is_backfilled = False
        locked.flags_cursor_uid = None
        locked.save()


def drop_orphans(account: MailAccount, folder: Folder) -> None:
    """Delete rows of older generations that nothing on the server matched after a full pass."""
    while True:
        with mirror_lock(account.pk):
            orphans = Placement.objects.filter(
                folder=folder, generation__lt=folder.generation, uid__isnull=False
            )
            found = list(orphans.values_list("id", "message_id")[:_AT_ONCE])
            if not found:
                return
            delete_placements([pk for pk, _message in found], {message for _pk, message in found})
