"""Content transfer decodings (RFC 2045 §6) that accept anything and never raise."""

import binascii
import re
import struct
from collections.abc import Iterable, Iterator
from typing import Final

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_ALPHABET))
_LINE_INPUT: Final = 57  # octets that make a line of base64
_LINE_OUTPUT: Final = 76
_PORTION: Final = 1024 * _LINE_INPUT
_PORTION_LINES: Final = struct.Struct(f"{_LINE_OUTPUT}s" * 1024)
_PADDED_SOFT_BREAK: Final = re.compile(rb"=[ \t]+(?=\r?\n)")

# Blanks that got lost at the ends of lines are octets of zero: a file may be longer than its text,
# but only up to here.
UU_GROWTH: Final = 1024 * 1024
_LONGEST_UU_LINE: Final = 1024  # a count of 63 needs 85 characters

IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})
UUENCODE: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
KNOWN: Final = IDENTITY | UUENCODE | {"quoted-printable", "base64"}
_SYNONYMS: Final = {"7-bit": "7bit", "8-bit": "8bit", "7bits": "7bit", "8bits": "8bit"}


def normal_encoding(value: bytes | None) -> str:
    """The token of a Content-Transfer-Encoding value in lower case; `7bit` when absent."""
    if value is None:
        return "7bit"
    text = value.decode("latin-1").partition("(")[0].partition(";")[0].strip(" \t\"'").lower()
    return _SYNONYMS.get(text, text) or "7bit"


def decode_base64(content: bytes | memoryview) -> bytes:
    """Octets outside the alphabet are skipped, padding ends the data, a cut end stays cut."""
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:
        clean = bytes(content).translate(None, _NOT_BASE64)
        if len(clean) % 4 == 1:
            clean = clean[:-1]
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def base64_lines(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Encode what comes in pieces, in lines of 76 octets that end with CRLF (RFC 2045 §6.8).

    Yields whole lines, many at a time. Nothing for nothing.
    """
    rest = b""
    for piece in pieces:
        view = memoryview(piece)
        if rest:
            taken = min(_LINE_INPUT - len(rest), len(view))
            rest += view[:taken]
            view = view[taken:]
            if len(rest) < _LINE_INPUT:
                continue
            yield _encoded_lines(rest)
        whole = len(view) // _LINE_INPUT * _LINE_INPUT
        for start in range(0, whole, _PORTION):
            yield _encoded_lines(view[start : min(start + _PORTION, whole)])
        rest = bytes(view[whole:])
    if rest:
        yield _encoded_lines(rest)


def _encoded_lines(content: bytes | memoryview) -> bytes:
    encoded = binascii.b2a_base64(content, newline=False)
    if len(encoded) == _PORTION_LINES.size:
        # Cut in one call: encoding line by line takes three times as long.
        return b"\r\n".join((*_PORTION_LINES.unpack(encoded), b""))
    lines = range(0, len(encoded), _LINE_OUTPUT)
    return b"\r\n".join((*(encoded[at : at + _LINE_OUTPUT] for at in lines), b""))


def decode_quoted_printable(content: bytes) -> bytes:
    """A `=` that starts no valid escape stays as it is (RFC 2045 §6.7, note on robustness)."""
    return binascii.a2b_qp(_PADDED_SOFT_BREAK.sub(b"=", content))


def decode_uu(content: bytes) -> bytes:
    """The first file of a uuencoded text; lines that are damaged are skipped."""
    out = bytearray()
    is_open = False
    at = 0
    while at < len(content):  # no list of lines: there may be millions
        line_end = content.find(b"\n", at)
        line_end = len(content) if line_end < 0 else line_end
        line = content[at : min(line_end, at + _LONGEST_UU_LINE)].rstrip(b"\r")
        at = line_end + 1
        if not is_open:
            is_open = line.startswith(b"begin ")
            continue
        if line.rstrip() == b"end":
            break
        out += decode_uu_line(line)
        if len(out) > max(at, UU_GROWTH):
            break
    return bytes(out)


def decode_uu_line(line: bytes) -> bytes:
    """One line of data; empty when it is damaged. What stands behind its count is left out."""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        if not line:
            return b""
    stated = (line[0] - 32) & 63
    try:
        return binascii.a2b_uu(line[: 1 + (stated + 2) // 3 * 4])
    except binascii.Error:
        return b""


def decode(content: bytes, encoding: str) -> bytes:
    """Remove a transfer encoding; an unknown one leaves the content as it is."""
    if encoding == "base64":
        return decode_base64(content)
    if encoding == "quoted-printable":
        return decode_quoted_printable(content)
    if encoding in UUENCODE:
        return decode_uu(content)
    return content


def decode_start(raw: bytes, start: int, end: int, encoding: str, limit: int) -> bytes:
    """The first `limit` octets of the decoded `raw[start:end]`, without decoding all of it."""
    if encoding in UUENCODE:
        return decode(raw[start:end], encoding)[:limit]
    if encoding not in {"base64", "quoted-printable"}:
        return raw[start : min(end, start + limit)]
    room = limit * 3 // 2 + 256
    while True:
        stop = min(end, start + room)
        content = decode(raw[start:stop], encoding)
        # The cut may stand inside a group or an escape: what comes of that is not taken.
        if stop == end or len(content) >= limit + 3:
            return content[:limit]
        room *= 3


def decoded_size(raw: bytes, start: int, end: int, encoding: str) -> int:
    """Size of `raw[start:end]` after decoding, by counting: exact for well-formed content."""
    size = end - start
    if encoding == "base64":
        breaks = raw.count(b"\n", start, end) + raw.count(b"\r", start, end)
        padding = raw.count(b"=", max(start, end - 8), end)
        return max((size - breaks) // 4 * 3 - padding, 0)
    if encoding == "quoted-printable":
        escapes = raw.count(b"=", start, end)
        soft_crlf = raw.count(b"=\r\n", start, end)
        soft_lf = raw.count(b"=\n", start, end)
        return (
            max(size - 2 * escapes - soft_crlf, 0)
            if soft_crlf or not soft_lf
            else max(size - 2 * escapes, 0)
        )
    if encoding in UUENCODE:
        return size * 3 // 4
    return size
