"""Noticing new mail: IDLE on INBOX of every account somebody is using.

    due account ─lease─▶ opening (a few at once, in threads) ─▶ idling ─news─▶ wake number + hint
                                                                  ├ 25 min ─▶ IDLE again
                                                                  └ lost ─▶ opened again later

One selector waits on all connections; threads only open and renew them, because dialling blocks,
and never touch the database.
The watcher never reads mail: it raises the folder's wake number and posts mailbox.sync_folder.
Each account is leased in the database, so that a dead watcher's accounts go to another within
LEASE_SECONDS, and two watchers share the accounts between them.
"""

import logging
import random
import selectors
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from accounts import lanes
from accounts.lanes import Lease
from accounts.models import MailAccount
from webmail.imap import AuthFailed, Deadlines, Idling, ImapError, Session
from webmail.mailbox import schedule, sessions, sync, visiting
from webmail.mailbox.models import Folder

logger = logging.getLogger(__name__)

LANE = "watch"
LEASE_SECONDS = 60
RENEW_SECONDS = 20.0
LOOK_SECONDS = 5.0  # how often accounts that came into use are looked for
IDLE_SECONDS = 24 * 60.0  # re-issued before a server or a NAT forgets (RFC 2177); less a jitter
RETRY_SECONDS = 30.0
OPENERS = 8
MOST_ACCOUNTS = 2_000
_TICK = 1.0


@dataclass(slots=True)
class Watched:
    """One account's connection."""

    account_id: int
    inbox_id: int
    session: Session
    idling: Idling
    again_at: float  # time.monotonic() when IDLE is issued anew
    has_news: bool = True  # seen while it was opened or renewed


@dataclass(slots=True)
class _Held:
    lease: Lease
    stack: ExitStack


class Watcher:
    """`Watcher().run(should_stop)`; see the module docstring."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._held: dict[int, _Held] = {}
        self._watched: dict[int, Watched] = {}
        self._opening: dict[int, Future[Watched]] = {}
        self._not_before: dict[int, float] = {}
        self._pool = ThreadPoolExecutor(OPENERS, thread_name_prefix="open")
        self._looked_at = self._renewed_at = float("-inf")

    @property
    def watched_ids(self) -> set[int]:
        """Accounts whose INBOX is being waited on now."""
        return set(self._watched)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Watch until told to stop, then close every connection and give every lease back.

        A database that is away for a while is waited for.
        """
        try:
            while not should_stop():
                try:
                    self.step(_TICK)
                except DatabaseError:
                    logger.exception("event=watch-database-away")
                    close_old_connections()
                    time.sleep(_TICK)
        finally:
            self.close()

    def step(self, seconds: float) -> None:
        """Do what is due, then wait up to `seconds` for news."""
        now = time.monotonic()
        if now - self._renewed_at > RENEW_SECONDS:
            self._renewed_at = now
            self._renew()
        if now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            close_old_connections()
            self._look(now)
        self._take_opened()
        self._idle_again(now)
        for key, _events in self._selector.select(seconds if self._watched else 0.0):
            self._news(key.data)
        if not self._watched:
            time.sleep(min(seconds, 0.2))

    def close(self) -> None:
        """Close everything; quick, without waiting for servers."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._take_opened()
        for account_id in list(self._held):
            try:
                self._let_go(account_id)
            except DatabaseError:  # the lease runs out by itself
                logger.warning("event=watch-lease-kept account=%d", account_id)
        self._selector.close()

    # --- accounts ------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Take accounts that came into use, let go of those that are not used any more."""
        since = timezone.now() - schedule.USED_WITHIN
        rows = MailAccount.objects.filter(last_used_at__gt=since, server__is_enabled=True)
        rows = rows.select_related("server", "user").order_by("-last_used_at")
        moment = timezone.now()
        wanted = {
            one.pk: one for one in rows[:MOST_ACCOUNTS] if schedule.is_watched(one, now=moment)
        }
        for account_id in self._held.keys() - wanted.keys():
            self._let_go(account_id)
        for account_id, account in wanted.items():
            if account_id in self._watched or account_id in self._opening:
                continue
            if now < self._not_before.get(account_id, 0.0):
                continue
            inbox = Folder.objects.filter(
                account=account, role=Folder.Role.INBOX, gone_at=None
            ).first()
            if inbox is not None and (account_id in self._held or self._take(account)):
                self._opening[account_id] = self._pool.submit(_open, account, inbox)

    def _take(self, account: MailAccount) -> bool:
        stack = ExitStack()
        lease = stack.enter_context(lanes.lease(account, LANE, LEASE_SECONDS))
        if lease is None:
            stack.close()
            return False
        self._held[account.pk] = _Held(lease, stack)
        return True

    def _renew(self) -> None:
        for account_id, held in list(self._held.items()):
            if not held.lease.renew():  # this process slept too long: another watches now
                logger.warning("event=watch-lost account=%d", account_id)
                self._let_go(account_id)

    def _let_go(self, account_id: int) -> None:
        self._drop(account_id)
        held = self._held.pop(account_id, None)
        if held is not None:
            held.stack.close()

    def _drop(self, account_id: int) -> None:
        """Close an account's connection at once; its lease stays."""
        watched = self._watched.pop(account_id, None)
        if watched is not None:
            self._selector.unregister(watched.idling)
            watched.session.abandon()

    # --- connections ---------------------------------------------------------------------------

    def _take_opened(self) -> None:
        for account_id, future in list(self._opening.items()):
            if not future.done():
                continue
            del self._opening[account_id]
            try:
                watched = future.result()
            except (ImapError, sessions.AccountUnusable, CancelledError) as error:
                self._not_before[account_id] = time.monotonic() + RETRY_SECONDS
                _note(account_id, error)
                continue
            except Exception:
                # A fault of ours with one account: the others are watched on.
                self._not_before[account_id] = time.monotonic() + RETRY_SECONDS
                logger.exception("event=watch-broke account=%d", account_id)
                continue
            if account_id not in self._held:
                watched.session.abandon()
                continue
            self._watched[account_id] = watched
            self._selector.register(watched.idling, selectors.EVENT_READ, watched)
            if watched.has_news:
                _wake(watched.inbox_id)

    def _news(self, watched: Watched) -> None:
        if self._watched.get(watched.account_id) is not watched:
            return
        try:
            events = watched.idling.events(timeout=0)
        except ImapError:
            self._drop(watched.account_id)
            # What arrived between the loss and the next IDLE must not wait for the poll.
            _wake(watched.inbox_id)
            return
        if events:
            _wake(watched.inbox_id)

    def _idle_again(self, now: float) -> None:
        for account_id, watched in list(self._watched.items()):
            if now >= watched.again_at:
                self._watched.pop(account_id)
                self._selector.unregister(watched.idling)
                self._opening[account_id] = self._pool.submit(_renewed, watched)


