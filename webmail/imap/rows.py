"""Rows of bulk FETCH replies, read at the speed of the wire."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from webmail.imap.fastpath import FLAGS, ROW, read_structure
from webmail.imap.lexer import Value, parse_values
from webmail.imap.structure import BodyStructure, parse_structure
from webmail.imap.uidset import MAX_UID
from webmail.sasl.errors import ProtocolViolation

HEADER_FIELDS = (
    b"FROM TO CC BCC SENDER REPLY-TO SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID "
    b"LIST-UNSUBSCRIBE LIST-UNSUBSCRIBE-POST AUTHENTICATION-RESULTS CONTENT-TYPE IMPORTANCE"
)
MAX_DEPTH = 5_000  # an honest server may describe a message of 500 levels; the parts are capped
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FETCH = re.compile(rb"\* (\d{1,10}) FETCH ", re.IGNORECASE)
_SYSTEM = {
    f"\\{name.lower()}": f"\\{name}"
    for name in ("Seen", "Answered", "Flagged", "Deleted", "Draft", "Recent")
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
         b"dec"), 1)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FlagRow:
    r"""The flags of one message; modseq None without CONDSTORE. `\Recent` is left out."""

    uid: int
    flags: frozenset[str]
    modseq: int | None = None


@dataclass(frozen=True, slots=True)
class FetchedRow:
    """What a folder's list needs of one message.

    internal_date: aware; 1970-01-01 UTC when the server's is unreadable. size: octets.
    header: the chosen header fields as sent, with the empty line. structure: None when missing,
    malformed or beyond limits. email_id, thread_id: OBJECTID (RFC 8474) or Gmail's numbers.
    """

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    header: bytes
    structure: BodyStructure | None
    modseq: int | None = None
    email_id: str | None = None
    thread_id: str | None = None


_BARE_LF = re.compile(rb"(?<!\r)\n")


def with_crlf(text: bytes) -> bytes:
    """Text with the line ends of RFC 5322; servers over a Maildir may hand out bare LF.

    Signatures are made over CRLF, so a message with other line ends would not verify.
    """
    if text.count(b"\n") == text.count(b"\r\n"):
        return text
    return _BARE_LF.sub(b"\r\n", text)


type Items = dict[bytes, Value]


def read_fetch(pieces: list[bytes]) -> tuple[int, Items] | None:
    """(sequence number, items) of a FETCH response, None when it is another response.

    Item names are upper case, sections shortened to `BODY[`. Raises ProtocolViolation.
    """
    found = _FETCH.match(pieces[0])
    if not found:
        return None
    values = parse_values(pieces, found.end(), max_depth=MAX_DEPTH)
    if len(values) != 1 or not isinstance(values[0], list) or len(values[0]) % 2:
        raise ProtocolViolation("The server sent a malformed description of a message.")
    items: Items = {}
    for name, value in _pairs(values[0]):
        items[b"BODY[" if name[:5] == b"BODY[" else name] = value
    return int(found[1]), items


def _pairs(values: list[Value]) -> Iterator[tuple[bytes, Value]]:
    names = iter(values)
    for name in names:
        if not isinstance(name, bytes):
            raise ProtocolViolation("The server sent a malformed description of a message.")
        yield (name if name.isupper() else name.upper()), next(names)


def flag_row(items: Items) -> FlagRow | None:
    """The flags in a FETCH response, None when it holds none; uid 0 when it does not say."""
    flags = items.get(b"FLAGS")
    if not isinstance(flags, list):
        return None
    uid = items.get(b"UID")
    return FlagRow(_uid(uid) if uid else 0, read_flags(flags), _modseq(items.get(b"MODSEQ")))


def fetched_row(items: Items) -> FetchedRow | None:
    """The row in a FETCH response, None when it is not one (an unasked flag change).

    UIDs out of range make it None as well: a lying server gets no row.
    """
    flags, uid, size = items.get(b"FLAGS"), items.get(b"UID"), items.get(b"RFC822.SIZE")
    if not isinstance(flags, list) or not isinstance(size, bytes) or b"BODY[" not in items:
        return None
    number = _uid(uid)
    if not number:
        return None
    header, structure = items[b"BODY["], items.get(b"BODYSTRUCTURE")
    return FetchedRow(
        number,
        read_flags(flags),
        _internal_date(items.get(b"INTERNALDATE")),
        int(size) if size.isdigit() and len(size) < 20 else 0,
        with_crlf(header) if isinstance(header, bytes) else b"",
        None if structure is None else parse_structure(structure),
        _modseq(items.get(b"MODSEQ")),
        _object_id(items.get(b"EMAILID") or items.get(b"X-GM-MSGID")),
        _object_id(items.get(b"THREADID") or items.get(b"X-GM-THRID")),
    )


def quick_row(pieces: list[bytes]) -> FetchedRow | None:
    """The row in a response of the usual form, None when the general reader must look."""
    if len(pieces) != 3 or pieces[2] != b")":
        return None
    found = ROW.match(pieces[0])
    if not found:
        return None
    uid, flags, date, size, modseq, text = found.groups()
    number = int(uid)
    structure = read_structure(text)
    if structure is None or not 0 < number <= MAX_UID:
        return None
    return FetchedRow(
        number,
        _flag_words(flags),
        _internal_date(date),
        int(size),
        with_crlf(pieces[1]),
        structure,
        int(modseq) if modseq is not None else None,
    )


def quick_flags(pieces: list[bytes]) -> FlagRow | None:
    """The flags in a response of the usual form, None when the general reader must look."""
    found = FLAGS.match(pieces[0]) if len(pieces) == 1 else None
    if not found:
        return None
    uid, flags, modseq = found.groups()
    number = int(uid)
    if not 0 < number <= MAX_UID:
        return None
    return FlagRow(number, _flag_words(flags), int(modseq) if modseq is not None else None)


def _uid(value: Value) -> int:
    """A UID, 0 when it is none."""
    if isinstance(value, bytes) and value.isdigit() and len(value) <= 10:
        uid = int(value)
        return uid if uid <= MAX_UID else 0
    return 0


def _modseq(value: Value) -> int | None:
    """`MODSEQ (n)`, 63 bits (RFC 7162 §7)."""
    if isinstance(value, list) and len(value) == 1:
        inner = value[0]
        if isinstance(inner, bytes) and inner.isdigit() and len(inner) < 20:
            return int(inner)
    return None


def _object_id(value: Value) -> str | None:
    while isinstance(value, list):  # pymap sends two pairs of parentheses
        value = value[0] if value else None
    return value.decode("ascii", "replace") if isinstance(value, bytes) and value else None


def read_flags(values: list[Value]) -> frozenset[str]:
    """Flags as a set; system flags in their usual spelling whatever the server's case."""
    return _flag_set(tuple(value for value in values if isinstance(value, bytes)))


@lru_cache(maxsize=4096)
def _flag_words(words: bytes) -> frozenset[str]:
    return _flag_set(tuple(words.split()))


@lru_cache(maxsize=4096)
def _flag_set(values: tuple[bytes, ...]) -> frozenset[str]:
    names = (value.decode("utf-8", "replace") for value in values)
    return frozenset(_SYSTEM.get(name.lower(), name) for name in names) - {"\\Recent"}


@lru_cache(maxsize=256)
def _zone(text: bytes) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[:1] == b"-" else minutes))


def _internal_date(value: Value) -> datetime:
    """`17-Jul-1996 02:44:25 -0700` (RFC 9051 §9, date-time: fixed columns)."""
    if not isinstance(value, bytes):
        return EPOCH
    value = value.rjust(26)  # some servers do not pad the day
    try:
        return datetime(
            int(value[7:11]),
            _MONTHS[value[3:6].lower()],
            int(value[:2]),
            int(value[12:14]),
            int(value[15:17]),
            int(value[18:20]),
            tzinfo=_zone(value[21:]),
        )
    except (ValueError, KeyError):
        return EPOCH
