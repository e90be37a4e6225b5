"""Parts of messages for download and for inline images: taken out by a worker, served by the web.

A content waits in the sealed cache in pieces (`webmail.reader.pieces`); the web passes them on one
by one and never holds a whole attachment.
"""

import json

from django.http import HttpRequest

from accounts import sealed_cache, session_keys
from webmail.mailbox.models import Message
from webmail.reader import pieces
from webmail.reader.pieces import Kept
from webmail.reader.reading import ask_late

KEPT_FOR = 900  # seconds: a slow line takes its time
PATIENCE = 30.0  # seconds: a large part of a message that is not here yet


def _name(message_id: int, path: str) -> str:
    return f"reader:part:{message_id}:{path}"


def _list_name(message_id: int) -> str:
    return f"reader:parts:{message_id}"


def keep(
    message_id: int,
    path: str,
    content: bytes,
    *,
    filename: str,
    content_type: str,
    session_key: bytes | None,
) -> None:
    """Put a part into the sealed cache (crypto lane); `session_key` None: never encrypted."""
    pieces.keep(
        _name(message_id, path),
        content,
        filename=filename,
        content_type=content_type,
        session_key=session_key,
        seconds=KEPT_FOR,
    )


def content(request: HttpRequest, message: Message, path: str) -> Kept | None:
    """Return the part at "layer/path", having a worker take it out if need be; None if it can't."""
    key = session_keys.session_key(request)
    found = pieces.find(_name(message.pk, path), session_key=key)
    if found is None:
        ask_late(request, message, "reader.extract_part", path, patience=PATIENCE)
        found = pieces.find(_name(message.pk, path), session_key=key)
    return found


def keep_list(message_id: int, paths: list[str], *, session_key: bytes | None) -> None:
    """Tell which parts are all attachments of a message; they are kept already (crypto lane)."""
    sealed_cache.put(
        _list_name(message_id),
        json.dumps(paths).encode(),
        session_key=session_key,
        seconds=KEPT_FOR - 120,
    )


def all_of(request: HttpRequest, message: Message) -> list[Kept]:
    """Return all attachments, having a worker take them out; empty if that cannot be done."""
    key = session_keys.session_key(request)
    ask_late(request, message, "reader.extract_all", patience=PATIENCE)
    for sealed_by in (None, key):
        listed = sealed_cache.get(_list_name(message.pk), session_key=sealed_by)
        if listed is not None:
            found = [
                pieces.find(_name(message.pk, path), session_key=key) for path in json.loads(listed)
            ]
            whole = [each for each in found if each is not None]
            return whole if len(whole) == len(found) else []
    return []
