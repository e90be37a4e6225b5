"""Encoded-words of header fields (RFC 2047), decoded once, in all the broken forms sent."""

import re
from dataclasses import dataclass
from typing import Final

from webmail.mime.charset import decode_fallback, decode_labelled
from webmail.mime.limits import Limits
from webmail.mime.shown import shown_safe
from webmail.mime.transfer import decode_base64

# RFC 2231 §5 adds a language after "*". The charset may be missing in broken mail.
_OPENING: Final = re.compile(r"=\?([^?\s*]{0,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?")
_HEX_ESCAPE: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_DEFAULT_WORDS: Final = Limits().encoded_words


@dataclass(slots=True)
class _Run:
    """Adjacent encoded-words of one charset: a character may be split between them."""

    charset: str
    octets: bytearray
    open_base64: str = ""  # base64 that did not end on four characters: it goes on in the next word

    def add(self, encoding: str, text: str) -> None:
        if encoding == "q":
            self.close()
            self.octets += _decode_q(text)
            return
        text = self.open_base64 + text
        self.open_base64 = ""
        if len(text) % 4 and "=" not in text:
            self.open_base64 = text
        else:
            self.octets += decode_base64(text.encode("utf-8"))

    def close(self) -> None:
        if self.open_base64:
            self.octets += decode_base64(self.open_base64.encode("utf-8"))
            self.open_base64 = ""

    def text(self) -> str:
        self.close()
        return decode_labelled(bytes(self.octets), self.charset)


def _decode_q(text: str) -> bytes:
    octets = text.replace("_", " ").encode("utf-8", "replace")
    return _HEX_ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), octets)


def decode_words(value: str, *, limit: int = _DEFAULT_WORDS) -> tuple[str, bool]:
    """Decode the encoded-words of an unfolded value; True: words beyond `limit` stayed as written.

    Words need not be set off by white space, may hold spaces, and may stand in quoted strings. The
    result may hold controls and must pass `shown_safe`. Time is linear in the length of the value.
    """
    if "=?" not in value:
        return value, False
    pieces: list[str] = []
    run: _Run | None = None
    at = count = 0  # everything before `at` is done
    seek = 0
    end = 0  # the nearest "?=" that is known: found once, however many words wait for it
    is_cut = False
    while (start := value.find("=?", seek)) >= 0:
        opening = _OPENING.match(value, start)
        if opening is None:
            seek = start + 2
            continue
        if end < opening.end() and (end := value.find("?=", opening.end())) < 0:
            break
        inner = _OPENING.search(value, opening.end(), end)
        if inner is not None:  # a word that was never closed, then a sound one
            seek = inner.start()
            continue
        if count >= limit:
            is_cut = True
            break
        count += 1
        between = value[at:start]
        charset = opening[1].lower()
        if run is None or between.strip(" \t") or run.charset != charset:
            if run is not None:
                pieces.append(run.text())
                between = between if between.strip(" \t") else ""
            pieces.append(between)
            run = _Run(charset, bytearray())
        run.add(opening[2].lower(), value[opening.end() : end])
        at = seek = end + 2
    if run is not None:
        pieces.append(run.text())
    pieces.append(value[at:])
    return "".join(pieces), is_cut


def decode_header_value(value: bytes | str, *, limit: int = _DEFAULT_WORDS) -> str:
    """The shown-safe text of an unstructured value: 8-bit octets, encoded-words, no controls."""
    text = decode_fallback(value) if isinstance(value, bytes) else value
    return shown_safe(decode_words(text, limit=limit)[0])
