"""FETCH and SEARCH on the selected folder."""

import logging
from collections.abc import Iterable, Iterator
from itertools import pairwise

from webmail.imap.arguments import Fragment, section
from webmail.imap.conversation import Conversation, Limits, Pieces
from webmail.imap.criteria import Criteria, Flagged, Header, Uids, needs_charset
from webmail.imap.errors import (
    CommandRefused,
    LimitExceeded,
    MessageGone,
    ProtocolViolation,
)
from webmail.imap.events import read_vanished
from webmail.imap.lexer import Value, parse_values
from webmail.imap.rows import (
    HEADER_FIELDS,
    FetchedRow,
    FlagRow,
    Items,
    fetched_row,
    flag_row,
    quick_flags,
    quick_row,
    read_fetch,
    with_crlf,
)
from webmail.imap.uidset import MAX_UID, UidSet

logger = logging.getLogger(__name__)

SET_BYTES = 8_000
ROWS_PER_COMMAND = 2_000
SEARCH_WIDTH = 250_000  # possible UIDs asked about at once, so that any reply fits a line
BODY_STEP = 256 * 1024
ROW_LIMITS = Limits(literal=4 * 1024 * 1024, total=128 * 1024 * 1024)
FLAG_LIMITS = Limits(total=128 * 1024 * 1024)
SEARCH_LIMITS = Limits(line=8 * 1024 * 1024, total=16 * 1024 * 1024)
BODY_LIMITS = Limits(literal=BODY_STEP + 4096, total=2 * BODY_STEP)

type UidSelection = UidSet | Iterable[int] | tuple[int, int | None]
"""UIDs to read. A plain pair (low, high) is a range, high None means no end."""


def selection(uids: UidSelection) -> UidSet:
    """The UIDs named by a selection for reading. Raises ValueError, TypeError."""
    match uids:
        case UidSet():
            return uids
        case (int() as low, (int() | None) as high) if isinstance(uids, tuple):
            return UidSet.span(low, high)
        case _:
            return UidSet.of(uids)


# --- rows --------------------------------------------------------------------------------------


def row_items(conversation: Conversation, *, with_structure: bool = True) -> bytes:
    """The FETCH items of a row on this server."""
    has = conversation.profile.has
    items = [b"UID FLAGS INTERNALDATE RFC822.SIZE"]
    if has("CONDSTORE"):
        items.append(b"MODSEQ")
    if has("OBJECTID"):
        items.append(b"EMAILID THREADID")
    elif has("X-GM-EXT-1"):
        items.append(b"X-GM-MSGID X-GM-THRID")
    if with_structure:
        items.append(b"BODYSTRUCTURE")
    items.append(b"BODY.PEEK[HEADER.FIELDS (%b)]" % HEADER_FIELDS)
    return b"(" + b" ".join(items) + b")"


def rows_by_sequence(conversation: Conversation, low: int, high: int) -> list[FetchedRow]:
    """Rows by position, ascending by UID; only right after a select, before any removal."""
    if not 0 < low <= high <= MAX_UID:
        raise ValueError("sequence numbers run from 1, low to high")
    return _rows(conversation, "FETCH", b"%d:%d" % (low, high), None)


def rows(conversation: Conversation, uids: UidSelection) -> list[FetchedRow]:
    """The rows of these UIDs that exist and that the server can read, ascending by UID."""
    wanted = selection(uids)
    found: list[FetchedRow] = []
    if len(wanted.ranges) == 1:
        # One range cannot make a long command, and its width says nothing about its messages.
        return _rows(conversation, "UID FETCH", wanted.encode(), wanted)
    for some in wanted.slices(ROWS_PER_COMMAND):
        for chunk in some.chunks(SET_BYTES):
            found += _rows(conversation, "UID FETCH", chunk.encode(), chunk)
    return found


def _rows(
    conversation: Conversation, command: str, encoded: bytes, wanted: UidSet | None
) -> list[FetchedRow]:
    found: dict[int, FetchedRow] = {}

    def handler(pieces: Pieces) -> bool:
        row = quick_row(pieces)
        if row is None:
            fetch = read_fetch(pieces)
            row = fetched_row(fetch[1]) if fetch is not None else None
        if row is None:
            return False
        if wanted is None or row.uid in wanted:
            found[row.uid] = row
        else:
            logger.warning("imap.row_not_asked_for uid=%d", row.uid)
        return True

    try:
        conversation.run(
            command, encoded, b" ", row_items(conversation), handler=handler, limits=ROW_LIMITS
        )
    except CommandRefused:
        # Some servers refuse BODYSTRUCTURE of a broken message for the whole range.
        whole = dict(found)
        items = row_items(conversation, with_structure=False)
        try:
            conversation.run(command, encoded, b" ", items, handler=handler, limits=ROW_LIMITS)
        except CommandRefused as refused:
            # NO after the others' rows: one that cannot be read must not hide them (RFC 2180 §4.1).
            if refused.is_bad or not found:
                raise
            logger.warning("imap.rows_incomplete count=%d", len(found))
        found |= whole
    return [found[uid] for uid in sorted(found)]


