"""The outbox: a draft becomes a mail on its way; called back, sent now, sent again.

The send button carries a key of its own. The row is inserted first, under the lock of its draft; a
repeated click, a replayed request or a second tab finds it and gets the same answer.
"""

import time
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest
from django.utils import timezone

from accounts.lanes import post
from accounts.models import User
from webmail.composer import certificates, drafts, outbox_files, transitions
from webmail.composer.content import DraftContent, seal_summary
from webmail.composer.evidence import accept
from webmail.composer.leases import take
from webmail.composer.models import Delivery, Draft, OutgoingMail
from webmail.composer.protection import names_of
from webmail.composer.recipients import sendable
from webmail.composer.transitions import DeliveryState, MailState
from webmail.composer.validation import NotSendable, check_sendable, recipient_chips
from webmail.mailbox.changes import announce
from webmail.mime.write import new_message_id

WAIT = 1.5  # seconds that a page waits for a worker, at most
_POLL = 0.02

__all__ = ["NotSendable", "queue", "queued_by", "send_again", "send_now", "settle", "undo"]


def undo_window() -> timedelta:
    """Return how long a mail is held so that it can be called back."""
    return timedelta(seconds=settings.UNDO_SEND_SECONDS)


def outgoing_for(user: User, outgoing_id: int) -> OutgoingMail:
    """Return the person's mail. Raises Http404 for others' and absent ones alike."""
    mail = OutgoingMail.objects.select_related("account").filter(user=user, pk=outgoing_id).first()
    if mail is None:
        raise Http404
    return mail


def queued_by(user: User, idempotency_key: uuid.UUID) -> OutgoingMail | None:
    """Return the mail that this click of a send button made, if it did."""
    return OutgoingMail.objects.filter(user=user, idempotency_key=idempotency_key).first()


def queue(
    user: User,
    draft: Draft,
    *,
    idempotency_key: uuid.UUID,
    request: HttpRequest,
) -> OutgoingMail:
    """Put a draft on its way and return its mail; the same mail for the same key or draft.

    The crypto lane makes the bytes (`wait_while_preparing`). Raises NotSendable, Http404 for a
    draft that is gone.
    """
    try:
        with transaction.atomic():
            locked = (
                Draft.objects.select_for_update(no_key=True, of=("self",))
                .select_related("account__server", "identity")
                .filter(user=user, pk=draft.pk)
                .first()
            )
            earlier = queued_by(user, idempotency_key)
            if earlier is not None:
                return earlier
            if locked is None:
                raise Http404
            live = locked.outgoing.filter(state__in=transitions.LIVE).first()
            if live is not None:
                return live
            content = drafts.content_of(locked)
            check_sendable(user, locked, content, request)
            mail = _insert(user, locked, content, idempotency_key)
            post("composer.prepare", mail.pk, _ticket(locked, request), lane="crypto")
            announce(mail.account, folder_ids=(), kind="outbox")
    except IntegrityError:
        # Two requests with one key for two drafts at once: the first is the answer.
        earlier = queued_by(user, idempotency_key)
        if earlier is None:
            raise
        return earlier
    return mail


def live_mail_of(user: User, draft_id: int) -> OutgoingMail | None:
    """Return the mail on its way that holds this draft, if any."""
    return OutgoingMail.objects.filter(
        user=user, draft_id=draft_id, state__in=transitions.LIVE
    ).first()


def wait_while_preparing(mail: OutgoingMail, *, seconds: float = WAIT) -> OutgoingMail:
    """Return the mail as it is when its bytes are made, or after `seconds` at the latest."""
    deadline = time.monotonic() + seconds
    while mail.state == MailState.PREPARING and time.monotonic() < deadline:
        time.sleep(_POLL)
        mail.refresh_from_db(fields=["state", "due_at", "last_reply", "draft"])
    return mail


