"""Answering a request for a read receipt: the reader knows who asks, the composer sends it.

Only ever by the person's own click (RFC 8098 §2.1), and once: the answer is remembered here and by
the keyword $MDNSent (RFC 3503), which other mail programs respect.
"""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Identity, User
from webmail.composer import answers, drafts, outbox
from webmail.composer.composer_page import open_url
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft
from webmail.composer.outbox import NotSendable
from webmail.composer.recipients import Recipient, sendable
from webmail.composer.sending_off import Sent
from webmail.mailbox import intents, standing
from webmail.mailbox.access import message_for
from webmail.mailbox.models import Flag, Message
from webmail.mime.receipts import displayed
from webmail.pages import times
from webmail.reader.asks import receipt_state
from webmail.reader.models import ReceiptAnswer
from webmail.reader.presenting import OpenMessage
from webmail.reader.reading import asks_of, open_message

_PRODUCT = "Signet"
_ANSWERS = uuid.UUID("4b1f0c52-7a0d-4d0e-9a86-5f6f6a1f3c11")  # a name space of our own (RFC 9562)


@require_POST
@login_required
def receipt(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send the receipt, or remember that the person sends none."""
    user: Any = request.user
    message = message_for(user, message_id)
    key = _key(message)  # of the answers known before the page is looked at: they are asked again
    opened = open_message(request, message, wait=False)
    asks = asks_of(request, message)
    if opened.state == "rendering":  # what came out of an encrypted layer was here for minutes
        return _again(request, message)
    if opened.asks is None or opened.asks.receipt is None or not asks:
        raise Http404
    if opened.asks.receipt.state != "asked":  # answered meanwhile, in another tab
        return _done(request, message)
    if request.POST.get("answer") != "send":
        _decline(user, message)
        return _done(request, message)
    draft = _draft(user, message, opened, asks["receipt"])
    try:
        mail = outbox.queue(user, draft, idempotency_key=key, request=request)
    except NotSendable:
        # The composer says what is missing; nothing went out.
        if answers.is_htmx(request):
            return answers.toasted({"words": ""}, go_to=open_url(draft.pk))
        return redirect(open_url(draft.pk))
    if mail.draft_id != draft.pk:  # the same click, twice at once: one receipt
        drafts.discard(user, draft.pk)
    _remember_sent(user, message, envelope_id=mail.envelope_id)
    mail = outbox.wait_while_preparing(mail)
    response = answers.sent(request, Sent(mail=mail, is_repeat=False), draft.pk)
    response["Signet-Again"] = reverse("reader:asks", args=[message.pk])
    return response


def _key(message: Message) -> uuid.UUID:
    """Return the key of this answer: another only after an earlier one did not go out."""
    earlier = ReceiptAnswer.objects.filter(message=message).first()
    return uuid.uuid5(_ANSWERS, f"{message.pk}:{earlier.envelope_id if earlier else ''}")


def _again(request: HttpRequest, message: Message) -> HttpResponse:
    """Have the message opened again."""
    url = reverse("pages:message", args=[message.pk])
    if answers.is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _done(request: HttpRequest, message: Message) -> HttpResponse:
    if answers.is_htmx(request):
        again = reverse("reader:asks", args=[message.pk])
        return HttpResponse(status=204, headers={"Signet-Again": again})
    return redirect("pages:message", message.pk)


def _draft(user: User, message: Message, opened: OpenMessage, asks: dict[str, Any]) -> Draft:
    """Write the receipt. Neither signed nor encrypted: it holds no word of the mail, and of what
    came encrypted no subject, name or date: those that stand outside may be others (RFC 9788).
    """
    identity = _identity(user, opened)
    now = times.exact(timezone.now())
    subject = "" if opened.is_encrypted else opened.subject
    dated = message.date if opened.is_encrypted else opened.date
    sent_at = times.exact(dated or opened.received_at)
    text = _(
        "This is a read receipt for the message that you sent to {address} on {sent}.\n\n"
        "It was displayed on {now}. This does not prove that it was read or understood.\n"
    ).format(address=identity.address, sent=sent_at, now=now)
    heading = _("Read: {subject}").format(subject=subject) if subject else _("Read receipt")
    content = DraftContent(
        to=tuple(
            Recipient(name="" if opened.is_encrypted else name, address=address)
            for name, address in asks["to"]
        ),
        subject=heading[:900],
        text=text,
        disposition=displayed(
            final_recipient=sendable(identity.address),
            original_recipient=asks["original_recipient"],
            original_message_id=message.message_id,
            product=f"{settings.PUBLIC_URL}; {_PRODUCT}" if settings.PUBLIC_URL else _PRODUCT,
        ),
        in_reply_to=message.message_id,
        references=(message.message_id,) if message.message_id else (),
    )
    draft = drafts.new(user, content=content, identity=identity)
    drafts.touch(draft)
    return draft


def _identity(user: User, opened: OpenMessage) -> Identity:
    """Return whom the mail was for, of the person's addresses, else whom they usually write as."""
    named = {each.address.lower() for each in (*opened.to, *opened.cc, *opened.bcc)}
    known = drafts.identities_for(user)
    return next(
        (each for each in known if each.address.lower() in named), None
    ) or drafts.identity_for(user, None)


def _remember_sent(user: User, message: Message, *, envelope_id: uuid.UUID) -> None:
    """Remember the mail that carries the receipt, whatever was answered before."""
    ReceiptAnswer.objects.update_or_create(
        message=message,
        defaults={
            "answer": ReceiptAnswer.Answer.SENT,
            "envelope_id": envelope_id,
            "answered_at": timezone.now(),
        },
    )
    _set_keyword(user, message)


def _decline(user: User, message: Message) -> None:
    """Remember a no, unless a receipt is on its way: another tab was faster."""
    fresh = {
        "answer": ReceiptAnswer.Answer.DECLINED,
        "envelope_id": None,
        "answered_at": timezone.now(),
    }
    with transaction.atomic():
        row, is_new = ReceiptAnswer.objects.select_for_update(no_key=True).get_or_create(
            message=message, defaults=fresh
        )
        if not is_new:
            if receipt_state(row) != "asked":
                return
            for name, value in fresh.items():
                setattr(row, name, value)
            row.save()
    _set_keyword(user, message)


def _set_keyword(user: User, message: Message) -> None:
    intents.change_flags(user, standing.places_of(message), add=int(Flag.MDN_SENT))
