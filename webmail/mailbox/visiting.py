"""One visit to one folder: bring its mirror up to what the server holds above the window's low end.

select ─▶ plan_delta ─┬─ renumbered ─▶ new generation ─▶ first window
                      ├─ nothing yet ─▶ first window: the 50 newest, by sequence number
                      └─ else ─▶ new rows ─▶ flags ─▶ removals ─▶ state saved
                                              (state last: a crash repeats the visit)
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from itertools import batched

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import MailAccount
from webmail.imap import FetchedRow, Selected, Session, UidSet
from webmail.mailbox import delta, mirror, previews
from webmail.mailbox.delta import Delta, FlagsBy, Known
from webmail.mailbox.models import Folder, Placement

logger = logging.getLogger(__name__)

FIRST_WINDOW = 50
NEW_WINDOW = 250
# Without mod-sequences (S3): the newest at each visit, more every ten minutes, all in a day.
SCAN_NEWEST = 200
SCAN_RECENT = 2_000
SCAN_RECENT_EVERY = timedelta(minutes=10)
SCAN_SLICE = 5_000
COMPARE_SLICE = 5_000
# A server that renumbers a folder this often a day is not chased any more (S5).
MOST_RENUMBERINGS = 5
RENUMBERED_REST = timedelta(days=1)


def visit(account: MailAccount, folder: Folder, session: Session) -> None:
    """Synchronise one folder above its window. Raises ImapError; CommandRefused if not openable."""
    seen_seq = folder.wake_seq
    known = known_of(folder)
    resync = None
    if folder.uidvalidity and folder.highestmodseq:
        resync = (folder.uidvalidity, folder.highestmodseq)
    selected = session.select(path_of(folder), qresync=resync)
    plan = delta.plan_delta(known, selected)
    if plan.is_renumbered:
        mirror.begin_generation(account, folder, uidvalidity=selected.uidvalidity)
        folder.refresh_from_db()
        if folder.renumbered_count >= MOST_RENUMBERINGS:
            logger.warning("event=server-renumbers account=%d folder=%d", account.pk, folder.pk)
    if plan.is_renumbered or plan.is_first:
        first_window(account, folder, session, selected, seen_seq=seen_seq)
        return
    highest = _new_rows(account, folder, session, plan.new_from, selected)
    _flags(account, folder, session, plan, selected)
    if plan.count_removed:
        _removals(account, folder, session, selected)
    save(
        folder,
        exists=selected.exists,
        uidnext=max(selected.uidnext or 0, highest + 1, folder.uidnext),
        highestmodseq=selected.highestmodseq,
        last_synced_at=timezone.now(),
        synced_seq=seen_seq,
    )


def known_of(folder: Folder) -> Known:
    """Return what the mirror knows of a folder."""
    return Known(
        uidvalidity=folder.uidvalidity,
        uidnext=folder.uidnext,
        highestmodseq=folder.highestmodseq,
        exists=folder.exists,
        low=folder.window_low_uid,
        is_backfilled=folder.is_backfilled,
    )


def path_of(folder: Folder) -> str | bytes:
    """Return the folder's name as an IMAP argument: as it was listed."""
    return bytes(folder.raw_path) or folder.path


def save(folder: Folder, **values: object) -> None:
    """Write a folder's state, unless it was renumbered meanwhile."""
    Folder.objects.filter(pk=folder.pk, generation=folder.generation).update(**values)
    for name, value in values.items():
        setattr(folder, name, value)


def first_window(
    account: MailAccount,
    folder: Folder,
    session: Session,
    selected: Selected,
    *,
    seen_seq: int = 0,
) -> list[int]:
    """Mirror the newest 50 of a folder just selected; returns the messages' row ids (S1).

    The mod-sequence kept is the one from before the window, so that changes during the backfill
    are replayed.
    """
    count = selected.exists
    rows: list[FetchedRow] = []
    if count:
        # Sequence numbers are right here only: nothing was removed since SELECT.
        rows = session.rows_by_sequence(max(1, count - FIRST_WINDOW + 1), count)
    message_ids = mirror.write_rows(account, folder, rows, is_new=False)
    uids = [row.uid for row in rows]
    is_whole = count <= FIRST_WINDOW
    save(
        folder,
        uidvalidity=selected.uidvalidity,
        uidnext=max(selected.uidnext or 1, max(uids, default=0) + 1),
        highestmodseq=selected.highestmodseq,
        exists=count,
        window_low_uid=1 if is_whole or not uids else min(uids),
        is_backfilled=is_whole,
        last_synced_at=timezone.now(),
        synced_seq=seen_seq,
    )
    if is_whole:
        mirror.drop_orphans(account, folder)
    previews.fill(account, folder, session, message_ids)
    return message_ids