def undo(user: User, outgoing_id: int) -> Draft | None:
    """Call a mail back and return its draft; None if it is too late. Raises Http404."""
    with transaction.atomic():
        mail = _locked(user, outgoing_id)
        if not transitions.can_undo(mail.state, _delivery_states(mail)):
            return None
        # The row is ours until the commit: a send that comes later finds it cancelled.
        _become(mail, MailState.CANCELLED, finished_at=timezone.now())
        outbox_files.drop_all(mail.pk)
    return mail.draft


def send_now(user: User, outgoing_id: int) -> bool:
    """End the waiting of a queued mail; False if there was none. Raises Http404."""
    with transaction.atomic():
        mail = _locked(user, outgoing_id)
        if mail.state != MailState.QUEUED:
            return False
        _touch(mail, due_at=timezone.now(), handed_until=None)
        post("composer.send", mail.pk, lane="send")
    return True


def send_again(user: User, outgoing_id: int) -> bool:
    """Send an unconfirmed mail once more, by the person's word: the very same bytes.

    False if it is not unconfirmed. Raises Http404.
    """
    with transaction.atomic():
        mail = _locked(user, outgoing_id)
        if mail.state != MailState.UNCERTAIN:
            return False
        again = Delivery.objects.filter(variant__outgoing=mail, state=DeliveryState.UNCERTAIN)
        again.update(state=DeliveryState.WAITING)
        mail.variants.filter(state="uncertain").update(state="queued")
        now = timezone.now()
        _become(mail, MailState.QUEUED, due_at=now, finished_at=None, first_tried_at=now)
        post("composer.send", mail.pk, lane="send")
    return True


def settle(user: User, outgoing_id: int) -> bool:
    """Book an unconfirmed mail as arrived, by the person's word; it is filed and never sent again.

    False if it is not unconfirmed. Raises Http404.
    """
    mail = outgoing_for(user, outgoing_id)
    OutgoingMail.objects.filter(pk=mail.pk, state=MailState.UNCERTAIN).update(due_at=timezone.now())
    taken = take(mail.pk, state=MailState.UNCERTAIN)
    if taken is None:
        return False
    accept(taken, mail)
    return True


def _insert(
    user: User, draft: Draft, content: DraftContent, idempotency_key: uuid.UUID
) -> OutgoingMail:
    sender = sendable(draft.identity.address)
    envelope_id = uuid.uuid4()
    people = names_of(recipient_chips(user, content))
    if draft.failure:
        draft.failure = ""
        draft.save(update_fields=["failure"])
    return OutgoingMail.objects.create(
        user=user,
        account=draft.account,
        draft=draft,
        idempotency_key=idempotency_key,
        envelope_id=envelope_id,
        message_id=new_message_id(sender.rpartition("@")[2]),
        envelope_from=sender,
        sealed_summary=seal_summary(
            people=people, subject=content.subject, envelope_id=str(envelope_id)
        ),
        state=MailState.PREPARING,
        # The task is posted at once; the scanner looks only if it was lost.
        handed_until=timezone.now() + timedelta(seconds=20),
    )


def _ticket(draft: Draft, request: HttpRequest) -> str:
    """Return a ticket for the keys, if the mail needs any."""
    return certificates.key_ticket(request) if draft.sign or draft.encrypt else ""


def _locked(user: User, outgoing_id: int) -> OutgoingMail:
    mail = (
        OutgoingMail.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account", "draft")
        .filter(user=user, pk=outgoing_id)
        .first()
    )
    if mail is None:
        raise Http404
    return mail


def _become(mail: OutgoingMail, state: MailState, **columns: Any) -> None:
    """Write a new state of a mail whose row we hold; old workers' writes miss from now on."""
    transitions.check(mail.state, state)
    _touch(
        mail,
        state=state,
        state_since=timezone.now(),
        fence=mail.fence + 1,
        lease_until=None,
        handed_until=None,
        **columns,
    )


def _touch(mail: OutgoingMail, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(mail, name, value)
    mail.save(update_fields=list(columns))
    announce(mail.account, folder_ids=(), kind="outbox")


def _delivery_states(mail: OutgoingMail) -> list[str]:
    return list(Delivery.objects.filter(variant__outgoing=mail).values_list("state", flat=True))
