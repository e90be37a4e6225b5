"""Find the content inside a CMS object where it lies, so that parsing copies no large one.

asn1crypto copies what it parses, once a level: 25 MB inside four levels cost four times that. So
the content is left out before: `skeleton` is the object with an empty OCTET STRING in its place,
every other element as it was sent, and asn1crypto judges that. The content itself may be one piece
or, in BER, many (`openssl cms -stream` sends 1 kB or 4 kB at a time).
"""

from dataclasses import dataclass
from typing import Final

from smime.cms import algorithms
from smime.cms.elements import element, object_identifier

# Elements that are passed on the way; a piece of content is one, 3 µs. The largest object
# (content.SIZE_LIMIT) has 65,536 of 1 KiB, the smallest that are met.
ELEMENT_LIMIT = 100_000
DEPTH_LIMIT = 8  # of pieces in pieces

_INTEGER, _OCTETS, _OBJECT_ID, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x30, 0x31
_CONSTRUCTED = 0x20
_CONTEXT_0, _CONTEXT_0_PLAIN = 0xA0, 0x80
_LONG_TAG = 0x1F
_OPEN = -1  # of indefinite length: ends where two octets of zero stand
_END = b"\0\0"
_ANY = 0x00

# What stands before the content: the tags of elements that are passed, then the one it is inside.
# The last is entered once more for SignedData and CompressedData: `content [0] EXPLICIT`.
_ENVELOPED: Final = ((_INTEGER,), (_OBJECT_ID, _SEQUENCE))
_ENCAPSULATED: Final = ((_INTEGER, _ANY), (_OBJECT_ID,))
_SHAPES: Final = {
    object_identifier(algorithms.SIGNED_DATA): _ENCAPSULATED,
    object_identifier(algorithms.COMPRESSED_DATA): _ENCAPSULATED,
    object_identifier(algorithms.ENVELOPED_DATA): _ENVELOPED,
    object_identifier(algorithms.AUTH_ENVELOPED_DATA): _ENVELOPED,
}


@dataclass(frozen=True, slots=True)
class Carved:
    """A CMS object without its content, and that content, still where it was."""

    skeleton: bytes
    pieces: tuple[memoryview, ...] | None  # None: no content was found; the skeleton is all


class TooManyElementsError(ValueError):
    """More elements than ELEMENT_LIMIT stand before, in or behind the content."""


class _Unusual(Exception):  # noqa: N818 - no error: somebody else judges such an object
    """Not built as these objects are."""


def carve(encoded: bytes) -> Carved:
    """Take the content out of a ContentInfo (DER or BER); raises TooManyElementsError.

    What is not built as SignedData, EnvelopedData, AuthEnvelopedData or CompressedData with a
    content is its own skeleton, for a parser to judge.
    """
    try:
        return _Walk(encoded).carved()
    except _Unusual:
        return Carved(encoded, None)


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    at: int  # of its first octet
    start: int  # of its contents
    stop: int  # of its contents, or _OPEN


