"""Large contents in the sealed cache, in pieces: neither side holds one as a whole for the other.

A directory under the content's name tells its pieces, whose names are new each time, so that two
makings never mix. Pieces of one content are sealed alike: under the session's key if it came out of
an encrypted layer, else under the keyring.
"""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from accounts import sealed_cache

PIECE = 1024 * 1024  # octets
START = 64  # octets of the beginning that the directory holds


class PieceLostError(Exception):
    """A piece left the cache while its content was sent; the answer breaks off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A content in the cache."""

    filename: str
    content_type: str
    size: int  # octets
    start: bytes  # its first octets, to know its kind by
    names: tuple[str, ...]
    session_key: bytes | None

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises PieceLostError."""
        for name in self.names:
            piece = sealed_cache.get(name, session_key=self.session_key)
            if piece is None:
                raise PieceLostError
            yield piece

    def first(self, octets: int) -> bytes:
        """Return at most `octets` from the beginning, rounded up to whole pieces and cut."""
        found = bytearray()
        for piece in self.pieces():
            found += piece
            if len(found) >= octets:
                break
        return bytes(found[:octets])


def keep(
    name: str,
    content: bytes,
    *,
    filename: str,
    content_type: str,
    session_key: bytes | None,
    seconds: int,
) -> None:
    """Put a content into the cache; the directory comes last."""
    stem = f"{name}:{secrets.token_hex(8)}"
    names = [f"{stem}:{at}" for at in range(0, len(content), PIECE)]
    for number, piece in enumerate(names):
        cut = content[number * PIECE : (number + 1) * PIECE]
        sealed_cache.put(piece, cut, session_key=session_key, seconds=seconds)
    directory = {
        "filename": filename,
        "type": content_type,
        "size": len(content),
        "start": base64.b64encode(content[:START]).decode(),
        "pieces": names,
    }
    # Gone before its pieces: what is found can be read.
    sealed_cache.put(
        name, json.dumps(directory).encode(), session_key=session_key, seconds=seconds - 60
    )


def find(name: str, *, session_key: bytes) -> Kept | None:
    """Return a content by its name, whichever way it is sealed; None if it is not here."""
    for key in (None, session_key):
        found = sealed_cache.get(name, session_key=key)
        if found is not None:
            directory = json.loads(found)
            return Kept(
                filename=directory["filename"],
                content_type=directory["type"],
                size=directory["size"],
                start=base64.b64decode(directory["start"]),
                names=tuple(directory["pieces"]),
                session_key=key,
            )
    return None
