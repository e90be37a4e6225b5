"""Write DER elements (X.690) of parts that are DER already.

For what is written often or is large; asn1crypto encodes a structure some five times over.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from asn1crypto.core import ObjectIdentifier

type Octets = bytes | memoryview

SEQUENCE: Final = 0x30
SET: Final = 0x31
OCTET_STRING: Final = 0x04
EXPLICIT_0: Final = 0xA0
_INTEGER: Final = 0x02
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_UTC_TIME_END = 2050  # RFC 5652 §11.3: UTCTime until 2049


def opening(tag: int, length: int) -> bytes:
    """Give the first octets of an element of `length` octets; tags below 31 only."""
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(size))) + size


def element(tag: int, *parts: Octets) -> bytes:
    """Give an element that holds `parts`, one after the other."""
    return b"".join((opening(tag, sum(map(len, parts))), *parts))


def wrapped(tag: int, parts: Sequence[Octets]) -> list[Octets]:
    """Give an element that holds `parts`, not joined: large ones are not copied."""
    return [opening(tag, sum(map(len, parts))), *parts]


def sequence(*parts: bytes) -> bytes:
    """Give a SEQUENCE."""
    return element(SEQUENCE, *parts)


def set_of(members: Iterable[bytes], tag: int = SET) -> bytes:
    """Give a SET OF: its members in the order of their encodings (X.690 §11.6)."""
    return element(tag, *sorted(members))


def octet_string(content: bytes) -> bytes:
    """Give an OCTET STRING."""
    return element(OCTET_STRING, content)


def integer(value: int) -> bytes:
    """Give an INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return element(_INTEGER, value.to_bytes(size, signed=True))


def in_portions(pieces: Iterable[Octets], size: int) -> Iterator[Octets]:
    """Give the octets in pieces of at most `size`, uncopied: what fits a processor's cache."""
    for piece in pieces:
        if len(piece) <= size:
            yield piece
            continue
        view = memoryview(piece)
        for start in range(0, len(view), size):
            yield view[start : start + size]


@cache
def object_identifier(dotted: str) -> bytes:
    """Give an OBJECT IDENTIFIER; only for the identifiers of this program, which are kept."""
    return bytes(ObjectIdentifier(dotted).dump())


def time(moment: datetime) -> bytes:
    """Give a Time (RFC 5652 §11.3), whole seconds."""
    stated = moment.astimezone(UTC)
    if stated.year < _UTC_TIME_END:
        return element(_UTC_TIME, stated.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return element(_GENERALIZED_TIME, stated.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
