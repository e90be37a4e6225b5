"""Bringing an account's mirror up to date: first paint, visits, backfill.

first_paint (interactive lane): list of folders, INBOX's newest 50, on the page within a second.
sync_account (sync lane): one list with counters, a visit to each folder that changed, then windows
downwards. One lease an account; between two windows whatever a watcher woke is visited first, so
that new mail never waits for a backfill. A slice ends after 30 s and posts itself again.
"""

import logging
import time
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import lanes
from accounts.lanes import Lease
from accounts.models import MailAccount
from webmail.imap import CommandRefused, ImapError, Session, UidSet
from webmail.mailbox import delta, folder_list, mirror, outcomes, previews, sessions, visiting
from webmail.mailbox.folder_list import KnownFolder
from webmail.mailbox.models import Folder

logger = logging.getLogger(__name__)

LANE = "sync"
SLICE_SECONDS = 30.0
LEASE_SECONDS = 90
# A window is as large as can be written in this time: a click waits no longer for it. Below the
# smallest, what each window costs by itself would take longer than its rows.
WINDOW_SECONDS = 0.4
SMALLEST_WINDOW, LARGEST_WINDOW = 250, 2_000
# UIDs asked about at once while looking for the next window, so that replies stay small.
SEARCH_SPAN = 50_000
# Rows that get a preview during backfill; further down the reader sets it when a mail is opened.
PREVIEWED = 500


@dataclass(slots=True)
class Slice:
    """A turn of work: until when, under which lease, how large windows are."""

    until: float
    lease: Lease
    window: int = 250
    renewed_at: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the turn ended or somebody else took the lane."""
        now = time.monotonic()
        if now >= self.until:
            return True
        if now - self.renewed_at > LEASE_SECONDS / 4:
            self.renewed_at = now
            return not self.lease.renew()
        return False

    def learn(self, seconds: float) -> None:
        """Choose the next window's size by how long writing the last one took."""
        factor = min(2.0, max(0.5, WINDOW_SECONDS / max(seconds, 0.01)))
        self.window = min(LARGEST_WINDOW, max(SMALLEST_WINDOW, int(self.window * factor)))


def account_to_work_on(account_id: int) -> MailAccount | None:
    """Return the account with its server, None when it is gone or not to be used."""
    account = MailAccount.objects.select_related("server", "user").filter(pk=account_id).first()
    unusable = {MailAccount.State.PAUSED, MailAccount.State.AUTH_FAILED}
    if account is None or account.state in unusable or not account.server.is_enabled:
        return None
    return account


def first_paint(account_id: int) -> None:
    """Put the newest 50 of INBOX on the page, then hand over to the sync lane.

    Ends quietly when the server cannot be used: the account's state says so. Safe to run twice.
    """
    account = account_to_work_on(account_id)
    if account is None:
        return
    try:
        with sessions.imap_session(account) as session:
            known = folder_list.refresh(account, session, with_status=False)
            inbox = next((one.row for one in known if one.row.role == Folder.Role.INBOX), None)
            if inbox is not None and inbox.window_low_uid is None:
                visiting.visit(account, inbox, session)
            sessions.note_success(account, session)
    except (ImapError, sessions.AccountUnusable) as error:
        _note_refusal(account, error)
        logger.info("event=first-paint-failed account=%d", account_id)
        return
    lanes.post("mailbox.sync_account", account_id, lane=LANE)


def sync_account(account_id: int, *, slice_seconds: float = SLICE_SECONDS) -> None:
    """Visit every folder that changed, then go on with the backfill. Safe to run twice.

    Ends quietly when another worker is at it or the server cannot be used.
    """
    account = account_to_work_on(account_id)
    if account is None:
        return
    with lanes.lease(account, LANE, LEASE_SECONDS) as lease:
        if lease is None:
            return
        turn = Slice(time.monotonic() + slice_seconds, lease)
        try:
            with sessions.imap_session(account, probe=True) as session:
                is_finished = _sync(account, session, turn)
                sessions.note_success(account, session)
        except (ImapError, sessions.AccountUnusable) as error:
            _note_refusal(account, error)
            logger.info("event=sync-failed account=%d", account_id)
            return
        mirror.purge_gone(account_id)
        outcomes.drop_stray_landings(account_id)
    if not is_finished:
        lanes.post("mailbox.sync_account", account_id, lane=LANE)
    else:
        _post_woken(account_id)


def sync_folder(
    account: MailAccount, folder_id: int, *, slice_seconds: float = SLICE_SECONDS
) -> None:
    """Visit one folder until its newest wake-up is served. Safe to run twice.

    When another worker holds the lane, that one sees the wake-up before it lets go.
    """
    with lanes.lease(account, LANE, LEASE_SECONDS) as lease:
        if lease is None:
            return
        folder = Folder.objects.filter(pk=folder_id, account=account, gone_at=None).first()
        if folder is None or not folder.is_selectable:
            return
        try:
            with sessions.imap_session(account, probe=True) as session:
                _visit(account, folder, session)
                _visit_woken(account, session, Slice(time.monotonic() + slice_seconds, lease))
                sessions.note_success(account, session)
        except (ImapError, sessions.AccountUnusable):
            logger.info("event=sync-failed account=%d folder=%d", account.pk, folder_id)
            return
    _post_woken(account.pk)


