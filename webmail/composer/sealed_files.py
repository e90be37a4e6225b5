"""Large contents of drafts and outgoing mail: sealed files, written and read in pieces.

A file is a mark (a sealed empty value, so that a file tells which key sealed it) and a sequence of
pieces, each a length (4 octets, big endian) and a sealed blob of at most 1 MiB of content. Mark and
pieces are bound to the file's key, each piece to its number and whether it is the last, so that
pieces cannot be swapped, dropped or taken from another file. Files appear whole or not at all
(written beside, synced, renamed).
"""

import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.conf import settings

from accounts import sealing
from accounts.sealing import SealBroken

PIECE = 1024 * 1024  # octets of content in one sealed piece
_PURPOSE = "composer-file"
_LENGTH = struct.Struct(">I")
_KEY_LENGTH = 32
_MARK_SIZE = 37  # version, key id, nonce and tag of an empty value (accounts.sealing)


class TooLargeError(Exception):
    """The content is larger than the caller allowed."""


def write(chunks: Iterable[bytes], *, limit: int | None = None) -> tuple[str, int]:
    """Seal the content into a new file; return (key, octets of content).

    Raises TooLargeError when the content exceeds `limit` octets, OSError when it cannot be written;
    in both cases nothing is left behind.
    """
    key = secrets.token_hex(_KEY_LENGTH)
    return key, _write(key, chunks, limit=limit)


def sealed_paths() -> Iterator[Path]:
    """Yield the files of this module."""
    directory = Path(settings.BLOB_DIR) / "composer"
    return (path for path in directory.glob("??/*") if not path.suffix)


def renew(path: Path) -> None:
    """Seal a file anew under the newest key, piece by piece.

    Raises FileNotFoundError when it is gone, SealBroken when it does not open and stays as it is.
    """
    _write(path.name, read(path.name))


def _write(key: str, chunks: Iterable[bytes], *, limit: int | None = None) -> int:
    """Put the content into the file of that key, as a whole or not at all; return its octets."""
    target = _path(key)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            size = 0
            file.write(_mark(key))
            for number, (piece, is_last) in enumerate(_pieces(chunks)):
                size += len(piece)
                if limit is not None and size > limit:
                    raise TooLargeError
                sealed = sealing.seal(
                    piece, purpose=_PURPOSE, subject=_subject(key, number, is_last=is_last)
                )
                file.write(_LENGTH.pack(len(sealed)) + sealed)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def read(key: str) -> Iterator[bytes]:
    """Yield the content in pieces. Raises FileNotFoundError, SealBroken (also if it is cut)."""
    with _path(key).open("rb") as file:
        number = 0
        sealing.open_sealed(file.read(_MARK_SIZE), purpose=_PURPOSE, subject=f"{key}:mark")
        sealed = _next_piece(file.read(_LENGTH.size), file.read)
        while sealed is not None:
            following = _next_piece(file.read(_LENGTH.size), file.read)
            subject = _subject(key, number, is_last=following is None)
            yield sealing.open_sealed(sealed, purpose=_PURPOSE, subject=subject)
            sealed, number = following, number + 1
    if number == 0:
        raise SealBroken("the file is empty")


def read_all(key: str) -> bytes:
    """Return the whole content (callers know that its size is bounded)."""
    return b"".join(read(key))


def drop(key: str) -> None:
    """Remove the file; one that is gone already is fine."""
    if key:
        _path(key).unlink(missing_ok=True)


def _mark(key: str) -> bytes:
    mark = sealing.seal(b"", purpose=_PURPOSE, subject=f"{key}:mark")
    assert len(mark) == _MARK_SIZE
    return mark


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut into pieces of PIECE octets; the last (perhaps empty) one is marked."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > PIECE:
            yield bytes(held[:PIECE]), False
            del held[:PIECE]
    yield bytes(held), True


def _next_piece(prefix: bytes, read_octets: Callable[[int], bytes]) -> bytes | None:
    if not prefix:
        return None
    if len(prefix) != _LENGTH.size:
        raise SealBroken("the file is cut off")
    (length,) = _LENGTH.unpack(prefix)
    if length > PIECE + 4096:
        raise SealBroken("the file is damaged")
    sealed = read_octets(length)
    if len(sealed) != length:
        raise SealBroken("the file is cut off")
    return sealed


def _subject(key: str, number: int, *, is_last: bool) -> str:
    return f"{key}:{number}:{'last' if is_last else 'more'}"


def _path(key: str) -> Path:
    if len(key) != 2 * _KEY_LENGTH or not key.isalnum():
        raise FileNotFoundError(f"no such key: {len(key)} characters")
    return Path(settings.BLOB_DIR) / "composer" / key[:2] / key
