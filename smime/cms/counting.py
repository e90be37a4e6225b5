"""Say whether an object would cost asn1crypto too much, before it is given to it.

It takes elements apart one by one (3 µs to 30 µs each), copies what it has so far for every further
piece of a string, and reads long tags and identifiers in quadratic time: 200 kB of one took ten
seconds.
"""

from dataclasses import dataclass

from smime.cms import algorithms
from smime.cms.elements import object_identifier

ELEMENT_LIMIT = 100_000  # 2000 recipients (enveloped.RECIPIENT_LIMIT) have some 90,000
COPY_LIMIT = 4_000_000_000  # bytes copied to come from one member to the next, about a second
IDENTIFIER_LIMIT = 128  # bytes of an OBJECT IDENTIFIER; a UUID in one has 20
_TAG_LIMIT = 4  # further octets of a long tag; CMS has none

_OBJECT_ID = 0x06
_CERTIFICATES_AND_LISTS = frozenset({0xA0, 0xA1})  # tags in a SignedData
_CONSTRUCTED, _LONG_TAG, _OPEN_LENGTH = 0x20, 0x1F, 0x80
_END = b"\0\0"
_IN_CERTIFICATES = 4  # levels: ContentInfo, its content, SignedData, the set of them


def costs_too_much(encoded: bytes) -> bool:
    """Whether a ContentInfo (DER or BER) has more than is taken apart here. Never raises.

    Certificates and revocation lists of a SignedData count one each: they are not taken apart.
    Damage ends the count of what it is in: asn1crypto comes no further either.
    """
    return _Count(encoded).is_too_much()


@dataclass(slots=True)
class _Container:
    """A constructed element that the count is inside of."""

    tag: int
    start: int
    bound: int  # where it ends; of indefinite length: at the latest
    is_open: bool  # of indefinite length
    members: int = 0


class _Count:
    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._within: list[_Container] = []
        self._elements = 0
        self._copied = 0
        self._is_signed = False

    def is_too_much(self) -> bool:
        at: int | None = self._passed(0, len(self._encoded))
        while at is not None and self._within:
            innermost = self._within[-1]
            if at >= innermost.bound:
                at = self._left(innermost.bound)
            elif innermost.is_open and self._encoded.startswith(_END, at):
                at = self._left(at)
                at = None if at is None else at + len(_END)
            else:
                innermost.members += 1
                at = self._passed(at, innermost.bound)
        return at is None

    def _left(self, at: int) -> int | None:
        """Leave the innermost container; None: it was too much."""
        left = self._within.pop()
        self._copied += left.members * (at - left.start) // 2
        return at if self._copied <= COPY_LIMIT else None

    def _passed(self, at: int, bound: int) -> int | None:
        """Give where to go on: inside an element, or behind it; None: it is too much."""
        encoded = self._encoded
        self._elements += 1
        if self._elements > ELEMENT_LIMIT:
            return None
        tag, start = encoded[at], self._behind_tag(at, bound)
        if start is None or start >= bound:
            return None if start is None else bound
        length = encoded[start]
        start += 1
        if length == _OPEN_LENGTH:
            if not tag & _CONSTRUCTED:
                return bound
            self._within.append(_Container(tag, start, bound, is_open=True))
            return start
        if length > _OPEN_LENGTH:
            octets = length & 0x7F
            length = int.from_bytes(encoded[start : start + octets])
            start += octets
        stop = start + length
        if stop > bound:
            return bound
        if tag == _OBJECT_ID:
            if length > IDENTIFIER_LIMIT:
                return None
            self._note(encoded[at:stop])
        if not tag & _CONSTRUCTED or self._is_kept_whole():
            return stop
        self._within.append(_Container(tag, start, stop, is_open=False))
        return start

    def _behind_tag(self, at: int, bound: int) -> int | None:
        """Give the offset of an element's length; None: the tag is too long."""
        start = at + 1
        if self._encoded[at] & _LONG_TAG != _LONG_TAG:
            return start
        while start < bound and self._encoded[start] & 0x80:
            start += 1
            if start - at > _TAG_LIMIT:
                return None
        return start + 1

    def _note(self, identifier: bytes) -> None:
        """Note what the object is: the first thing in it says so."""
        if len(self._within) == 1 and self._within[0].members == 1:
            self._is_signed = identifier == object_identifier(algorithms.SIGNED_DATA)

    def _is_kept_whole(self) -> bool:
        """Whether the next element is a certificate or revocation list of a SignedData."""
        return (
            self._is_signed
            and len(self._within) == _IN_CERTIFICATES
            and self._within[-1].tag in _CERTIFICATES_AND_LISTS
        )
