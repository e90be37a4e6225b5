"""uuencoded files in text (POSIX `uuencode`): where they are, and what they hold.

Linear in the length of the text; no list of lines is made of it.
"""

import binascii
import re
from dataclasses import dataclass
from typing import Final

from webmail.mime.transfer import UU_GROWTH, decode_base64, decode_uu_line

# The name may be anything; the mode tells the line from one of prose that starts with "begin".
OPENING: Final = re.compile(rb"^begin(-base64)? [0-7]{3,4} ([^\r\n]{1,1024})\r?$", re.MULTILINE)
_FIRST, _LAST = 0x20, 0x60  # characters of a data line


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file in a text. `start` and `end` are offsets into that text, its markers included."""

    start: int
    end: int
    name: bytes
    content: bytes
    is_damaged: bool  # cut, or not what its own sums say


def read_uuencoded(text: bytes, opening: re.Match[bytes]) -> FoundFile | None:
    """The file behind an opening line; None when no line of data follows: that is prose."""
    at = _next_line(text, opening.end())
    reader = _read_base64 if opening[1] else _read_lines
    content, end, is_whole = reader(text, at)
    if not content and not is_whole:
        return None
    return FoundFile(opening.start(), end, opening[2].strip(), content, not is_whole)


def _next_line(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return len(text) if found < 0 else found + 1


def _read_lines(text: bytes, at: int) -> tuple[bytes, int, bool]:
    """Content, offset behind it, and whether the end was marked."""
    content = bytearray()
    start = at
    while at < len(text):
        following = _next_line(text, at)
        line = text[at : min(following, at + 200)].rstrip(b"\r\n")
        if line.rstrip() == b"end":
            return bytes(content), following, True
        if not _is_data(line):
            break
        content += decode_uu_line(line)
        at = following
        if len(content) > max(at - start, UU_GROWTH):
            break
    return bytes(content), at, False


def _is_data(line: bytes) -> bool:
    """A count and as many characters as it needs; blanks at the end may have got lost."""
    if not line:
        return True  # a count of zero whose blank got lost
    if min(line) < _FIRST or max(line) > _LAST:
        return False
    needed = 1 + ((line[0] - 32 & 63) + 2) // 3 * 4
    # Some encoders write a character of sum, or fill the last group, behind it.
    return len(line) <= needed + 2


def _read_base64(text: bytes, at: int) -> tuple[bytes, int, bool]:
    """Likewise for `uuencode -m`, whose last line is `====`."""
    found = re.compile(rb"^====[ \t]*\r?$", re.MULTILINE).search(text, at)
    if found is None:
        return b"", at, False
    try:
        content = binascii.a2b_base64(text[at : found.start()])
    except binascii.Error:
        content = decode_base64(text[at : found.start()])
    return content, _next_line(text, found.end()), True
