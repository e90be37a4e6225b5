"""Values of header fields for writing: ASCII, unfolded, read back as the same text."""

import re
from base64 import b64encode
from typing import Final
from urllib.parse import quote

from webmail.mime.addresses import Address, ascii_domain, read_address_list
from webmail.mime.shown import shown_safe

FIELD_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
_FORBIDDEN: Final = re.compile(r"[\r\n\0]")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+")
_Q_LITERAL: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)
_FOLDABLE: Final = re.compile(r"(?<=[^ \t])[ \t](?=[^ \t])")
_WORD_LENGTH: Final = 56  # RFC 2047 §2 allows 75 in lines of 76: room for the longest field name
_SECTION_LENGTH: Final = 60  # of an RFC 2231 section and of a plain quoted value
_LINE: Final = 78  # RFC 5322 §2.1.1, should
_LONGEST_LINE: Final = 998  # RFC 5322 §2.1.1, must


class NeedsSmtpUtf8Error(ValueError):
    """A local part outside ASCII: only SMTPUTF8 (RFC 6531), which is not used, could carry it."""


def refuse_line_ends(text: str) -> str:
    """ValueError for CR, LF or NUL: they would start a field of the writer's choosing."""
    if _FORBIDDEN.search(text):
        raise ValueError("A header field may not hold CR, LF or NUL.")
    return text


def encode_text(text: str) -> str:
    """An unstructured value (RFC 5322 §2.2.1); other controls and bidi marks are left out."""
    text = shown_safe(refuse_line_ends(text))
    is_plain = text.isascii() and "=?" not in text and text == text.strip()
    # A word that fits no line must become several; so must blanks that folding would lose.
    if is_plain and all(len(word) <= _LONGEST_LINE - 80 for word in text.split(" ")):
        return text
    return encode_words(text)


def encode_words(text: str) -> str:
    """Encoded-words in UTF-8, each of whole characters (RFC 2047 §2, §5), valid in phrases too."""
    octets = text.encode("utf-8", "replace")
    q_length = sum(1 if octet in _Q_LITERAL or octet == 0x20 else 3 for octet in octets)
    use_q = q_length <= len(octets) * 4 // 3 + 4
    room = _WORD_LENGTH - len("=?utf-8?q??=")
    words: list[str] = []
    word = ""
    size = 0
    for char in text:
        encoded = char.encode("utf-8", "replace")
        cost = len(_q(encoded)) if use_q else len(encoded)
        if word and size + cost > (room if use_q else room // 4 * 3):
            words.append(word)
            word, size = "", 0
        word += char
        size += cost
    words.append(word)
    return " ".join(_word(piece.encode("utf-8", "replace"), use_q=use_q) for piece in words)


def _word(octets: bytes, *, use_q: bool) -> str:
    return f"=?utf-8?q?{_q(octets)}?=" if use_q else f"=?utf-8?b?{b64encode(octets).decode()}?="


def _q(octets: bytes) -> str:
    """The Q encoding with the alphabet allowed in a phrase (RFC 2047 §5 (3))."""
    return "".join(
        chr(octet) if octet in _Q_LITERAL else "_" if octet == 0x20 else f"={octet:02X}"
        for octet in octets
    )


def encode_mailbox(mailbox: Address) -> str:
    """A mailbox (RFC 5322 §3.4) with its domain in A-labels; the comment is not written.

    ValueError if the address is none; NeedsSmtpUtf8Error if its local part is not ASCII.
    """
    address = encode_addr_spec(mailbox.address)
    name = " ".join(shown_safe(refuse_line_ends(mailbox.name)).split())
    return f"{encode_phrase(name)} <{address}>" if name else address


def encode_addr_spec(address: str) -> str:
    """An address as it is written in a field and given to the submission server."""
    local, _, domain = refuse_line_ends(address).rpartition("@")
    if not local.isascii():
        raise NeedsSmtpUtf8Error("The part before the @ has letters outside ASCII.")
    a_labels = ascii_domain(domain) if not domain.isascii() else domain
    written = f"{local}@{a_labels}"
    read = read_address_list(written)
    if (
        a_labels is None
        or read.is_malformed
        or [one.address for one in read.addresses] != [written]
    ):
        raise ValueError("This is not an e-mail address.")
    return written


def encode_phrase(name: str) -> str:
    """A display name: atoms, a quoted string, or encoded-words."""
    if not name.isascii() or "=?" in name or len(name) > _LONGEST_LINE // 2:
        return encode_words(name)
    if _ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def encode_parameter(name: str, value: str) -> str:
    """`; name=value` by RFC 2045 §5.1, or by RFC 2231 if the value is long or not ASCII."""
    value = refuse_line_ends(value)
    if len(value) <= _SECTION_LENGTH and value.isascii() and "=?" not in value:
        if _TOKEN.fullmatch(value):
            return f"; {name}={value}"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'; {name}="{escaped}"'
    encoded = f"utf-8''{quote(value, safe='', errors='replace')}"
    sections = _sections(encoded)
    if len(sections) == 1:
        return f"; {name}*={encoded}"
    return "".join(f"; {name}*{number}*={text}" for number, text in enumerate(sections))


def _sections(encoded: str) -> list[str]:
    """Cut percent-encoded text without cutting an escape."""
    sections = []
    at = 0
    while at < len(encoded):
        end = min(at + _SECTION_LENGTH, len(encoded))
        if end < len(encoded):
            escape = encoded.rfind("%", end - 2, end)
            end = escape if escape >= 0 else end
        sections.append(encoded[at:end])
        at = end
    return sections


def fold_field(name: str, value: str) -> bytes:
    """A field with its line end, folded at white space so that unfolding gives the value again.

    ValueError for a bad name, CR, LF, NUL, characters outside ASCII, or a word of over 998 octets.
    """
    if not FIELD_NAME.fullmatch(name):
        raise ValueError("This is not the name of a header field.")
    refuse_line_ends(value)
    if not value.isascii():
        raise ValueError("A header field is written in ASCII.")
    lines: list[str] = []
    line = f"{name}:"
    for word in _FOLDABLE.split(value):
        if len(line) + 1 + len(word) > _LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    if any(len(piece) > _LONGEST_LINE for piece in lines):
        raise ValueError("A word of a header field is longer than a line may be.")
    return "\r\n".join(lines).encode("ascii") + b"\r\n"