# --- flags -------------------------------------------------------------------------------------


def flags(
    conversation: Conversation, uids: UidSelection, *, changed_since: int | None
) -> tuple[list[FlagRow], UidSet]:
    """(flags of these UIDs, UIDs reported gone); only those changed after `changed_since` when it
    is given and CONDSTORE is there, with removals when QRESYNC is on (RFC 7162 §3.1.4.1, §3.2.6).
    """
    wanted = selection(uids)
    found: dict[int, FlagRow] = {}
    vanished = UidSet()

    def handler(pieces: Pieces) -> bool:
        nonlocal vanished
        row = quick_flags(pieces)
        if row is None:
            if (gone := read_vanished(pieces)) is not None:
                vanished |= gone.uids
                return gone.is_earlier
            fetch = read_fetch(pieces)
            row = flag_row(fetch[1]) if fetch is not None else None
        if row is None or row.uid not in wanted:
            return False
        found[row.uid] = row
        return True

    modifier = b""
    if changed_since is not None and conversation.profile.has("CONDSTORE"):
        if not 0 <= changed_since < 2**63:
            raise ValueError("a mod-sequence is 0..2**63-1")
        extra = b" VANISHED" if conversation.is_qresync_on else b""
        modifier = b" (CHANGEDSINCE %d%b)" % (max(changed_since, 1), extra)
    items = b" (UID FLAGS MODSEQ)" if conversation.profile.has("CONDSTORE") else b" (UID FLAGS)"
    for chunk in wanted.chunks(SET_BYTES):
        conversation.run(
            "UID FETCH", chunk.encode(), items, modifier, handler=handler, limits=FLAG_LIMITS
        )
    return [found[uid] for uid in sorted(found)], vanished


# --- search ------------------------------------------------------------------------------------


def search(conversation: Conversation, criteria: Criteria) -> UidSet:
    """The UIDs that match (ESEARCH, RFC 4731, when offered)."""
    fragments = criteria.fragments()
    if conversation.profile.has("ESEARCH"):
        try:
            return _esearch(conversation, b"RETURN (ALL) ", fragments)[0]
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("ESEARCH")
    return _plain_search(conversation, fragments)


def uids(conversation: Conversation, low: int, high: int | None) -> UidSet:
    """The UIDs in [low, high] that exist."""
    last = MAX_UID if high is None else high
    if last - low >= SEARCH_WIDTH:
        last = min(last, _highest_uid(conversation))
    found = UidSet()
    for some in UidSet.span(low, last).slices(SEARCH_WIDTH):
        found |= search(conversation, Uids(some))
    return found.within(low, high)


def count(conversation: Conversation, low: int, high: int | None) -> int:
    """How many messages have a UID in [low, high]."""
    wanted = UidSet.span(low, high)
    if not wanted:
        return 0
    if conversation.profile.has("ESEARCH"):
        try:
            return _esearch(conversation, b"RETURN (COUNT) ", Uids(wanted).fragments())[1]
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("ESEARCH")
    return len(uids(conversation, low, high))


def _charset(fragments: list[Fragment]) -> bytes:
    return b"CHARSET UTF-8 " if needs_charset(fragments) else b""


def _esearch(
    conversation: Conversation, options: bytes, fragments: list[Fragment]
) -> tuple[UidSet, int]:
    reply = conversation.run(
        "UID SEARCH", options, _charset(fragments), *fragments, limits=SEARCH_LIMITS
    )
    for pieces in reply.named(b"ESEARCH"):
        return _esearch_result(parse_values(pieces, len(b"* ESEARCH ")))
    if any(True for _ in reply.named(b"SEARCH")):  # offered, yet answered the old way
        conversation.profile.refuse("ESEARCH")
        raise CommandRefused(command="UID SEARCH", is_bad=True, code=None, text="no ESEARCH reply")
    return UidSet(), 0


def _esearch_result(values: list[Value]) -> tuple[UidSet, int]:
    found, total = UidSet(), 0
    rest = [v for v in values if not isinstance(v, list)]  # (TAG "…")
    for name, value in pairwise(rest):
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            continue
        if name.upper() == b"ALL":
            found = _uid_set(value)
        elif name.upper() == b"COUNT" and value.isdigit() and len(value) <= 10:
            total = int(value)
    return found, total


def _uid_set(value: bytes) -> UidSet:
    try:
        return UidSet.parse(value)
    except ValueError as error:
        raise ProtocolViolation("The server sent a malformed list of messages.") from error


