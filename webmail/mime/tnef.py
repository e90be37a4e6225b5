"""TNEF, the `winmail.dat` of Outlook ([MS-OXTNEF]): its files and its text, nothing else.

One pass over attributes and MAPI properties by their lengths; every step goes forward by at least
four octets. Messages inside are not opened, compressed RTF is not expanded.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from webmail.mime.charset import codec_for, decode_as, decode_fallback
from webmail.mime.limits import MIB

LONGEST: Final = 10 * MIB  # octets; a longer one is a file like any other
MOST_FILES: Final = 100
_MOST_PROPERTIES: Final = 10_000  # of the message or of one file, and values of one property
SIGNATURE: Final = b"\x78\x9f\x3e\x22"

# Attributes ([MS-OXTNEF] §2.1.3.2), type and number as one.
_OEM_CODEPAGE: Final = 0x00069007
_BODY: Final = 0x0002800C
_MESSAGE_PROPERTIES: Final = 0x00069003
_NEW_FILE: Final = 0x00069002
_FILE_TITLE: Final = 0x00018010
_FILE_CONTENT: Final = 0x0006800F
_FILE_PROPERTIES: Final = 0x00069005
# MAPI properties ([MS-OXPROPS])
_TEXT: Final = 0x1000
_HTML: Final = 0x1013
_INTERNET_CODEPAGE: Final = 0x3FDE
_DISPLAY_NAME: Final = 0x3001
_CONTENT: Final = 0x3701
_LONG_NAME: Final = 0x3707
_MIME_TYPE: Final = 0x370E
_CONTENT_ID: Final = 0x3712
# MAPI types ([MS-OXCDATA] §2.11.1)
_MANY: Final = 0x1000
_FIXED: Final = {
    0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8,
    0x48: 16,
}  # fmt: skip
_OBJECT: Final = 0x0D
_STRING, _UNICODE, _BINARY = 0x1E, 0x1F, 0x102
_VARIABLE: Final = frozenset({_OBJECT, _STRING, _UNICODE, _BINARY})
_OBJECT_ID: Final = 16  # octets of an interface identifier in front of an object
# Windows numbers of code pages whose labels are not "windows-<number>".
_CODEPAGES: Final = {
    65001: "utf-8", 1200: "utf-16le", 20127: "us-ascii", 20866: "koi8-r", 21866: "koi8-u",
    932: "shift_jis", 936: "gbk", 949: "euc-kr", 950: "big5", 874: "windows-874",
    50220: "iso-2022-jp", 51932: "euc-jp", 54936: "gb18030",
}  # fmt: skip
_ISO_8859: Final = 28590


@dataclass(slots=True)
class TnefFile:
    """A file as TNEF states it; the name is neither decoded for show nor safe."""

    name: str = ""
    content: bytes = b""
    content_type: str = ""
    content_id: str = ""
    is_message: bool = False  # a message inside, in TNEF


@dataclass(slots=True)
class Tnef:
    """What was found. `text` and `html` are empty when there is none."""

    files: list[TnefFile] = field(default_factory=list)
    text: str = ""
    html: str = ""
    is_damaged: bool = False  # cut, or not TNEF from some octet on
    is_cut: bool = False  # more files than MOST_FILES


class _Damaged(Exception):  # noqa: N818 - the name says what happened
    """A length that leads out of the octets, or a type that has none."""


def is_tnef(content: bytes) -> bool:
    """Do these octets begin as TNEF does?"""
    return content.startswith(SIGNATURE)


def read_tnef(content: bytes) -> Tnef:
    """Read the octets of a `winmail.dat`; never raises. What stands before damage is kept."""
    reader = _Reader()
    try:
        if not is_tnef(content) or len(content) > LONGEST:
            raise _Damaged  # noqa: TRY301 - one way to say it
        for attribute, value in _attributes(content):
            if reader.take(attribute, value):
                reader.found.is_cut = True
                break
    except _Damaged:
        reader.found.is_damaged = True
    reader.finish()
    return reader.found


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6  # the signature and a key that nothing refers to
    while at + 9 <= len(content):
        level, attribute, length = struct.unpack_from("<BII", content, at)
        at += 9
        if level not in {1, 2} or at + length > len(content):
            if level in {1, 2}:
                yield attribute, content[at:]
            raise _Damaged
        yield attribute, content[at : at + length]
        at += length + 2  # a sum of the octets, which many writers get wrong


@dataclass(slots=True)
class _Reader:
    found: Tnef = field(default_factory=Tnef)
    codec: str | None = None
    html_codec: str | None = None
    html: bytes = b""
    body: bytes = b""

    def take(self, attribute: int, value: bytes) -> bool:
        """Use one attribute; True when there are too many files."""
        files = self.found.files
        if attribute == _OEM_CODEPAGE and len(value) >= 4:
            self.codec = _codec(int.from_bytes(value[:4], "little"))
        elif attribute == _BODY:
            self.body = value
        elif attribute == _MESSAGE_PROPERTIES:
            self._take_message(value)
        elif attribute == _NEW_FILE:
            if len(files) >= MOST_FILES:
                return True
            files.append(TnefFile())
        elif attribute == _FILE_TITLE and files:
            files[-1].name = files[-1].name or self._decode(value)
        elif attribute == _FILE_CONTENT and files:
            files[-1].content = value
        elif attribute == _FILE_PROPERTIES and files:
            self._take_file(files[-1], value)
        return False

    def _take_message(self, value: bytes) -> None:
        for number, kind, octets in _properties(value):
            if number == _TEXT and kind in {_STRING, _UNICODE}:
                self.found.text = self._string(kind, octets)
            elif number == _HTML:
                self.html = octets
                if kind == _UNICODE:
                    self.html_codec = "utf-16-le"
            elif number == _INTERNET_CODEPAGE and self.html_codec is None:
                self.html_codec = _codec(int.from_bytes(octets[:4], "little"))

    def _take_file(self, file: TnefFile, value: bytes) -> None:
        for number, kind, octets in _properties(value):
            if number == _LONG_NAME:
                file.name = self._string(kind, octets) or file.name
            elif number == _DISPLAY_NAME and not file.name:
                file.name = self._string(kind, octets)
            elif number == _MIME_TYPE:
                file.content_type = self._string(kind, octets).lower()
            elif number == _CONTENT_ID:
                file.content_id = self._string(kind, octets).strip("<> ")
            elif number == _CONTENT and kind in {_OBJECT, _BINARY}:
                inner = octets[_OBJECT_ID:] if kind == _OBJECT else octets
                file.is_message = is_tnef(inner)
                file.content = inner or file.content

    def _string(self, kind: int, octets: bytes) -> str:
        if kind == _UNICODE:
            return decode_as(octets, "utf-16-le").split("\0", 1)[0]
        return self._decode(octets)

    def _decode(self, octets: bytes) -> str:
        octets = octets.split(b"\0", 1)[0]
        return decode_as(octets, self.codec) if self.codec else decode_fallback(octets)

    def finish(self) -> None:
        """Decode what needed a code page that may have come later."""
        if not self.found.text and self.body:
            self.found.text = self._decode(self.body)
        if self.html:
            codec = self.html_codec or self.codec
            self.found.html = decode_as(self.html, codec) if codec else decode_fallback(self.html)
            self.found.html = self.found.html.rstrip("\0")


def _codec(codepage: int) -> str | None:
    if 0 < codepage - _ISO_8859 <= 16:
        return codec_for(f"iso-8859-{codepage - _ISO_8859}")
    label = _CODEPAGES.get(codepage)
    return codec_for(label) or codec_for(f"windows-{codepage}") or codec_for(f"cp{codepage}")


def _properties(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, type and first value of each property ([MS-OXTNEF] §2.1.3.4)."""
    count, at = _number(content, 0)
    if count > _MOST_PROPERTIES:
        raise _Damaged
    for _ in range(count):
        kind, at = _number(content, at)
        number, kind = kind >> 16, kind & 0xFFFF
        if number >= 0x8000:
            at = _after_name(content, at)
        is_many, kind = bool(kind & _MANY), kind & ~_MANY
        if kind in _VARIABLE:
            value, at = _variable(content, at)
        elif kind in _FIXED:
            values = 1
            if is_many:
                values, at = _number(content, at)
            size = _FIXED[kind]
            value = content[at : at + size]
            at += size * values
        else:
            raise _Damaged
        if at > len(content) + 3:  # the last one is not always filled up
            raise _Damaged
        yield number, kind, value


def _after_name(content: bytes, at: int) -> int:
    """Offset behind the GUID and the name of a named property."""
    is_text, at = _number(content, at + 16)
    length, at = _number(content, at)
    return at + _padded(length) if is_text else at


def _variable(content: bytes, at: int) -> tuple[bytes, int]:
    """The first of some values with lengths, and the offset behind all of them."""
    values, at = _number(content, at)
    first = b""
    if values > _MOST_PROPERTIES:
        raise _Damaged
    for position in range(values):
        length, at = _number(content, at)
        if at + length > len(content):
            raise _Damaged
        if position == 0:
            first = content[at : at + length]
        at += _padded(length)
    return first, at


def _padded(length: int) -> int:
    return length + -length % 4


def _number(content: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(content):
        raise _Damaged
    return int.from_bytes(content[at : at + 4], "little"), at + 4
