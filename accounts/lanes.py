"""Handing work to the workers, and the leases that keep two of them off the same account.

Messages are hints: they carry ids only and may be lost (a scanner repeats them) or run twice (the
lease and its fence in the database decide who works).
"""

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import AccountLane, MailAccount

logger = logging.getLogger(__name__)


def post(task_name: str, *args: int | str, lane: str) -> None:
    """Send a task after the current transaction commits; never raises.

    With the broker away the message is dropped and logged: what must not get lost is a row that a
    scanner finds.
    """
    transaction.on_commit(partial(_send, task_name, args, lane))


def post_later(task_name: str, *args: int | str, lane: str) -> None:
    """Do as `post`, for work that nobody waits for: it goes behind all that `post` sent."""
    transaction.on_commit(partial(_send, task_name, args, lane, priority=_LAST))


def post_again(task_name: str, *args: int | str, lane: str, seconds: int) -> None:
    """Do as `post`, for a scanner that posts the same again every few seconds, at most `seconds`.

    What no worker took by then is thrown away unread, so that nothing piles up in the broker
    while a lane has no worker.
    """
    transaction.on_commit(partial(_send, task_name, args, lane, seconds=seconds))


# Of the broker's steps over Redis, where 0 goes first.
_FIRST, _LAST = 0, 9


def _send(
    task_name: str,
    args: tuple[int | str, ...],
    lane: str,
    *,
    priority: int = _FIRST,
    seconds: int | None = None,
) -> None:
    from webmail.celery import app

    try:
        app.send_task(
            task_name,
            args=args,
            queue=lane,
            priority=priority,
            expires=seconds,
            ignore_result=True,
        )
    except (OperationalError, OSError):
        logger.warning("event=task-not-sent task=%s lane=%s", task_name, lane)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one lane of one account until `renew` is too late.

    Writes that follow must carry `fence` in their WHERE clause where another holder could have
    taken over.
    """

    account_id: int
    lane: str
    fence: int
    holder: str
    seconds: int

    def renew(self) -> bool:
        """Extend the lease; False when another holder has taken it."""
        until = timezone.now() + timedelta(seconds=self.seconds)
        return _own_row(self).update(until=until) == 1

    def is_held(self) -> bool:
        """Say whether nobody else has taken the lane since."""
        return _own_row(self).exists()


@contextmanager
def lease(account: MailAccount, lane: str, seconds: int = 60) -> Iterator[Lease | None]:
    """Hold `lane` of `account` for the block; gives None when another process holds it."""
    held = _take(account.pk, lane, seconds)
    try:
        yield held
    finally:
        if held is not None:
            _own_row(held).update(until=timezone.now(), holder="")


def _take(account_id: int, lane: str, seconds: int) -> Lease | None:
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(8)}"
    now = timezone.now()
    row = AccountLane.objects.filter(account_id=account_id, lane=lane)
    if not row.exists():
        try:
            with transaction.atomic():
                AccountLane.objects.create(account_id=account_id, lane=lane, until=now)
        except IntegrityError:
            pass  # another process made the row first
    taken = row.filter(until__lte=now).update(
        holder=holder, fence=F("fence") + 1, until=now + timedelta(seconds=seconds)
    )
    fence = row.filter(holder=holder).values_list("fence", flat=True).first() if taken else None
    if fence is None:
        return None
    return Lease(account_id=account_id, lane=lane, fence=fence, holder=holder, seconds=seconds)


def _own_row(held: Lease) -> QuerySet[AccountLane]:
    return AccountLane.objects.filter(
        account_id=held.account_id, lane=held.lane, fence=held.fence, holder=held.holder
    )
