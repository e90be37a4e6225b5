"""STORE, COPY, MOVE, EXPUNGE, APPEND, CREATE."""

from collections.abc import Collection, Iterable
from datetime import datetime

from webmail.imap.arguments import Fragment, Literal, date_time, flag_list, mailbox
from webmail.imap.conversation import Conversation, Pieces, Reply
from webmail.imap.errors import CommandRefused
from webmail.imap.reading import SET_BYTES, deleted
from webmail.imap.uidset import MAX_UID, UidSet

APPEND_FLOOR = 120.0  # seconds for a server to file a message, besides the time to send it


def chosen(uids: UidSet | Iterable[int]) -> UidSet:
    """The UIDs to change: exactly those named, never a range made of a pair."""
    return uids if isinstance(uids, UidSet) else UidSet.of(uids)


def store(
    conversation: Conversation,
    uids: UidSet | Iterable[int],
    *,
    add: Collection[str],
    remove: Collection[str],
) -> None:
    """Add and remove flags, silently; deltas, so that two clients' changes merge."""
    wanted = chosen(uids)
    for sign, names in ((b"+", add), (b"-", remove)):
        if not names:
            continue
        encoded = flag_list(names)
        for chunk in wanted.chunks(SET_BYTES):
            conversation.run("UID STORE", chunk.encode(), b" " + sign + b"FLAGS.SILENT ", encoded)


def copy(
    conversation: Conversation, uids: UidSet | Iterable[int], target: str | bytes
) -> dict[int, int] | None:
    """Copy; {old UID: new UID} when the server says (COPYUID, RFC 4315 §3), else None."""
    return _to(conversation, "UID COPY", chosen(uids), target)


def move(
    conversation: Conversation, uids: UidSet | Iterable[int], target: str | bytes
) -> dict[int, int] | None:
    r"""Move by MOVE (RFC 6851), else by COPY, \Deleted and a precise removal."""
    wanted = chosen(uids)
    if conversation.profile.has("MOVE"):
        try:
            return _to(conversation, "UID MOVE", wanted, target)
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("MOVE")
    mapping = copy(conversation, wanted, target)
    store(conversation, wanted, add=["\\Deleted"], remove=[])
    expunge(conversation, wanted)
    return mapping


def expunge(conversation: Conversation, uids: UidSet | Iterable[int]) -> bool:
    r"""Remove exactly these messages, which carry \Deleted; False when that is not possible.

    Without UIDPLUS a plain EXPUNGE would also remove what other clients have marked, so it is
    sent only when the marked messages are precisely these (RFC 4549 §4.2.4).
    """
    wanted = chosen(uids)
    if not wanted:
        return True
    if conversation.profile.has("UIDPLUS"):
        try:
            for chunk in wanted.chunks(SET_BYTES):
                conversation.run("UID EXPUNGE", chunk.encode())
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("UIDPLUS")
        else:
            return True
    if deleted(conversation) != wanted:
        return False
    conversation.run("EXPUNGE")
    return True


def _to(
    conversation: Conversation, command: str, wanted: UidSet, target: str | bytes
) -> dict[int, int] | None:
    name = mailbox(target)
    mapping: dict[int, int] = {}
    is_complete = True
    for chunk in wanted.chunks(SET_BYTES):
        codes: list[tuple[bytes, bytes]] = []

        def handler(pieces: Pieces, codes: list[tuple[bytes, bytes]] = codes) -> bool:
            # MOVE sends COPYUID in an untagged OK before the removals (RFC 6851 §4.3).
            if pieces[0].upper().startswith(b"* OK [COPYUID "):
                codes += Reply(untagged=[pieces]).codes()
                return True
            return False

        reply = conversation.run(command, chunk.encode(), b" ", name, handler=handler)
        pairs = _copied([*codes, (reply.code, reply.code_value)], chunk)
        is_complete = is_complete and pairs is not None
        mapping |= pairs or {}
    return mapping if is_complete else None


def _copied(codes: list[tuple[bytes, bytes]], asked: UidSet) -> dict[int, int] | None:
    """The pairs of a COPYUID, None when missing or malformed (some servers send nonsense)."""
    for code, value in codes:
        if code != b"COPYUID":
            continue
        parts = value.split()
        if len(parts) != 3:
            return None
        try:
            old = UidSet.parse_ordered(parts[1], limit=len(asked))
            new = UidSet.parse_ordered(parts[2], limit=len(asked))
        except ValueError:
            return None
        if len(old) != len(new) or not all(0 < uid <= MAX_UID for uid in new):
            return None
        return {a: b for a, b in zip(old, new, strict=True) if a in asked}
    return None


def append(
    conversation: Conversation,
    path: str | bytes,
    content: bytes,
    *,
    flags: Collection[str],
    internal_date: datetime | None,
) -> int | None:
    """File a message; its UID when the server says (APPENDUID, RFC 4315 §3)."""
    if not content:
        raise ValueError("an empty message cannot be filed")
    if b"\0" in content:
        raise ValueError("a message for APPEND must not hold NUL")
    fragments: list[Fragment] = [mailbox(path), b" "]
    if flags:
        fragments += [flag_list(flags), b" "]
    if internal_date is not None:
        fragments += [date_time(internal_date), b" "]
    seconds = max(conversation.deadlines.command, APPEND_FLOOR)
    reply = conversation.run("APPEND", *fragments, Literal(content), seconds=seconds)
    if reply.code != b"APPENDUID":
        return None
    parts = reply.code_value.split()
    if len(parts) != 2 or not parts[1].isdigit() or len(parts[1]) > 10:
        return None
    uid = int(parts[1])
    return uid if 0 < uid <= MAX_UID else None
