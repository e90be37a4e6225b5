"""What the composer learns from mirrored mail (floors: mailbox announces, it does not call)."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, transaction

from accounts.models import MailAccount, User
from webmail.composer import completion, evidence
from webmail.mailbox.correspondents import Correspondent
from webmail.mailbox.signals import asked_for_correspondents, messages_mirrored

log = logging.getLogger(__name__)


def connect() -> None:
    """Start listening."""
    messages_mirrored.connect(_mirrored, dispatch_uid="composer")
    asked_for_correspondents.connect(_known, dispatch_uid="composer")


def _known(*, user: User, address: str, **_more: Any) -> tuple[Correspondent, ...]:
    return completion.known(user, address=address)


def _mirrored(*, account: MailAccount, message_ids: Sequence[int], **_more: Any) -> None:
    try:
        with transaction.atomic():
            completion.learn(account, message_ids)
            evidence.weigh(account, message_ids)
    except DatabaseError:
        # Completion is a convenience and evidence is looked for again: never stop the sync.
        log.exception("account=%d event=listening-failed", account.pk)