def _note_refusal(account: MailAccount, error: Exception) -> None:
    """Say in the account's state that the server refused what no sync can do without."""
    if isinstance(error, CommandRefused):
        sessions.note_failure(account, error)


def wake(folders: QuerySet[Folder]) -> None:
    """Raise the wake number of these folders: whoever syncs them must look once more."""
    folders.update(wake_seq=F("wake_seq") + 1)


def wake_and_post(folder: Folder) -> None:
    """Wake one folder and post its visit."""
    wake(Folder.objects.filter(pk=folder.pk))
    lanes.post("mailbox.sync_folder", folder.pk, lane=LANE)


def _woken(account_id: int) -> QuerySet[Folder]:
    return Folder.objects.filter(
        account_id=account_id, gone_at=None, is_selectable=True, wake_seq__gt=F("synced_seq")
    )


def _post_woken(account_id: int) -> None:
    """After the lease is free: a wake-up that came too late for this turn gets one of its own."""
    for folder_id in _woken(account_id).values_list("id", flat=True)[:20]:
        lanes.post("mailbox.sync_folder", folder_id, lane=LANE)


def _sync(account: MailAccount, session: Session, turn: Slice) -> bool:
    """Work on the account until all is done (True) or the turn is over."""
    known = folder_list.refresh(account, session)
    for one in known:
        if turn.is_over:
            return False
        if _needs_visit(one):
            _visit(account, one.row, session)
    unfinished = [one.row for one in known if not one.row.is_backfilled and one.row.uidvalidity]
    return all(_backfill(account, folder, session, turn) for folder in unfinished)


def _needs_visit(one: KnownFolder) -> bool:
    if one.row.wake_seq > one.row.synced_seq:
        return True
    if one.row.renumbered_count >= visiting.MOST_RENUMBERINGS and one.row.renumbered_at:
        return timezone.now() - one.row.renumbered_at > visiting.RENUMBERED_REST
    return delta.needs_visit(visiting.known_of(one.row), one.status)


def _visit(account: MailAccount, folder: Folder, session: Session) -> None:
    try:
        visiting.visit(account, folder, session)
    except CommandRefused as refused:
        _pass_over(account, folder, refused)
        visiting.save(folder, synced_seq=folder.wake_seq)


def _pass_over(account: MailAccount, folder: Folder, refused: CommandRefused) -> None:
    """Listed and yet not to be opened or read (rights, a broken index): the others go on."""
    logger.warning(
        "event=folder-refused account=%d folder=%d command=%s",
        account.pk, folder.pk, refused.command,
    )  # fmt: skip


def _visit_woken(account: MailAccount, session: Session, turn: Slice) -> None:
    while not turn.is_over and (woken := list(_woken(account.pk)[:50])):
        for folder in woken:
            _visit(account, folder, session)


def _backfill(account: MailAccount, folder: Folder, session: Session, turn: Slice) -> bool:
    """Mirror a folder to its oldest message; False when the turn ended before."""
    try:
        return _windows(account, folder, session, turn)
    except CommandRefused as refused:
        _pass_over(account, folder, refused)
        return True


def _windows(account: MailAccount, folder: Folder, session: Session, turn: Slice) -> bool:
    """Mirror windows downwards; False when the turn ended before the last. Raises ImapError."""
    folder.refresh_from_db()
    # What the server had selected is another folder after a visit to a woken one.
    is_selected = False
    mirrored = 0
    below = _Below()
    while not folder.is_backfilled:
        if turn.is_over:
            return False
        if _woken(account.pk).exists():
            _visit_woken(account, session, turn)
            is_selected = False
            below = _Below()
            folder.refresh_from_db()
        if not is_selected:
            selected = session.select(visiting.path_of(folder))
            if selected.uidvalidity != folder.uidvalidity:
                return True  # renumbered meanwhile: the next visit begins it anew
            is_selected = True
        window, low = below.window(folder, session, turn.window)
        rows = session.rows(window) if window else []
        started = time.monotonic()
        message_ids = mirror.write_rows(account, folder, rows, is_new=False)
        visiting.save(folder, window_low_uid=low, is_backfilled=low <= 1)
        turn.learn(time.monotonic() - started)
        mirrored += len(message_ids)
        if mirrored <= PREVIEWED:
            previews.fill(account, folder, session, message_ids)
    mirror.drop_orphans(account, folder)
    return True


class _Below:
    """The UIDs below a folder's mirror: found many at once, handed out in windows downwards."""

    def __init__(self) -> None:
        self._uids: list[int] = []  # ascending; nothing else exists from `_bottom` on
        self._bottom = 1

    def window(self, folder: Folder, session: Session, size: int) -> tuple[UidSet, int]:
        """Return (the UIDs of the next window, the folder's low end once they are mirrored)."""
        high = (folder.window_low_uid or 1) - 1
        if high < 1:
            return UidSet(), 1
        if not self._uids:
            self._bottom = max(1, high - SEARCH_SPAN + 1)
            self._uids = list(session.uids(self._bottom, high))
        chosen = self._uids[-size:]
        del self._uids[-size:]
        return UidSet.of(chosen), chosen[0] if self._uids else self._bottom
