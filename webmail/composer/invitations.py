"""Answers to invitations: an iTIP REPLY as a mail of its own, through the outbox (RFC 6047)."""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.models import Identity, User
from webmail.composer import certificates, drafts, outbox
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft, OutgoingMail
from webmail.composer.recipients import Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes out: `calendar` is the iTIP object, `text` says the same for people."""

    organizer: Recipient
    subject: str
    text: str
    calendar: str
    in_reply_to: str  # without angle brackets; so are the references
    references: tuple[str, ...]
    came_encrypted: bool


def draft_of(user: User, reply: Reply, *, identity: Identity, request: HttpRequest) -> Draft:
    """Store a reply as a draft: what came encrypted is answered encrypted (RFC 9788 §6.1)."""
    sign, encrypt = certificates.default_protection(user, identity, request)
    content = DraftContent(
        to=(reply.organizer,),
        subject=reply.subject,
        text=reply.text,
        calendar=reply.calendar,
        in_reply_to=reply.in_reply_to,
        references=reply.references,
    )
    draft = drafts.new(
        user,
        content=content,
        identity=identity,
        sign=sign,
        encrypt=encrypt or reply.came_encrypted,
    )
    draft.holds_encrypted_quote = reply.came_encrypted
    drafts.touch(draft)
    return draft


def send(user: User, draft: Draft, *, request: HttpRequest) -> OutgoingMail:
    """Put the reply on its way. Raises outbox.NotSendable; then the draft waits in Drafts."""
    mail = outbox.queue(user, draft, idempotency_key=uuid.uuid4(), request=request)
    return outbox.wait_while_preparing(mail)
