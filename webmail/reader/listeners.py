"""Reads ahead: the newest mail is rendered before it is opened."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone

from accounts import lanes
from webmail.mailbox.models import Message
from webmail.mailbox.signals import messages_mirrored

AHEAD = 20  # messages of one window, whatever they are
# Signed mail gets its seal in the list before it is opened, if it is this young.
SEALED_AHEAD = timedelta(days=90)
AHEAD_SIZE = 256 * 1024  # octets; larger ones wait until they are asked for


@receiver(messages_mirrored, dispatch_uid="reader.render-ahead")
def _render_ahead(sender: object, *, message_ids: list[int], **_: Any) -> None:  # noqa: ARG001
    """Ask for renderings, newest first."""
    small = Message.objects.filter(pk__in=message_ids, size__lte=AHEAD_SIZE)
    young = Q(is_secured=True, internal_date__gt=timezone.now() - SEALED_AHEAD)
    wanted = set(small.filter(young | Q(pk__in=message_ids[:AHEAD])).values_list("pk", flat=True))
    for message_id in message_ids:
        if message_id in wanted:
            lanes.post("reader.render_ahead", message_id, lane="sync")
