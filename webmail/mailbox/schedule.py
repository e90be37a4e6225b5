"""Which accounts are looked at without a hint, and how often.

Somebody at the page: every minute where the server has no IDLE, every five minutes otherwise (the
watcher only watches INBOX). Nobody there: hourly. A server that does not answer is left alone for
half the time it has been away, at most ten minutes.
"""

from datetime import datetime, timedelta
from itertools import islice

from django.db.models import F, Q
from django.utils import timezone

from accounts import lanes
from accounts.models import MailAccount
from webmail.mailbox import sessions

USED_WITHIN = timedelta(minutes=30)  # a session in the last half hour: watched
UNUSED_EVERY = timedelta(hours=1)
AT_ONCE = 2_000
POLLED_EVERY = 60  # seconds, as the schedule in webmail.celery has it
_State = MailAccount.State


def poll_accounts() -> None:
    """Post mailbox.sync_account for the accounts that are due, longest waiting first."""
    now = timezone.now()
    resting = Q(state__in=[_State.PAUSED, _State.AUTH_FAILED]) | Q(server__is_enabled=False)
    candidates = (
        MailAccount.objects.exclude(resting)
        .filter(Q(last_sync_at=None) | Q(last_sync_at__lt=now - timedelta(seconds=55)))
        # Those whom nobody uses wait longest: they must not stand before those who may be due.
        .filter(
            Q(last_sync_at=None)
            | Q(last_sync_at__lte=now - UNUSED_EVERY)
            | Q(last_used_at__gt=now - USED_WITHIN)
            | Q(state=_State.UNREACHABLE)
        )
        .order_by(F("last_sync_at").asc(nulls_first=True))
        .only(
            "state", "last_error_at", "last_sync_at", "created_at", "last_used_at", "capabilities"
        )
    )
    due = (account for account in candidates if is_due(account, now=now))
    for account in islice(due, AT_ONCE):
        lanes.post_again("mailbox.sync_account", account.pk, lane="sync", seconds=POLLED_EVERY)


def is_due(account: MailAccount, *, now: datetime) -> bool:
    """Say whether an account is to be looked at now. Pure."""
    if account.state == _State.UNREACHABLE:
        tried = account.last_error_at
        return tried is None or now - tried >= sessions.back_off(account, now=now)
    if account.last_sync_at is None:
        return True
    return now - account.last_sync_at >= _interval(account, now=now)


def is_watched(account: MailAccount, *, now: datetime) -> bool:
    """Say whether the watcher keeps a connection for this account. Pure."""
    if account.state in {_State.PAUSED, _State.AUTH_FAILED}:
        return False
    return account.last_used_at is not None and now - account.last_used_at < USED_WITHIN


def _interval(account: MailAccount, *, now: datetime) -> timedelta:
    if not is_watched(account, now=now):
        return UNUSED_EVERY
    return timedelta(minutes=5) if "IDLE" in account.capabilities else timedelta(seconds=55)
