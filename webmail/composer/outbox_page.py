"""Builds what the outbox's page draws."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from webmail.composer import transitions
from webmail.composer.content import open_summary
from webmail.composer.models import Delivery, OutgoingMail
from webmail.composer.presenting import DeliveryLine, OutboxItem
from webmail.composer.transitions import MailState

_MOST_LISTED = 100
_FAILURES_FOR = timedelta(days=7)
_QUIET = frozenset({MailState.PREPARING, MailState.SENDING})


def outbox_for(user: User) -> tuple[OutboxItem, ...]:
    """Return what is on its way and what went wrong in the last days, newest first."""
    now = timezone.now()
    recent = now - _FAILURES_FOR
    on_its_way = Q(state__in=[*transitions.LIVE, MailState.ACCEPTED])
    went_wrong = Q(state=MailState.FAILED, draft__isnull=False) | Q(
        state=MailState.FILED, variants__deliveries__state=Delivery.State.FAILED
    )
    mails = (
        OutgoingMail.objects.filter(user=user)
        .filter(on_its_way | (went_wrong & Q(state_since__gte=recent)))
        .prefetch_related("variants__deliveries")
        .order_by("-created_at", "-id")
        .distinct()
    )
    return tuple(item(mail, now=now) for mail in mails[:_MOST_LISTED])


def item(mail: OutgoingMail, *, now: datetime) -> OutboxItem:
    """Return one mail for the page."""
    deliveries = [each for variant in mail.variants.all() for each in variant.deliveries.all()]
    people, subject = open_summary(mail.sealed_summary, envelope_id=str(mail.envelope_id))
    seconds = max(0, math.ceil((mail.due_at - now).total_seconds()))
    is_held = mail.state == MailState.QUEUED and mail.attempts == 0
    return OutboxItem(
        id=mail.pk,
        state=mail.state,
        words=words(mail, people=people, seconds=seconds, now=now),
        detail=_detail(mail, now=now),
        people=people,
        subject=subject,
        due_at=mail.due_at,
        seconds_left=seconds if is_held else 0,
        deliveries=_lines(deliveries),
        can_undo=transitions.can_undo(mail.state, [each.state for each in deliveries]),
        can_send_now=mail.state == MailState.QUEUED and seconds > 0,
        can_send_again=_asks(mail, now=now),
        draft_id=mail.draft_id if mail.state == MailState.FAILED else None,
        undo_url=reverse("composer:undo", args=[mail.pk]),
        send_now_url=reverse("composer:send-now", args=[mail.pk]),
        again_url=reverse("composer:again", args=[mail.pk]),
        settle_url=reverse("composer:settle", args=[mail.pk]),
    )


def words(mail: OutgoingMail, *, people: str, seconds: int, now: datetime) -> str:
    """Return the line that says where a mail stands."""
    match mail.state:
        case MailState.QUEUED if mail.attempts == 0 and seconds:
            return _("Sending to %(name)s in %(seconds)d s") % {"name": people, "seconds": seconds}
        case MailState.QUEUED if mail.attempts:
            return _("Waiting to send to %s again") % people
        case MailState.PREPARING | MailState.QUEUED | MailState.SENDING:
            return _("Sending to %s") % people
        case MailState.UNCERTAIN if _asks(mail, now=now):
            return _("The server did not confirm. Send again?")
        case MailState.UNCERTAIN:
            return _("Checking whether your message to %s arrived") % people
        case MailState.FAILED:
            return _("Your message was not sent")
        case MailState.CANCELLED:
            return _("Sending undone")
        case _:
            return _("Sent to %s") % people


def _asks(mail: OutgoingMail, *, now: datetime) -> bool:
    """Whether evidence was waited for long enough: now the person decides."""
    return mail.state == MailState.UNCERTAIN and now - mail.state_since >= transitions.ASK_AFTER


def _detail(mail: OutgoingMail, *, now: datetime) -> str:
    match mail.state:
        case MailState.FAILED:
            return f"{mail.last_reply} {_('It is safe in Drafts.')}".strip()
        case MailState.QUEUED if mail.attempts and mail.due_at > now:
            at = timezone.localtime(mail.due_at)
            again = _("Next try at %s.") % f"{at:%H:%M}"
            return f"{mail.last_reply} {again}".strip()
        case MailState.UNCERTAIN:
            return _("It may have arrived. Sending it again may deliver it twice.")
        case state if state in _QUIET:
            return ""
        case _:
            return mail.last_reply if mail.state == MailState.ACCEPTED else ""


def _lines(deliveries: Sequence[Delivery]) -> tuple[DeliveryLine, ...]:
    return tuple(
        DeliveryLine(recipient=each.recipient, state=each.state, words=_reply(each))
        for each in deliveries
        if each.state in {Delivery.State.FAILED, Delivery.State.UNCERTAIN}
        or (each.state == Delivery.State.WAITING and each.text)
    )


def _reply(delivery: Delivery) -> str:
    parts = (str(delivery.code or ""), delivery.enhanced, delivery.text)
    return " ".join(part for part in parts if part)