def _open(account: MailAccount, inbox: Folder) -> Watched:
    """Connect and start IDLE on INBOX. Runs in a thread. Raises ImapError, AccountUnusable.

    Mail that came before IDLE began gives no news: has_news says so.
    """
    session = sessions.connect(account, deadlines=Deadlines(total=None))
    try:
        session.select(visiting.path_of(inbox))
        idling = session.idling()
        idling.__enter__()
    except BaseException:
        session.abandon()
        raise
    return Watched(account.pk, inbox.pk, session, idling, _again_at())


def _renewed(watched: Watched) -> Watched:
    """End an IDLE and start the next one. Runs in a thread. Raises ImapError."""
    try:
        watched.idling.__exit__(None, None, None)
        watched.has_news = bool(watched.session.noop())
        watched.idling = watched.session.idling()
        watched.idling.__enter__()
    except BaseException:
        watched.session.abandon()
        raise
    watched.again_at = _again_at()
    return watched


def _note(account_id: int, error: BaseException) -> None:
    """Write down why an account cannot be watched; it is polled instead."""
    logger.info("event=watch-failed account=%d kind=%s", account_id, type(error).__name__)
    account = MailAccount.objects.select_related("user").filter(pk=account_id).first()
    # Refusing IDLE, or a connection lost while it was quiet, says nothing about the account.
    if account is not None and isinstance(error, AuthFailed):
        sessions.note_failure(account, error)


def _again_at() -> float:
    return time.monotonic() + IDLE_SECONDS - random.uniform(0, timedelta(minutes=4).seconds)  # noqa: S311  (a jitter)


def _wake(folder_id: int) -> None:
    folder = Folder.objects.filter(pk=folder_id).first()
    if folder is not None:
        sync.wake_and_post(folder)
