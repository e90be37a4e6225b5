"""IMAP sessions of mail accounts: opened, kept warm for a minute, and what their failure means.

A process keeps at most one idle session for each account, so that a click does not pay for TLS and
signing in. What a server refuses although it offers it is remembered, by server.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts import credentials
from accounts.models import MailAccount
from accounts.sealing import SealBroken
from webmail.imap import AuthFailed, ConnectFailed, Deadlines, ImapError, Session
from webmail.mailbox import plans
from webmail.mailbox.changes import announce

logger = logging.getLogger(__name__)

KEPT_SECONDS = 60.0
PROBED_AFTER = 10.0  # seconds idle after which a kept session is asked whether it lives
MOST_KEPT = 200
DIALLED_AGAIN_WITHIN = 2.0  # seconds; a server that takes longer to fail is away
# After so many refusals the password counts as changed; trying on would lock the person out.
MOST_AUTH_FAILURES = 3
DEADLINES = Deadlines()
_State = MailAccount.State


class AccountUnusable(Exception):  # noqa: N818
    """The account is paused, or its password is known not to work; nothing was dialled."""


@dataclass(slots=True)
class _Kept:
    session: Session
    since: float


_kept: dict[int, _Kept] = {}
_refused: dict[int, set[str]] = {}
_guard = threading.Lock()


@contextmanager
def imap_session(
    account: MailAccount, *, keep: bool = True, probe: bool = False
) -> Iterator[Session]:
    """Give a signed-in session for the block; that none could be had, or that it was lost, becomes
    the account's state. A server that answers, if only with a refusal, is not away.

    probe: ask a kept session whether it lives, and have it take note of changes, even if it was
    used a moment ago: counters of a selected folder are those of its last look (RFC 9051 §6.3.11).
    `account` has its server loaded. Raises AccountUnusable, and ImapError from the block.
    """
    session = _take(account.pk, probe=probe) if keep else None
    try:
        session = session or connect(account)
        yield session
    except ImapError as error:
        is_refusal = session is not None and session.is_open
        _give_back(account, session, keep=keep)
        if not is_refusal:
            note_failure(account, error)
        raise
    except BaseException:
        if session is not None:
            session.abandon()
        raise
    else:
        _give_back(account, session, keep=keep)


def connect(account: MailAccount, *, deadlines: Deadlines = DEADLINES) -> Session:
    """Open a new session. Raises AccountUnusable, ImapError."""
    if account.state in {_State.PAUSED, _State.AUTH_FAILED}:
        raise AccountUnusable(account.state)
    try:
        secret = credentials.for_account(account)
    except SealBroken as error:
        raise AuthFailed("The stored password cannot be opened. Sign in again.") from error
    endpoint = credentials.imap_endpoint(account.server)
    without = _refused.get(account.server_id, ())

    def dial() -> Session:
        return Session.open(endpoint, secret, deadlines=deadlines, without=without)

    started = time.monotonic()
    try:
        return dial()
    except ConnectFailed:
        # Busy servers drop a connection now and then before they greet; nothing was said on it.
        if time.monotonic() - started > DIALLED_AGAIN_WITHIN:
            raise
        return dial()


def avoid(server_id: int, features: set[str]) -> None:
    """Do without these features of a server from now on, in this process."""
    _refused[server_id] = _refused.get(server_id, set()) | features


def close_kept(account_id: int | None = None) -> None:
    """Close the kept session of an account, or all of them."""
    with _guard:
        ids = list(_kept) if account_id is None else [account_id]
        gone = [_kept.pop(pk) for pk in ids if pk in _kept]
    for one in gone:
        one.session.close()


def note_success(account: MailAccount, session: Session | None = None) -> None:
    """Write down that the server answered, and what it can do."""
    now = timezone.now()
    values: dict[str, object] = {
        "state": _State.ACTIVE,
        "last_sync_at": now,
        "last_error": "",
        "auth_failures": 0,
    }
    if session is not None:
        values["capabilities"] = sorted(session.capabilities)[:200]
        software = " ".join(session.server_id.get(key, "") for key in ("name", "version"))
        values["server_software"] = software.strip()[:200]
    was = account.state
    _write(account, values)
    if was != _State.ACTIVE:
        announce(account, kind="account")


def note_failure(account: MailAccount, error: ImapError) -> None:
    """Write down why the server could not be used; three refused passwords end the trying."""
    values: dict[str, object] = {
        "last_error": error.reason[:500].replace("\0", ""),
        "last_error_at": timezone.now(),
        "state": _State.UNREACHABLE,
    }
    if isinstance(error, AuthFailed):
        MailAccount.objects.filter(pk=account.pk).update(auth_failures=F("auth_failures") + 1)
        account.refresh_from_db(fields=["auth_failures"])
        if account.auth_failures >= MOST_AUTH_FAILURES:
            values["state"] = _State.AUTH_FAILED
    logger.warning("event=imap-failed account=%d kind=%s", account.pk, type(error).__name__)
    was = account.state
    _write(account, values)
    if was != values["state"]:
        announce(account, kind="account")


def back_off(account: MailAccount, *, now: datetime) -> timedelta:
    """Return how long to leave an unreachable server alone, by how long it has been away."""
    return plans.plan_rest(now - (account.last_sync_at or account.created_at))


def _write(account: MailAccount, values: dict[str, object]) -> None:
    rows = MailAccount.objects.filter(pk=account.pk).exclude(state=_State.PAUSED)
    rows.update(**values)
    for name, value in values.items():
        setattr(account, name, value)


def _take(account_id: int, *, probe: bool) -> Session | None:
    now = time.monotonic()
    with _guard:
        stale = [pk for pk, one in _kept.items() if now - one.since > KEPT_SECONDS]
        closing = [_kept.pop(pk).session for pk in stale]
        found = _kept.pop(account_id, None)
    for session in closing:
        session.abandon()
    if found is None or not found.session.is_open:
        return None
    found.session.renew()
    if probe or now - found.since > PROBED_AFTER:
        try:
            found.session.noop()
        except ImapError:
            found.session.abandon()
            return None
    return found.session


def _give_back(account: MailAccount, session: Session | None, *, keep: bool) -> None:
    if session is None:
        return
    if session.refused:
        avoid(account.server_id, set(session.refused))
    spare: Session | None = session
    if keep and session.is_open:
        with _guard:
            if account.pk not in _kept and len(_kept) < MOST_KEPT:
                _kept[account.pk] = _Kept(session, time.monotonic())
                spare = None
    if spare is not None:
        spare.close()
