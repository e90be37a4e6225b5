"""Typed arguments of commands: the only place where bytes for the server are made.

A command line is a list of fragments: bytes of our own grammar, or `Literal` for anything that
came from a person or a message. `check_fragment` guards every byte that goes out in a line, so no
argument can end the line and start a second command (ASVS 1.3.11).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.imap_utf7 import encode as encode_utf7

MAX_NAME = 1_000  # octets; Dovecot allows 4 096, most servers 255 per level
MAX_TEXT = 10_000
_SAFE_NAME = re.compile(rb"[A-Za-z0-9 !#$&'+,./:;<=>?@^_`|~\[\]{}()-]+\Z")
_LINE = re.compile(rb"[\x20-\x7e]*\Z")
# RFC 9051 §9: atom-char, without the specials, wildcards and quotes.
_KEYWORD = re.compile(r"[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~\[-]{1,200}\Z")
_SYSTEM_FLAGS = {
    name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
}
_SECTION = re.compile(r"(?:\d{1,5}(?:\.\d{1,5}){0,100}(?:\.(?:MIME|HEADER|TEXT))?|HEADER|TEXT)?\Z")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets sent with their length in front: their content has no meaning to a parser."""

    octets: bytes


type Fragment = bytes | Literal


def check_fragment(fragment: bytes) -> bytes:
    """The fragment, if it is printable ASCII. Raises ValueError for anything else."""
    if not _LINE.match(fragment):
        raise ValueError("a command line holds printable ASCII only")
    return fragment


def literal(content: str, *, maximum: int = MAX_TEXT) -> Literal:
    """A person's text. Raises ValueError for NUL, CR, LF, lone surrogates or too much of it."""
    if any(c in content for c in "\0\r\n"):
        raise ValueError("text for the server must not hold NUL, CR or LF")
    octets = content.encode()
    if len(octets) > maximum:
        raise ValueError("text for the server is too long")
    return Literal(octets)


def mailbox(path: str | bytes) -> Fragment:
    """A folder's name: str as people read it, bytes exactly as the server listed it.

    Modified UTF-7 (RFC 3501 §5.1.3). Names of plain characters go quoted, others as a literal.
    Raises ValueError.
    """
    if isinstance(path, str):
        if any(c in path for c in "\0\r\n"):
            raise ValueError("a folder name must not hold NUL, CR or LF")
        name = encode_utf7(path)
    else:
        name = path
        if any(c in name for c in b"\0\r\n"):
            raise ValueError("a folder name must not hold NUL, CR or LF")
    if not name or len(name) > MAX_NAME:
        raise ValueError("a folder name has 1 to 1000 octets")
    return b'"' + name + b'"' if _SAFE_NAME.match(name) else Literal(name)


def mailbox_name(raw: bytes) -> str:
    """A listed name as people read it; UTF-8 from servers that do not encode, else Latin-1."""
    if raw.upper() == b"INBOX":
        return "INBOX"
    if not raw.isascii():
        return raw.decode("utf-8", "replace")
    try:
        return str(decode_utf7(raw))
    except (ValueError, UnicodeError):
        return raw.decode("ascii")


def flag(name: str) -> bytes:
    """A system flag or keyword. Raises ValueError for anything a STORE may not carry."""
    if name.startswith("\\"):
        try:
            return _SYSTEM_FLAGS[name.lower()].encode()
        except KeyError:
            raise ValueError("not a flag that can be set") from None
    if not _KEYWORD.match(name):
        raise ValueError("not a keyword")
    return name.encode()


def flag_list(names: Iterable[str]) -> bytes:
    r"""`(\Seen $Forwarded)`, sorted, so that equal requests are equal bytes."""
    return b"(" + b" ".join(sorted({flag(name) for name in names})) + b")"


def section(name: str) -> bytes:
    """A body section: "", "1.2", "1.2.MIME", "HEADER", "TEXT". Raises ValueError."""
    if not _SECTION.match(name):
        raise ValueError("not a body section")
    return name.encode()


def day(value: date) -> bytes:
    """`1-Feb-2026`, unquoted (RFC 9051 §9, date)."""
    return f"{value.day}-{_MONTHS[value.month - 1]}-{value.year:04d}".encode()


def date_time(value: datetime) -> bytes:
    """`" 1-Feb-2026 09:30:00 +0100"` (RFC 9051 §9, date-time). Raises ValueError when naive."""
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("a time for the server needs its zone")
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    month = _MONTHS[value.month - 1]
    return f'"{value.day:2d}-{month}-{value.year:04d} {value:%H:%M:%S} {zone}"'.encode()
