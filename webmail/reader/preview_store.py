"""Where it is kept what the attachments of a message look like and say (`previews` makes it).

Kept like the message's documents: sealed in the database if the message was never encrypted, else
for minutes under the key of the session that opened it.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from django.utils import timezone

from accounts import sealed_cache, sealing
from accounts.prepared import Prepared
from webmail.mailbox.models import Message
from webmail.reader.models import Rendition
from webmail.reader.variants import PIPELINE

VERSION = 2  # raised when other facts would be found in the same files
VARIANT: Final = "attachments"  # its place among the message's renditions
OPENED_FOR = 15 * 60  # seconds that facts of decrypted mail stay in the sealed cache

type Facts = dict[str, Any]


def _key(message_id: int) -> str:
    return f"reader:previews:{PIPELINE}:{VERSION}:{message_id}"


def _subject(message_id: int) -> str:
    return f"reader.rendition:{message_id}:{VARIANT}"


def save(message_id: int, facts: Facts, *, is_secret: bool, session_key: bytes | None) -> None:
    """Keep facts; `is_secret`: of encrypted mail, for this session only."""
    content = json.dumps({"version": VERSION, **facts}).encode()
    if is_secret:
        if session_key is not None:
            sealed_cache.put(_key(message_id), content, session_key=session_key, seconds=OPENED_FOR)
        return
    Rendition.objects.update_or_create(
        message_id=message_id,
        variant=VARIANT,
        defaults={
            "pipeline": PIPELINE,
            "sealed_document": sealing.seal(
                content, purpose="rendition", subject=_subject(message_id)
            ),
            "created_at": timezone.now(),
        },
    )


_KEPT = Prepared(
    lambda message: Rendition.objects.filter(
        message_id=message, variant=VARIANT, pipeline=PIPELINE
    ).values_list("sealed_document")
)


def load(message: Message, *, session_key: Callable[[], bytes]) -> Facts | None:
    """Return what is kept about a message's attachments for this session; None if nothing is.

    session_key: gives the key of what the session opened; asked for encrypted mail alone.
    """
    kept = _KEPT.first(message.pk)
    if kept is not None:
        (sealed,) = kept
        try:
            content = sealing.open_sealed(
                bytes(sealed), purpose="rendition", subject=_subject(message.pk)
            )
        except sealing.SealBroken:  # its key has been rotated away: made again
            return None
    else:
        found = sealed_cache.get(_key(message.pk), session_key=session_key())
        if found is None:
            return None
        content = found
    facts: Facts = json.loads(content)
    return facts if facts.get("version") == VERSION else None
