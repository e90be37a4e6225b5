"""The scan lane: hands over what is due, and takes back what dead workers held.

```
every 5 s ─▶ leases that ran out ─▶ queued again, or uncertain (transitions.plan_after_loss)
          ─▶ due rows ─▶ handed to their lane, not again for 20 s
          ─▶ rows due before the next scan ─▶ a timer thread hands them over in time
```

No task is ever sent with an ETA: the database alone knows when something is due.
"""

import logging
import threading
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.lanes import post_again
from webmail.composer import drafts, transitions
from webmail.composer.ending import end
from webmail.composer.leases import LeaseLostError, Taken, of_paused_accounts
from webmail.composer.models import Delivery, OutgoingMail, Variant
from webmail.composer.sending import write_standings
from webmail.composer.transitions import DeliveryState, MailState, Reply, Standing

log = logging.getLogger(__name__)

SCAN_EVERY = 5.0  # seconds, as the schedule in webmail.celery has it
AT_ONCE = 50
_HANDED_FOR = timedelta(seconds=20)
_UNTAKEN_FOR = 60  # seconds a hint waits in the broker
_EXPIRE_EVERY = timedelta(hours=1)

# What is to be done with a due mail in each state, and in which lane.
_TASKS = {
    MailState.PREPARING: ("composer.prepare", "crypto"),
    MailState.QUEUED: ("composer.send", "send"),
    MailState.ACCEPTED: ("composer.file_copy", "send"),
    MailState.UNCERTAIN: ("composer.look_for_evidence", "send"),
}


def scan() -> int:
    """Take back, hand over, set the timer; return how many mails were handed over."""
    take_back()
    count = hand_over()
    _wake_for_next()
    drafts.expire_unsaved()
    return count


def hand_over() -> int:
    """Post the task of each due mail; safe to run in several processes at once."""
    handed: list[tuple[int, str]] = []
    now = timezone.now()
    with transaction.atomic():
        rows = _waiting(now).filter(due_at__lte=now).order_by("due_at")
        rows = rows.select_for_update(skip_locked=True, no_key=True)
        handed = list(rows.values_list("pk", "state")[:AT_ONCE])
        ids = [pk for pk, _state in handed]
        OutgoingMail.objects.filter(pk__in=ids).update(handed_until=now + _HANDED_FOR)
    for pk, state in handed:
        task, lane = _TASKS[MailState(state)]
        # A lost preparation comes without its key ticket: managed keys need none.
        post_again(task, pk, lane=lane, seconds=_UNTAKEN_FOR)
    return len(handed)


def take_back() -> int:
    """Deal with mails whose sender died; return how many."""
    now = timezone.now()
    lost = OutgoingMail.objects.filter(state=MailState.SENDING, lease_until__lt=now)
    count = 0
    for mail in lost.order_by("lease_until")[:AT_ONCE]:
        # Raising the fence first makes every later write of the old worker miss.
        raised = OutgoingMail.objects.filter(
            pk=mail.pk, state=MailState.SENDING, fence=mail.fence, lease_until__lt=now
        ).update(fence=mail.fence + 1, lease_until=now + _HANDED_FOR)
        if raised:
            try:
                _after_loss(Taken(id=mail.pk, fence=mail.fence + 1), mail.pk, now=now)
                count += 1
            except LeaseLostError:
                log.warning("outgoing=%d event=taken-back-twice", mail.pk)
    return count


def _after_loss(taken: Taken, outgoing_id: int, *, now: datetime) -> None:
    """Derive the state of a mail from how far its dead worker came."""
    with transaction.atomic():
        mail = OutgoingMail.objects.get(pk=outgoing_id)  # its phase as of the raised fence
        fate = transitions.delivery_after_loss(mail.phase)
        reply = Reply(
            state="uncertain", text="The server did not confirm that it took the message."
        )
        for variant in mail.variants.filter(state=Variant.State.SENDING):
            waiting = variant.deliveries.filter(state=DeliveryState.WAITING)
            lost = {
                recipient: Standing(state=fate, reply=reply)
                for recipient in waiting.values_list("recipient", flat=True)
            }
            write_standings(variant, lost if fate == DeliveryState.UNCERTAIN else {})
        deliveries = Delivery.objects.filter(variant__outgoing=mail)
        plan = transitions.plan_after_loss(
            deliveries=deliveries.values_list("state", flat=True), attempts=mail.attempts, now=now
        )
        log.warning(
            "outgoing=%d event=taken-back phase=%s next=%s", mail.pk, mail.phase, plan.state
        )
        end(taken, mail.pk, before=MailState.SENDING, plan=plan, now=now)


def _waiting(now: datetime) -> QuerySet[OutgoingMail]:
    """Mails with something left to do that nobody is at; made ready, but no more, while paused."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    not_handed = Q(handed_until__isnull=True) | Q(handed_until__lt=now)
    rows = OutgoingMail.objects.filter(
        free, not_handed, finished_at__isnull=True, state__in=list(_TASKS)
    )
    return rows.exclude(of_paused_accounts() & ~Q(state=MailState.PREPARING))


_timer: threading.Timer | None = None


def _wake_for_next() -> None:
    """Set this process's timer for what becomes due before the next scan."""
    global _timer  # noqa: PLW0603 - one timer a process, replaced by each scan
    now = timezone.now()
    horizon = now + timedelta(seconds=SCAN_EVERY)
    next_due = (
        _waiting(now)
        .filter(due_at__gt=now, due_at__lte=horizon)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    if _timer is not None:
        _timer.cancel()
        _timer = None
    if next_due is not None:
        _timer = threading.Timer((next_due - now).total_seconds() + 0.005, _wake)
        _timer.daemon = True
        _timer.start()


def _wake() -> None:
    try:
        hand_over()
        _wake_for_next()
    except Exception:
        log.exception("event=wake-failed")  # the next scan does it
    finally:
        connection.close()
