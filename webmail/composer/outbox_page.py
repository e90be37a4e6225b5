"""Builds what the outbox's page draws."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import MailAccount, User
from webmail.composer import transitions
from webmail.composer.advice import advice
from webmail.composer.content import open_summary
from webmail.composer.models import Delivery, Draft, OutgoingMail
from webmail.composer.presenting import DeliveryLine, OutboxItem
from webmail.composer.protection import names_of
from webmail.composer.recipients import Recipient
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
        .select_related("account")
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
    lines = _lines(deliveries)
    is_paused = _is_paused(mail)
    is_held = mail.state == MailState.QUEUED and mail.attempts == 0 and not is_paused
    return OutboxItem(
        id=mail.pk,
        state=mail.state,
        words=words(mail, people=people, seconds=seconds, now=now),
        detail=_detail(mail, now=now, says_each=bool(lines)),
        advice=_advice(mail, lines),
        people=people,
        subject=subject,
        due_at=mail.due_at,
        seconds_left=seconds if is_held else 0,
        deliveries=lines,
        can_undo=transitions.can_undo(mail.state, [each.state for each in deliveries]),
        can_send_now=mail.state == MailState.QUEUED and seconds > 0 and not is_paused,
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
        case MailState.QUEUED if _is_paused(mail):
            return _("Your message to %s waits: this mail account is paused") % people
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
        case MailState.ACCEPTED | MailState.FILED if _missed_someone(mail):
            return _("Sent, but not to everyone")
        case _:
            return _("Sent to %s") % people


def _is_paused(mail: OutgoingMail) -> bool:
    return mail.account.state == MailAccount.State.PAUSED


def _asks(mail: OutgoingMail, *, now: datetime) -> bool:
    """Whether evidence was waited for long enough: now the person decides."""
    return mail.state == MailState.UNCERTAIN and now - mail.state_since >= transitions.ASK_AFTER


def failure_advice(draft: Draft) -> str | None:
    """Return what to do about the draft's last failed sending; None if that never was."""
    mail = (
        OutgoingMail.objects.filter(draft=draft, state=MailState.FAILED)
        .prefetch_related("variants__deliveries")
        .order_by("-state_since", "-id")
        .first()
    )
    if mail is None:
        return None
    deliveries = [each for variant in mail.variants.all() for each in variant.deliveries.all()]
    lines = _lines(deliveries)
    return next((line.advice for line in lines if line.advice), "") or _advice(mail, lines)


def _advice(mail: OutgoingMail, lines: Sequence[DeliveryLine]) -> str:
    match mail.state:
        case MailState.QUEUED if _is_paused(mail):
            return _("It is sent as soon as an administrator resumes the account.")
        case MailState.FAILED if not any(line.advice for line in lines):
            return advice(None, "")
        case MailState.QUEUED if mail.attempts and mail.first_tried_at:
            until = timezone.localtime(mail.first_tried_at + transitions.GIVE_UP_AFTER)
            day = date_format(until, "j F")
            return _("There is nothing to do: it is tried again until %(day)s, %(time)s.") % {
                "day": day,
                "time": f"{until:%H:%M}",
            }
        case _:
            return ""


def _missed_someone(mail: OutgoingMail) -> bool:
    return any(
        each.state == Delivery.State.FAILED
        for variant in mail.variants.all()
        for each in variant.deliveries.all()
    )


def _detail(mail: OutgoingMail, *, now: datetime, says_each: bool) -> str:
    match mail.state:
        case MailState.QUEUED if _is_paused(mail):
            return ""
        case MailState.FAILED:
            reply = "" if says_each else mail.last_reply
            return f"{reply} {_('It is safe in Drafts.')}".strip()
        case MailState.QUEUED if mail.attempts and mail.due_at > now:
            at = timezone.localtime(mail.due_at)
            again = _("Next try at %s.") % f"{at:%H:%M}"
            return again if says_each else f"{mail.last_reply} {again}".strip()
        case MailState.UNCERTAIN:
            return _("It may have arrived. Sending it again may deliver it twice.")
        case state if state in _QUIET:
            return ""
        case _:
            return mail.last_reply if mail.state == MailState.ACCEPTED else ""


def _lines(deliveries: Sequence[Delivery]) -> tuple[DeliveryLine, ...]:
    """Return what the server said of those who do not simply have the mail; the same once."""
    alike: dict[tuple[str, str, str], list[Recipient]] = {}
    for each in deliveries:
        is_told = each.state in {Delivery.State.FAILED, Delivery.State.UNCERTAIN}
        if (is_told and _reply(each)) or (each.state == Delivery.State.WAITING and each.text):
            is_failed = each.state == Delivery.State.FAILED
            do = advice(each.code, each.enhanced) if is_failed else ""
            person = Recipient(name="", address=each.recipient)
            alike.setdefault((each.state, _reply(each), do), []).append(person)
    return tuple(
        DeliveryLine(recipient=names_of(people), state=state, words=reply, advice=do)
        for (state, reply, do), people in alike.items()
    )


def _reply(delivery: Delivery) -> str:
    parts = (str(delivery.code or ""), delivery.enhanced, delivery.text)
    return " ".join(part for part in parts if part)
