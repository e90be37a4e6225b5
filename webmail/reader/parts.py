"""Parts of messages for download and for inline images: taken out by a worker, served by the web.

The content waits in the sealed cache: under the session's key if it came out of an encrypted
layer, under the keyring otherwise.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from accounts import sealed_cache, session_keys
from webmail.mailbox.models import Message
from webmail.reader.reading import ask

KEPT_FOR = 300  # seconds
PATIENCE = 30.0  # seconds: a large part of a message that is not here yet


@dataclass(frozen=True, slots=True)
class PartContent:
    """A decoded part."""

    filename: str
    content_type: str
    content: bytes


def _key(message_id: int, path: str) -> str:
    return f"reader:part:{message_id}:{path}"


def keep(message_id: int, path: str, part: PartContent, *, session_key: bytes | None) -> None:
    """Put a part into the sealed cache (crypto lane); `session_key` None: never encrypted."""
    head = f"{part.content_type}\n{part.filename}\n".encode()
    sealed_cache.put(
        _key(message_id, path), head + part.content, session_key=session_key, seconds=KEPT_FOR
    )


def _cached(message_id: int, path: str, session_key: bytes) -> PartContent | None:
    for key in (None, session_key):
        found = sealed_cache.get(_key(message_id, path), session_key=key)
        if found is not None:
            content_type, _, rest = found.partition(b"\n")
            filename, _, content = rest.partition(b"\n")
            return PartContent(filename.decode(), content_type.decode(), content)
    return None


def content(request: HttpRequest, message: Message, path: str) -> PartContent | None:
    """Return the part at "layer/path", having a worker take it out if need be; None if it can't."""
    key = session_keys.session_key(request)
    found = _cached(message.pk, path, key)
    if found is None:
        ask(request, message, "reader.extract_part", path, patience=PATIENCE)
        found = _cached(message.pk, path, key)
    return found
