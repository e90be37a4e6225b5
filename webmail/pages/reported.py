"""The mail that a delivery report is about: found by its Message-ID or its ENVID."""

import uuid

from django.http import HttpRequest

from accounts.models import User
from webmail.composer.models import OutgoingMail
from webmail.mailbox.models import Folder, Message
from webmail.pages.invitations import facts_of


def reported_message(request: HttpRequest, user: User, report_on: Message) -> Message | None:
    """Return the person's own mail that the report `report_on` names; None if it is not here."""
    facts = facts_of(request, report_on)
    report = facts["report"] if facts else None
    if report is None:
        return None
    by_number = _by_message_id(user, report["message_id"])
    if by_number is not None:
        return by_number
    try:
        envelope_id = uuid.UUID(report["envelope_id"])
    except ValueError:
        return None
    sent = OutgoingMail.objects.filter(user=user, envelope_id=envelope_id).first()
    return _by_message_id(user, sent.message_id) if sent else None


def _by_message_id(user: User, message_id: str) -> Message | None:
    if not message_id:
        return None
    found = Message.objects.filter(account__user=user, message_id=message_id)
    in_sent = found.filter(placements__folder__role=Folder.Role.SENT, placements__gone_at=None)
    return in_sent.first() or found.filter(placements__gone_at=None).first()
