"""Large contents in the sealed cache: a window at a time, in pieces; neither side holds one whole.

A directory under the content's name and the window's offset tells the window's pieces, whose names
are new each time, so that two makings never mix. Whoever reads on has the next window made. Pieces
of one content are sealed alike: under the session's key if it came out of an encrypted layer, else
under the keyring.
"""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from accounts import sealed_cache

PIECE = 1024 * 1024  # octets
WINDOW = 16 * PIECE  # octets of a content that wait in the cache for one reader
START = 64  # octets of the window's beginning that the directory holds


class PieceLostError(Exception):
    """A piece left the cache while its content was sent; the answer breaks off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A window of a content, by its pieces in the cache."""

    filename: str
    content_type: str
    size: int | None  # octets of the whole content; None: not known before its end
    start: bytes  # the window's first octets: those of the content tell its kind
    offset: int  # of the window in the content
    is_last: bool  # the content ends with this window
    names: tuple[str, ...]
    session_key: bytes | None

    def pieces(
        self, more: "Callable[[int], Kept | None] | None" = None, *, drops: bool = False
    ) -> Iterator[bytes]:
        """Yield the content from the window's offset on. Raises PieceLostError.

        `more` has a window made from an offset on: the next one, or one whose pieces have left the
        cache. `drops`: what was sent makes room at once; so it does where there are more windows.
        """
        window, number, offset = self, 0, self.offset
        drops = drops or not self.is_last
        while number < len(window.names) or not window.is_last:
            piece = window.piece(number)
            if piece is None:
                found = more(offset) if more else None
                if found is None:
                    raise PieceLostError
                window, number = found, 0
                if not window.names:  # the window before ended where the content does
                    return
                piece = window.piece(0)
                if piece is None:
                    raise PieceLostError
            yield piece
            if drops:
                sealed_cache.drop(window.names[number], session_key=window.session_key)
            number += 1
            offset += len(piece)

    def piece(self, number: int) -> bytes | None:
        """Return a piece of the window; None if there is none, or not any more."""
        if number >= len(self.names):
            return None
        return sealed_cache.get(self.names[number], session_key=self.session_key)

    def first(self, octets: int) -> bytes:
        """Return at most `octets` from the window's beginning. Raises PieceLostError."""
        found = bytearray()
        for number in range(min(len(self.names), -(-octets // PIECE))):
            piece = self.piece(number)
            if piece is None:
                raise PieceLostError
            found += piece
        return bytes(found[:octets])


def keep(
    name: str,
    content: bytes,
    *,
    filename: str,
    content_type: str,
    session_key: bytes | None,
    seconds: int,
    offset: int = 0,
) -> None:
    """Put a window of a content, from `offset` on, into the cache; its directory comes last."""
    keep_window(
        name,
        content[offset : offset + WINDOW],
        offset=offset,
        size=len(content),
        is_last=len(content) <= offset + WINDOW,
        filename=filename,
        content_type=content_type,
        session_key=session_key,
        seconds=seconds,
    )


def keep_window(
    name: str,
    window: bytes,
    *,
    offset: int,
    size: int | None,
    is_last: bool,
    filename: str,
    content_type: str,
    session_key: bytes | None,
    seconds: int,
) -> None:
    """Put a window into the cache whose content is not here as a whole; see `Kept`."""
    stem = f"{name}:{secrets.token_hex(8)}"
    names = [f"{stem}:{at}" for at in range(0, len(window), PIECE)]
    for number, piece in enumerate(names):
        cut = window[number * PIECE : (number + 1) * PIECE]
        sealed_cache.put(piece, cut, session_key=session_key, seconds=seconds)
    directory = {
        "filename": filename,
        "type": content_type,
        "size": size,
        "start": base64.b64encode(window[:START]).decode(),
        "is_last": is_last,
        "pieces": names,
    }
    # Gone before its pieces: what is found can be read.
    sealed_cache.put(
        _directory(name, offset),
        json.dumps(directory).encode(),
        session_key=session_key,
        seconds=seconds - 60,
    )


def find(name: str, *, session_key: bytes, offset: int = 0) -> Kept | None:
    """Return a content's window, whichever way it is sealed; None if it is not here."""
    for key in (None, session_key):
        found = sealed_cache.get(_directory(name, offset), session_key=key)
        if found is not None:
            directory = json.loads(found)
            return Kept(
                filename=directory["filename"],
                content_type=directory["type"],
                size=directory["size"],
                start=base64.b64decode(directory["start"]),
                offset=offset,
                is_last=directory["is_last"],
                names=tuple(directory["pieces"]),
                session_key=key,
            )
    return None


def _directory(name: str, offset: int) -> str:
    return f"{name}@{offset}"
