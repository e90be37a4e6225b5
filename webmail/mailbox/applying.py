"""Carrying waiting changes out on the server.

    pending ─lease, command─▶ running ─OK─▶ done
       ▲                        ├ connection lost ─▶ pending, tried again for ever
       └────── refused, ≤ 3 ────┤
                                ├ refused for good ─▶ failed, taken back, told
                                └ message gone ─▶ done (flags) or conflict (moves), told

A change that was running when the connection broke may have been carried out: flags are repeated
(deltas, idempotent), moves look at both folders first.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from django.db.models import Min, QuerySet
from django.utils import timezone

from accounts import lanes
from accounts.lanes import post, post_again
from accounts.models import MailAccount
from webmail.imap import CommandRefused, ImapError, Session
from webmail.mailbox import commands, outcomes, plans, sync
from webmail.mailbox.commands import Asked, WrongFolderState
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import PendingChange
from webmail.mailbox.plans import Waiting
from webmail.mailbox.sessions import AccountUnusable, imap_session
from webmail.mailbox.telling import tell_conflict, tell_refusal

logger = logging.getLogger(__name__)

LANE = "apply"
TURN_SECONDS = 60.0
LEASE_SECONDS = 300  # a command may take as long as a session's total budget
UNTAKEN_FOR = 30  # seconds a hint waits in the broker; the scanner repeats it every five
NOT_YET = timedelta(seconds=5)
KEPT_FOR = timedelta(days=7)  # finished changes, for undo and for questions
MOST_WAITING = 10_000
_Operation = PendingChange.Operation
_State = PendingChange.State


def apply_changes(account_id: int) -> None:
    """Carry out what is due for an account. Safe to run twice; ends quietly without a server."""
    account = sync.account_to_work_on(account_id)
    if account is None or not _due(account_id).exists():
        return
    with lanes.lease(account, LANE, LEASE_SECONDS) as lease:
        if lease is None:
            return
        until = time.monotonic() + TURN_SECONDS
        try:
            while time.monotonic() < until and lease.renew():
                batches = plans.plan_batches(_waiting(account_id))
                if not batches:
                    break
                with imap_session(account) as session:
                    for batch in batches:
                        _run(account, session, batch.change_ids)
        except (ImapError, AccountUnusable):
            logger.info("event=apply-stopped account=%d", account_id)
            return
    if _due(account_id).exists():  # asked for while the lane was held
        post("mailbox.apply_changes", account_id, lane="interactive")


def hand_over_due_changes() -> None:
    """Find changes whose hint got lost or whose worker died, and post their accounts."""
    now = timezone.now()
    PendingChange.objects.filter(state=_State.RUNNING, lease_until__lt=now).update(
        state=_State.PENDING, lease_until=None
    )
    unusable = [MailAccount.State.PAUSED, MailAccount.State.AUTH_FAILED]
    due = (
        PendingChange.objects.filter(state=_State.PENDING, next_try_at__lte=now)
        .exclude(account__state__in=unusable)
        .order_by()
        .values_list("account_id", "account__state", "account__last_error_at")
        .annotate(asked_at=Min("created_at"))
    )
    ready = (
        account_id
        for account_id, state, failed_at, asked_at in due
        # Dialled every few seconds, dead servers would hold every thread that clicks wait for.
        if state != MailAccount.State.UNREACHABLE
        or failed_at is None
        or now - failed_at >= plans.plan_rest(now - asked_at)
    )
    for account_id in islice(ready, 500):
        post_again("mailbox.apply_changes", account_id, lane="interactive", seconds=UNTAKEN_FOR)
    old = PendingChange.objects.filter(finished_at__lt=now - KEPT_FOR).values_list("id", flat=True)
    PendingChange.objects.filter(pk__in=list(old[:1_000])).delete()


def _due(account_id: int) -> QuerySet[PendingChange]:
    return PendingChange.objects.filter(
        account_id=account_id, state=_State.PENDING, next_try_at__lte=timezone.now()
    )


def _waiting(account_id: int) -> list[Waiting]:
    now = timezone.now()
    rows = (
        PendingChange.objects.filter(account_id=account_id, state__in=outcomes.ACTIVE)
        .order_by("id")
        .values_list(
            "id", "operation", "placement_id", "placement__folder_id", "args", "state",
            "next_try_at",
        )
    )  # fmt: skip
    return [
        Waiting(
            id=pk,
            key=_key(pk, operation, folder_id, args),
            placement_id=placement_id,
            landing_id=args.get("landing"),
            is_due=state == _State.PENDING and next_try_at <= now,
        )
        for pk, operation, placement_id, folder_id, args, state, next_try_at in rows[:MOST_WAITING]
    ]


def _key(
    pk: int, operation: str, folder_id: int | None, args: dict[str, int]
) -> tuple[object, ...]:
    match operation:
        case _Operation.FLAGS:
            return operation, folder_id, args["add"], args["remove"]
        case _Operation.MOVE:
            return operation, folder_id, args["target"]
        case _Operation.DELETE:
            return operation, folder_id
        case _:
            return operation, pk


def _run(account: MailAccount, session: Session, change_ids: Sequence[int]) -> None:
    """Carry out one batch. Raises ImapError when the connection is lost."""
    asked = _begin(account, change_ids)
    if asked is None:
        return
    try:
        commands.carry_out(account, session, asked)
    except CommandRefused as refused:
        _refused(account, asked, refused)
    except WrongFolderState:
        _later(asked.changes, NOT_YET)
        sync.wake_and_post(asked.folder)
    except ImapError:
        attempts = max(change.attempts for change in asked.changes)
        _later(asked.changes, plans.plan_reconnect(attempts))
        raise


def _begin(account: MailAccount, change_ids: Sequence[int]) -> Asked | None:
    """Take the changes that are still pending; sort out those that cannot run."""
    now = timezone.now()
    with mirror_lock(account.pk):
        rows = PendingChange.objects.select_for_update(no_key=True, of=("self",))
        changes = list(
            rows.filter(pk__in=change_ids, state=_State.PENDING)
            .select_related("placement__folder", "placement__message", "folder")
            .order_by("id")
        )
        ready = []
        for change in changes:
            change.account = account
            if commands.is_ready(change):
                ready.append(change)
            elif commands.is_gone(change):
                _gone(account, change)
            else:
                _not_yet(account, change)
        for change in ready:
            change.state = _State.RUNNING
            change.attempts += 1
            change.lease_until = now + timedelta(seconds=LEASE_SECONDS)
        PendingChange.objects.bulk_update(ready, ["state", "attempts", "lease_until"], 500)
    return Asked.of(ready) if ready else None


def _gone(account: MailAccount, change: PendingChange) -> None:
    """The message is not on the server any more: nothing to do, or a conflict to tell."""
    was_sent = change.attempts > 0
    if change.operation != _Operation.MOVE or was_sent:
        # A move that was sent may be why it is gone: the target's sync fills the landing.
        outcomes.finish([change], state=_State.DONE)
        outcomes.recompute_overlays([change.placement_id] if change.placement_id else [])
        target = commands.target_of(change)
        if target is not None:
            sync.wake_and_post(target)
        return
    words = tell_conflict(account, count=1)
    outcomes.take_back([change], state=_State.CONFLICT, error=words)


def _not_yet(account: MailAccount, change: PendingChange) -> None:
    """The UID is not known yet (a move before it, a renumbered folder): wait, a day at most."""
    if change.created_at < timezone.now() - plans.LONGEST_WAIT:
        words = tell_conflict(account, count=1)
        outcomes.take_back([change], state=_State.CONFLICT, error=words)
        return
    change.next_try_at = timezone.now() + NOT_YET
    change.save(update_fields=["next_try_at"])
    if change.placement is not None:
        sync.wake_and_post(change.placement.folder)


def _refused(account: MailAccount, asked: Asked, refused: CommandRefused) -> None:
    attempts = max(change.attempts for change in asked.changes)
    logger.warning(
        "event=change-refused account=%d operation=%s attempts=%d",
        account.pk, asked.operation, attempts,
    )  # fmt: skip
    retry = plans.plan_refusal(refused.code, attempts=attempts)
    if retry.delay is not None:
        _later(asked.changes, retry.delay)
        return
    with mirror_lock(account.pk):
        words = tell_refusal(account, asked.operation, refused, count=len(asked.changes))
        outcomes.take_back(asked.changes, state=_State.FAILED, error=words)


def _later(changes: Sequence[PendingChange], delay: timedelta) -> None:
    """Put running changes back; they keep their place in the order."""
    PendingChange.objects.filter(
        pk__in=[change.pk for change in changes], state=_State.RUNNING
    ).update(state=_State.PENDING, next_try_at=timezone.now() + delay, lease_until=None)
