"""Parts of messages for download and for inline images: taken out by a worker, served by the web.

A content waits in the sealed cache a window at a time (`webmail.reader.pieces`); the web passes its
pieces on one by one, asks for the next window, and never holds a whole attachment.
"""

import json
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.http import HttpRequest

from accounts import lanes, late_replies, replies, sealed_cache
from smime import unlocking
from webmail.mailbox.models import Message
from webmail.reader import pieces
from webmail.reader.pieces import Kept
from webmail.reader.reading import ask, ask_late

KEPT_FOR = 900  # seconds: a slow line takes its time
PATIENCE = 30.0  # seconds: a large part of a message that is not here yet
SOURCE = "source"  # the path of the message itself
JUNK = "junk"  # the worker's word for files that are not given together: the mail lies in spam
UNRELIABLE = "unreliable"  # the same: not all of the mail may be relied on
TOO_LARGE = "too-large"  # the worker's word for what is beyond settings.MESSAGE_LIMIT


class NotTakenOut(Exception):  # noqa: N818 - the name says what happened
    """A part is not here; `is_too_large`, `is_of_junk`, `is_unreliable`: and not only for now."""

    def __init__(self, word: str | None) -> None:
        super().__init__(word or "")
        self.is_too_large = word == TOO_LARGE
        self.is_of_junk = word == JUNK
        self.is_unreliable = word == UNRELIABLE


def name_of(message_id: int, path: str) -> str:
    """Return a part's name in the cache."""
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
    offset: int = 0,
) -> None:
    """Put a part's window into the sealed cache (crypto lane).

    `session_key` None: never encrypted.
    """
    pieces.keep(
        name_of(message_id, path),
        content,
        filename=filename,
        content_type=content_type,
        session_key=session_key,
        seconds=KEPT_FOR,
        offset=offset,
    )


def content(request: HttpRequest, message: Message, path: str) -> Kept:
    """Return the part at "layer/path" ("source": the message), having a worker take it out if need
    be. Raises NotTakenOut.
    """
    name, key = name_of(message.pk, path), unlocking.opened_key(request)
    found = pieces.find(name, session_key=key)
    if found is not None:
        return found
    if _is_beyond(message, path):
        word = late_replies.ask(request, _post_original(message, 0), PATIENCE)
    else:
        word = ask_late(request, message, "reader.extract_part", path, "0", patience=PATIENCE)
    found = pieces.find(name, session_key=key)
    if found is None:
        raise NotTakenOut(word)
    return found


def sent(
    request: HttpRequest, message: Message, path: str, found: Kept, *, drops: bool = False
) -> Iterator[bytes]:
    """Yield a part that was found; further windows of it are asked for as it is sent.

    Raises pieces.PieceLostError.
    """
    name, key = name_of(message.pk, path), unlocking.opened_key(request)

    def more(offset: int) -> Kept | None:
        if _is_beyond(message, path):
            reply = replies.reply_key()
            _post_original(message, offset)(reply)
            replies.wait(reply, PATIENCE)
        else:
            ask(request, message, "reader.extract_part", path, str(offset), patience=PATIENCE)
        return pieces.find(name, session_key=key, offset=offset)

    return found.pieces(more, drops=drops)


def _is_beyond(message: Message, path: str) -> bool:
    """Whether it is a whole message that is too large to be read here, only passed on."""
    return path == SOURCE and message.size > settings.MESSAGE_LIMIT


def _post_original(message: Message, offset: int) -> Callable[[str], None]:
    def post(reply: str) -> None:
        lanes.post("reader.fetch_window", message.pk, reply, str(offset), lane="interactive")

    return post


def keep_list(
    message_id: int, files: Sequence[tuple[str, str]], *, session_key: bytes | None
) -> None:
    """Tell which parts are all attachments of a message: (path, file name); crypto lane."""
    sealed_cache.put(
        _list_name(message_id),
        json.dumps(files).encode(),
        session_key=session_key,
        seconds=KEPT_FOR - 120,
    )


def all_of(request: HttpRequest, message: Message) -> list[tuple[str, Iterator[bytes]]]:
    """Return all attachments, by name and content, each taken out by a worker when it is its turn.

    Raises NotTakenOut; the contents raise pieces.PieceLostError.
    """
    key = unlocking.opened_key(request)
    word = ask_late(request, message, "reader.extract_all", "0", patience=PATIENCE)
    for sealed_by in (None, key):
        listed = sealed_cache.get(_list_name(message.pk), session_key=sealed_by)
        if listed is not None and word in {"done", None}:
            return [
                (filename, _in_turn(request, message, path, number))
                for number, (path, filename) in enumerate(json.loads(listed))
            ]
    raise NotTakenOut(word)


def _in_turn(request: HttpRequest, message: Message, path: str, number: int) -> Iterator[bytes]:
    name, key = name_of(message.pk, path), unlocking.opened_key(request)
    found = pieces.find(name, session_key=key)
    if found is None:
        ask(request, message, "reader.extract_all", str(number), patience=PATIENCE)
        found = pieces.find(name, session_key=key)
    if found is None:
        raise pieces.PieceLostError
    yield from sent(request, message, path, found, drops=True)