def _plain_search(conversation: Conversation, fragments: list[Fragment]) -> UidSet:
    reply = conversation.run("UID SEARCH", _charset(fragments), *fragments, limits=SEARCH_LIMITS)
    found: list[int] = []
    for pieces in reply.named(b"SEARCH"):
        words = pieces[0].split()[2:]
        found += [int(w) for w in words if w.isdigit() and len(w) <= 10 and 0 < int(w) <= MAX_UID]
    return UidSet.of(found)


def _highest_uid(conversation: Conversation) -> int:
    """The UID of the last message, 0 in an empty folder."""
    highest = 0

    def handler(pieces: Pieces) -> bool:
        nonlocal highest
        fetch = read_fetch(pieces)
        uid = fetch[1].get(b"UID") if fetch is not None else None
        if isinstance(uid, bytes) and uid.isdigit():
            highest = max(highest, int(uid))
            return True
        return False

    try:
        conversation.run("UID FETCH", b"* (UID)", handler=handler)
    except CommandRefused:  # some servers refuse `*` in an empty folder
        return 0
    return min(highest, MAX_UID)


def find_message_id(conversation: Conversation, message_id: str) -> list[int]:
    """UIDs of messages with this Message-ID (without angle brackets), ascending."""
    return list(search(conversation, Header("Message-ID", f"<{message_id.strip('<>')}>")))


def deleted(conversation: Conversation) -> UidSet:
    r"""The UIDs that carry \Deleted."""
    return search(conversation, Flagged("\\Deleted"))


# --- bodies ------------------------------------------------------------------------------------


def stream(conversation: Conversation, uid: int, name: str, *, limit: int) -> Iterator[bytes]:
    r"""A body section in steps of 256 KiB (partial FETCH, RFC 9051 §6.4.5), \Seen untouched.

    A server whose first line ends in a bare LF gets all its line ends made CRLF.
    Raises MessageGone, LimitExceeded (more than `limit` octets; the connection stays good).
    """
    offset = 0
    uses_lf: bool | None = None
    held = b""  # a CR at the end of a step, whose LF may be in the next
    while True:
        octets = partial(conversation, uid, name, offset=offset, length=BODY_STEP)
        offset += len(octets)
        is_last = len(octets) < BODY_STEP
        if offset > limit:
            raise LimitExceeded("The message is larger than this client opens.")
        if uses_lf is None and (at := octets.find(b"\n")) >= 0:
            uses_lf = octets[at - 1 : at] != b"\r"
        if uses_lf:
            octets = held + octets
            held = b"\r" if octets.endswith(b"\r") and not is_last else b""
            octets = with_crlf(octets[: len(octets) - len(held)])
        if octets:
            yield octets
        if is_last:
            return


def window(conversation: Conversation, uid: int, *, offset: int, length: int) -> bytes:
    """`length` octets of a message from `offset` on, fewer at its end; line ends as they are."""
    found: list[bytes] = []
    at, end = offset, offset + length
    while at < end:
        asked = min(BODY_STEP, end - at)
        octets = partial(conversation, uid, "", offset=at, length=asked)
        found.append(octets)
        at += len(octets)
        if len(octets) < asked:
            break
    return b"".join(found)


def partial(conversation: Conversation, uid: int, name: str, *, offset: int, length: int) -> bytes:
    """`length` octets of a section from `offset` on, fewer at its end."""
    found = partials(conversation, UidSet.of([uid]), name, offset=offset, length=length)
    if uid not in found:
        raise MessageGone
    return found[uid]


def partials(
    conversation: Conversation, wanted: UidSet, name: str, *, offset: int, length: int
) -> dict[int, bytes]:
    """The same octets of several messages; those that are gone are missing."""
    if not 0 <= offset < 2**32 or not 0 < length <= BODY_STEP:
        raise ValueError("a partial fetch takes 1..256 KiB")
    found: dict[int, bytes] = {}

    def handler(pieces: Pieces) -> bool:
        fetch = read_fetch(pieces)
        if fetch is None or b"BODY[" not in fetch[1]:
            return False
        uid, octets = _body_of(fetch[1])
        if uid in wanted:
            found[uid] = octets
        return True

    item = b" (UID BODY.PEEK[%b]<%d.%d>)" % (section(name), offset, length)
    for some in wanted.slices(100):
        limits = Limits(
            literal=BODY_LIMITS.literal, total=BODY_LIMITS.total + len(some) * (length + 4096)
        )
        for chunk in some.chunks(SET_BYTES):
            conversation.run("UID FETCH", chunk.encode(), item, handler=handler, limits=limits)
    return found


def _body_of(items: Items) -> tuple[int, bytes]:
    uid, octets = items.get(b"UID"), items[b"BODY["]
    number = int(uid) if isinstance(uid, bytes) and uid.isdigit() else 0
    return number, octets if isinstance(octets, bytes) else b""