class _Walk:
    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._view = memoryview(encoded)
        self._passed = 0

    def carved(self) -> Carved:
        whole = self._inside(0, _SEQUENCE)
        named = self._read(whole.start)
        at = self._after(named)
        shape = _SHAPES.get(self._encoded[named.at : at])
        if shape is None:
            raise _Unusual
        explicit = self._inside(at, _CONTEXT_0)
        inner = self._inside(explicit.start, _SEQUENCE)
        before, inside = shape
        at = self._past(inner.start, before)
        if shape is _ENVELOPED:
            at = self._past_recipients(at)
        holder = self._inside(at, _SEQUENCE)
        way = [whole, explicit, inner, holder]
        at = self._past(holder.start, inside)
        if shape is _ENCAPSULATED:
            way.append(self._inside(at, _CONTEXT_0))
            at = way[-1].start
        content = self._read(at)
        empty = self._emptied(content, is_implicit=shape is _ENVELOPED)
        pieces, after = self._pieces(content)
        return Carved(self._without(way, content.at, after, empty), tuple(pieces))

    def _emptied(self, content: _Element, *, is_implicit: bool) -> bytes:
        plain = _CONTEXT_0_PLAIN if is_implicit else _OCTETS
        if content.tag not in {plain, plain | _CONSTRUCTED}:
            raise _Unusual
        return element(plain)

    def _past_recipients(self, at: int) -> int:
        if self._read(at).tag == _CONTEXT_0:  # what the originator sends of itself
            at = self._after(self._read(at))
        return self._past(at, (_SET,))

    def _without(self, way: list[_Element], start: int, after: int, instead: bytes) -> bytes:
        """Write the containers on the way anew, with one thing in them replaced."""
        encoded = self._encoded
        for container in reversed(way):
            stop = self._end(after) if container.stop == _OPEN else container.stop
            if after > stop:
                raise _Unusual
            contents = encoded[container.start : start] + instead + encoded[after:stop]
            instead = element(container.tag, contents)
            start = container.at
            after = stop + len(_END) if container.stop == _OPEN else stop
        return instead + encoded[after:]

    def _pieces(self, content: _Element) -> tuple[list[memoryview], int]:
        """Gather an OCTET STRING's octets; gives the offset behind it, too."""
        if not content.tag & _CONSTRUCTED:
            return [self._view[content.start : content.stop]], content.stop
        found: list[memoryview] = []
        within = [content]
        at = content.start
        while within:
            if self._is_over(within[-1], at):
                at += len(_END) if within.pop().stop == _OPEN else 0
                continue
            piece = self._read(at)
            if piece.tag == _OCTETS:
                found.append(self._view[piece.start : piece.stop])
                at = piece.stop
            elif piece.tag == _OCTETS | _CONSTRUCTED and len(within) < DEPTH_LIMIT:
                within.append(piece)
                at = piece.start
            else:
                raise _Unusual
        return found, at

    def _is_over(self, container: _Element, at: int) -> bool:
        if container.stop == _OPEN:
            return self._encoded.startswith(_END, at)
        if at > container.stop:
            raise _Unusual
        return at == container.stop

    def _read(self, at: int) -> _Element:
        encoded = self._encoded
        self._passed += 1
        if self._passed > ELEMENT_LIMIT:
            raise TooManyElementsError
        if at + 2 > len(encoded):
            raise _Unusual
        tag, length = encoded[at], encoded[at + 1]
        start = at + 2
        if tag & _LONG_TAG == _LONG_TAG:
            raise _Unusual
        if length == 0x80:
            if not tag & _CONSTRUCTED:
                raise _Unusual
            return _Element(tag, at, start, _OPEN)
        if length > 0x80:
            octets = length & 0x7F
            length = int.from_bytes(encoded[start : start + octets])
            start += octets
        if start + length > len(encoded):
            raise _Unusual
        return _Element(tag, at, start, start + length)

    def _inside(self, at: int, tag: int) -> _Element:
        found = self._read(at)
        if found.tag != tag:
            raise _Unusual
        return found

    def _past(self, at: int, tags: tuple[int, ...]) -> int:
        for tag in tags:
            found = self._read(at)
            if tag not in {_ANY, found.tag}:
                raise _Unusual
            at = self._after(found)
        return at

    def _after(self, passed: _Element) -> int:
        """Give the offset behind an element."""
        return passed.stop if passed.stop != _OPEN else self._end(passed.start) + len(_END)

    def _end(self, at: int) -> int:
        """Give the offset of the end of contents that `at` is inside of, before an element."""
        depth = 1
        while True:
            if self._encoded.startswith(_END, at):
                depth -= 1
                if not depth:
                    return at
                at += len(_END)
                continue
            passed = self._read(at)
            if passed.stop == _OPEN:
                depth += 1
                at = passed.start
            else:
                at = passed.stop
