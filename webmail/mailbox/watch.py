"""Noticing new mail: IDLE on INBOX of every account somebody is using.

    due account ─lease─▶ opening (a few at once, in threads) ─▶ idling ─news─▶ wake number + hint
                                                                  ├ 25 min ─▶ IDLE again
                                                                  └ lost ─▶ opened again later

One selector waits on all connections; threads only open and renew them, because dialling blocks.
The watcher never reads mail: it raises the folder's wake number and posts mailbox.sync_folder.
Each account is leased in the database, so that a dead watcher's accounts go to another within
LEASE_SECONDS, and two watchers share the accounts between them.
"""

import logging
import random
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from django.db import close_old_connections, connections
from django.utils import timezone

from accounts import lanes
from accounts.lanes import Lease
from accounts.models import MailAccount
from webmail.imap import CommandRefused, Deadlines, Idling, ImapError, Session
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
        self._opening: dict[int, Future[Watched | None]] = {}
        self._not_before: dict[int, float] = {}
        self._pool = ThreadPoolExecutor(OPENERS, thread_name_prefix="open")
        self._looked_at = self._renewed_at = float("-inf")

    @property
    def watched_ids(self) -> set[int]:
        """Accounts whose INBOX is being waited on now."""
        return set(self._watched)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Watch until told to stop, then close every connection and give every lease back."""
        try:
            while not should_stop():
                self.step(_TICK)
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
            self._let_go(account_id)
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
            if account_id in self._held or self._take(account):
                self._opening[account_id] = self._pool.submit(_open, account)

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
            watched = None if future.cancelled() else future.result()
            if watched is None:
                self._not_before[account_id] = time.monotonic() + RETRY_SECONDS
            elif account_id not in self._held:
                watched.session.abandon()
            else:
                self._watched[account_id] = watched
                self._selector.register(watched.idling, selectors.EVENT_READ, watched)

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


def _open(account: MailAccount) -> Watched | None:
    """Connect and start IDLE on INBOX; None when that is not possible now. Runs in a thread."""
    session: Session | None = None
    try:
        inbox = Folder.objects.filter(account=account, role=Folder.Role.INBOX, gone_at=None).first()
        if inbox is None:  # the first paint has not been yet
            return None
        session = sessions.connect(account, deadlines=Deadlines(total=None))
        if not session.has("IDLE"):
            session.close()
            return None
        session.select(visiting.path_of(inbox))
        idling = session.idling()
        idling.__enter__()
        # Mail that came before IDLE began gives no news.
        _wake(inbox.pk)
        return Watched(account.pk, inbox.pk, session, idling, _again_at())
    except CommandRefused:
        logger.warning("event=watch-refused account=%d", account.pk)
    except ImapError as error:
        sessions.note_failure(account, error)
    except sessions.AccountUnusable:
        logger.info("event=watch-unusable account=%d", account.pk)
    finally:
        connections.close_all()
    if session is not None:
        session.abandon()
    return None


def _renewed(watched: Watched) -> Watched | None:
    """End an IDLE and start the next one. Runs in a thread."""
    try:
        watched.session.renew()
        watched.idling.__exit__(None, None, None)
        if watched.session.noop():
            _wake(watched.inbox_id)
        watched.idling = watched.session.idling()
        watched.idling.__enter__()
    except ImapError:
        watched.session.abandon()
        return None
    finally:
        connections.close_all()
    watched.again_at = _again_at()
    return watched


def _again_at() -> float:
    return time.monotonic() + IDLE_SECONDS - random.uniform(0, timedelta(minutes=4).seconds)  # noqa: S311  (a jitter)


def _wake(folder_id: int) -> None:
    folder = Folder.objects.filter(pk=folder_id).first()
    if folder is not None:
        sync.wake_and_post(folder)