def _new_rows(
    account: MailAccount, folder: Folder, session: Session, new_from: int | None, selected: Selected
) -> int:
    """Mirror arrivals, newest first; returns the highest UID seen."""
    if new_from is None:
        return 0
    if selected.uidnext is not None and selected.uidnext - new_from <= NEW_WINDOW:
        windows = [UidSet.span(new_from, max(selected.uidnext - 1, new_from))]
    else:
        arrived = session.uids(new_from)
        windows = list(arrived.slices(NEW_WINDOW))[::-1]
    highest = 0
    for window in windows:
        rows = [row for row in session.rows(window) if row.uid >= new_from]
        message_ids = mirror.write_rows(account, folder, rows, is_new=True)
        highest = max([highest, *(row.uid for row in rows)])
        previews.fill(account, folder, session, message_ids)
    return highest


def _flags(
    account: MailAccount, folder: Folder, session: Session, plan: Delta, selected: Selected
) -> None:
    low = folder.window_low_uid or 1
    match plan.flags:
        case FlagsBy.REPORT:
            mirror.write_flags(account, folder, selected.flag_changes)
            mirror.mark_gone(account, folder, _known_among(folder, selected.vanished or UidSet()))
        case FlagsBy.CHANGES:
            rows, vanished = session.changes((low, None), since=folder.highestmodseq or 0)
            mirror.write_flags(account, folder, rows)
            if vanished:
                mirror.mark_gone(account, folder, _known_among(folder, vanished))
        case FlagsBy.COMPARE:
            _compare_flags(account, folder, session, _local_uids(folder))
        case FlagsBy.SCAN:
            _scan(account, folder, session)
        case FlagsBy.NONE:
            pass


def _compare_flags(
    account: MailAccount, folder: Folder, session: Session, uids: Collection[int]
) -> None:
    """Ask for the flags of these UIDs; those the server does not answer for are gone."""
    for some in batched(uids, COMPARE_SLICE, strict=False):
        rows = session.flags(UidSet.of(some))
        mirror.write_flags(account, folder, rows)
        mirror.mark_gone(account, folder, sorted(set(some) - {row.uid for row in rows}))


def _scan(account: MailAccount, folder: Folder, session: Session) -> None:
    """Without mod-sequences: compare the newest flags, and one slice of the older ones."""
    now = timezone.now()
    is_wide = (
        folder.last_full_flags_at is None or folder.last_full_flags_at < now - SCAN_RECENT_EVERY
    )
    newest = _newest_uids(folder, SCAN_RECENT if is_wide else SCAN_NEWEST)
    _compare_flags(account, folder, session, newest)
    if not is_wide or not newest:
        return
    top = folder.flags_cursor_uid or min(newest)
    older = _uids_of(_live(folder).filter(uid__lt=top).order_by("-uid")[:SCAN_SLICE])
    _compare_flags(account, folder, session, sorted(older))
    # At the bottom the next round starts from the top again.
    cursor = min(older) if len(older) == SCAN_SLICE else None
    save(folder, last_full_flags_at=now, flags_cursor_uid=cursor)


def _removals(account: MailAccount, folder: Folder, session: Session, selected: Selected) -> None:
    """Find what was removed on the server, by counting (S4)."""
    low = 1 if folder.is_backfilled else folder.window_low_uid or 1
    here = _live(folder).filter(uid__gte=low).count()
    on_server = selected.exists if folder.is_backfilled else session.count(low)
    if here == on_server:
        return
    difference = delta.find_difference(
        _local_uids(folder), low=low, count=session.count, listed=session.uids
    )
    mirror.mark_gone(account, folder, difference.gone)
    for some in batched(difference.unknown, NEW_WINDOW, strict=False):
        mirror.write_rows(account, folder, session.rows(UidSet.of(some)), is_new=False)


def _live(folder: Folder) -> QuerySet[Placement]:
    return Placement.objects.filter(
        folder=folder, generation=folder.generation, uid__isnull=False, gone_at=None
    )


def _local_uids(folder: Folder) -> list[int]:
    return _uids_of(_live(folder).order_by("uid"))


def _newest_uids(folder: Folder, count: int) -> list[int]:
    return sorted(_uids_of(_live(folder).order_by("-uid")[:count]))


def _uids_of(rows: QuerySet[Placement]) -> list[int]:
    return [uid for uid in rows.values_list("uid", flat=True) if uid is not None]


def _known_among(folder: Folder, uids: UidSet) -> list[int]:
    """Return the UIDs of the set that have rows; a server may report ranges of millions."""
    if len(uids.ranges) > 100:
        return [uid for uid in _local_uids(folder) if uid in uids]
    chosen = Q(pk__in=[])
    for span in uids.ranges:
        chosen |= Q(uid__range=span)
    return _uids_of(_live(folder).filter(chosen))
