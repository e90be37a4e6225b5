"""What a server tells unasked: arrivals, removals, flag changes."""

import re
from dataclasses import dataclass

from webmail.imap.rows import FlagRow, flag_row, read_fetch
from webmail.imap.uidset import UidSet
from webmail.sasl.errors import ProtocolViolation


@dataclass(frozen=True, slots=True)
class Exists:
    """The folder now holds this many messages."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """The message with this sequence number is gone; those above it move down by one."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """These UIDs are gone (RFC 7162 §3.2.10)."""

    uids: UidSet
    is_earlier: bool = False


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """A message has new flags; row.uid is 0 when the server did not say which UID."""

    sequence: int
    row: FlagRow


type Event = Exists | Expunged | Vanished | FlagsChanged

_NUMBERED = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE|FETCH)(?: |\Z)", re.IGNORECASE)
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([0-9:,]+) ?\Z", re.IGNORECASE)


def read_event(pieces: list[bytes]) -> Event | None:
    """The event in an untagged response, None when it is something else."""
    found = _NUMBERED.match(pieces[0])
    if not found:
        return read_vanished(pieces)
    count = int(found[1])
    match found[2].upper():
        case b"EXISTS":
            return Exists(count)
        case b"EXPUNGE":
            return Expunged(count)
        case _:
            fetch = read_fetch(pieces)
            if fetch is None:
                return None
            row = flag_row(fetch[1])
            return FlagsChanged(count, row) if row is not None else None


def read_vanished(pieces: list[bytes]) -> Vanished | None:
    """A VANISHED response, None when it is something else. Raises ProtocolViolation."""
    found = _VANISHED.match(pieces[0])
    if not found:
        return None
    try:
        return Vanished(UidSet.parse(found[2]), is_earlier=bool(found[1]))
    except ValueError as error:
        raise ProtocolViolation("The server sent a malformed list of messages.") from error
