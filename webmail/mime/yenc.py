"""yEnc files in text (the yEnc draft 1.3): octets shifted by 42, a few of them escaped."""

import io
import re
import zlib
from typing import Final

from webmail.mime.uuencoded import FoundFile

OPENING: Final = re.compile(rb"^=ybegin ([^\r\n]{1,2048})\r?$", re.MULTILINE)
_PART: Final = re.compile(rb"=ypart [^\r\n]{0,1024}\r?\n")
_CLOSING: Final = re.compile(rb"^=yend( [^\r\n]{0,1024})?\r?$", re.MULTILINE)
_KEYWORD: Final = re.compile(rb"(?:^|\s)(line|size|part|total|pcrc32|crc32)=([0-9A-Fa-f]{1,20})")
_NAME: Final = re.compile(rb"(?:^|\s)name=(.+)$")
_ESCAPE: Final = re.compile(rb"=(.)", re.DOTALL)
_PIECE: Final = 16 * 1024  # octets; escapes alone take seventy times as much
_SHIFT: Final = bytes((octet - 42) & 255 for octet in range(256))
_UNESCAPE: Final = bytes((octet - 64) & 255 for octet in range(256))


def read_yenc(text: bytes, opening: re.Match[bytes]) -> FoundFile | None:
    """The file behind a `=ybegin` line; None when that line is none.

    Of a file in several parts it is one part, named so. Damaged: its length or its CRC-32 is not
    what the trailer says, or there is no trailer.
    """
    stated = dict(_KEYWORD.findall(opening[1]))
    name = _NAME.search(opening[1])
    if name is None or b"size" not in stated:
        return None
    start = text.find(b"\n", opening.end()) + 1 or len(text)
    if (header := _PART.match(text, start)) is not None:
        start = header.end()
    closing = _CLOSING.search(text, start)
    end = len(text) if closing is None else closing.start()
    content = _decode(text, start, end)
    if closing is not None:
        end = text.find(b"\n", closing.end()) + 1 or len(text)
    trailer = dict(_KEYWORD.findall(closing[1] or b"")) if closing is not None else {}
    label = name[1].strip()
    if b"part" in stated and stated.get(b"total") != b"1":
        label += b".part" + stated[b"part"]
    return FoundFile(opening.start(), end, label, content, not _is_whole(content, trailer))


def _decode(text: bytes, start: int, end: int) -> bytes:
    """In pieces: a text of nothing but escapes would take seventy times its size at once."""
    content = io.BytesIO()  # gives its octets away uncopied
    is_escaped = False
    for at in range(start, end, _PIECE):
        piece = text[at : min(at + _PIECE, end)].translate(None, b"\r\n")
        if is_escaped:
            piece = b"=" + piece
        # An odd run of signs at the end escapes what the next piece starts with.
        is_escaped = (len(piece) - len(piece.rstrip(b"="))) % 2 == 1
        if is_escaped:
            piece = piece[:-1]
        plain = _ESCAPE.sub(lambda found: found[1].translate(_UNESCAPE), piece)
        content.write(plain.translate(_SHIFT))
    return content.getvalue()


def _is_whole(content: bytes, trailer: dict[bytes, bytes]) -> bool:
    size = trailer.get(b"size", b"")
    if not size.isdigit() or int(size) != len(content):
        return False
    # `crc32` of one part of many is that of the whole file.
    stated = trailer.get(b"pcrc32") or (None if b"part" in trailer else trailer.get(b"crc32"))
    return stated is None or int(stated, 16) == zlib.crc32(content)
