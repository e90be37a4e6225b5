"""Who works on an outgoing mail: leases in the database with a fencing counter.

A worker *takes* a mail for some seconds; its heartbeat renews the lease while it lives. Whoever
takes it after the lease ran out raises the fence, and every write of the old taker misses. So a
short lease is safe: a worker that only lost touch with the database learns it at its next write,
at the latest before the final dot.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import MailAccount
from webmail.composer.models import OutgoingMail

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """Another worker took this mail over: stop without any further effect."""


def lease_seconds() -> float:
    """Return how long a silent worker counts as alive (`SEND_LEASE_SECONDS`, 60)."""
    return float(getattr(settings, "SEND_LEASE_SECONDS", 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A mail this worker holds. All writes go through `write`."""

    id: int
    fence: int

    def write(self, **columns: Any) -> None:
        """Write columns of the mail if it is still ours. Raises LeaseLostError."""
        if not OutgoingMail.objects.filter(pk=self.id, fence=self.fence).update(**columns):
            raise LeaseLostError(f"outgoing={self.id} fence={self.fence}")

    def renew(self) -> None:
        """Move the lease's end on. Raises LeaseLostError."""
        self.write(lease_until=timezone.now() + timedelta(seconds=lease_seconds()))

    def let_go(self, **columns: Any) -> None:
        """Write the last columns and give the mail back. Raises LeaseLostError."""
        self.write(lease_until=None, handed_until=None, **columns)


def of_paused_accounts() -> Q:
    """Select mail of paused accounts: nothing is done on their server, it waits as it is."""
    paused = MailAccount.objects.filter(state=MailAccount.State.PAUSED)
    return Q(account__in=paused)  # not a join: locks are for the mail's rows


def take(
    outgoing_id: int, *, state: str, into: str = "", on_server: bool = False, **columns: Any
) -> Taken | None:
    """Take a due mail that is in `state` and that no living worker holds; None if there is none.

    `on_server`: for work on the mail server, so not while the account is paused. One statement, so
    that of several workers one gets it. `into` and `columns` are written with it.
    """
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if into:
        columns |= {"state": into, "state_since": now}
    rows = OutgoingMail.objects.filter(free, pk=outgoing_id, state=state, due_at__lte=now)
    if on_server:
        rows = rows.exclude(of_paused_accounts())
    taken = rows.update(
        fence=F("fence") + 1,
        lease_until=now + timedelta(seconds=lease_seconds()),
        **columns,
    )
    if not taken:
        return None
    # Nobody else can take it while the lease is young: this reads our own fence.
    fence = OutgoingMail.objects.values_list("fence", flat=True).get(pk=outgoing_id)
    return Taken(id=outgoing_id, fence=fence)


class Heartbeat:
    """Renews a lease from a thread while the body of the `with` runs."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{taken.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _beat(self) -> None:
        try:
            while not self._stop.wait(lease_seconds() / 4):
                try:
                    self._taken.renew()
                except LeaseLostError:
                    log.warning("outgoing=%d event=lease-lost", self._taken.id)
                    return
                except DatabaseError:
                    # Tried again at the next beat; if it stays away the lease runs out.
                    log.exception("outgoing=%d event=lease-not-renewed", self._taken.id)
                    connection.close()
        finally:
            connection.close()


@contextmanager
def committed_to_disk() -> Iterator[None]:
    """Commit what is written inside so that it survives a power cut, on SQLite too.

    Raises RuntimeError inside another transaction: then nothing would be committed here.
    """
    # Only tests are in a transaction here; SQLite cannot change its safety level within one.
    is_lax = connection.vendor == "sqlite" and not connection.in_atomic_block
    if is_lax:
        _set_synchronous("FULL")
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        if is_lax:
            _set_synchronous("NORMAL")


def _set_synchronous(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")
