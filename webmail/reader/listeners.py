"""Reads ahead: the newest mail is rendered before it is opened."""

from typing import Any

from django.dispatch import receiver

from accounts import lanes
from webmail.mailbox.models import Message
from webmail.mailbox.signals import messages_mirrored

AHEAD = 20  # messages of one window
AHEAD_SIZE = 256 * 1024  # octets; larger ones wait until they are asked for


@receiver(messages_mirrored, dispatch_uid="reader.render-ahead")
def _render_ahead(sender: object, *, message_ids: list[int], **_: Any) -> None:  # noqa: ARG001
    small = Message.objects.filter(pk__in=message_ids[:AHEAD], size__lte=AHEAD_SIZE)
    wanted = set(small.values_list("pk", flat=True))
    for message_id in message_ids[:AHEAD]:
        if message_id in wanted:
            lanes.post("reader.render_ahead", message_id, lane="sync")
