"""LIST, STATUS, SELECT: folders and their counters."""

import re
from dataclasses import dataclass

from webmail.imap.arguments import Literal, mailbox, mailbox_name
from webmail.imap.conversation import Conversation, Limits, Pieces, Reply
from webmail.imap.errors import CommandRefused, ProtocolViolation
from webmail.imap.events import FlagsChanged, Vanished, read_event
from webmail.imap.lexer import number, parse_values
from webmail.imap.rows import FlagRow
from webmail.imap.uidset import MAX_UID, UidSet

SELECT_LIMITS = Limits(total=64 * 1024 * 1024)
_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
_PERMANENT = re.compile(rb"\* OK \[PERMANENTFLAGS \(([^)]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder's counters; None where the server did not say. highestmodseq 0 means NOMODSEQ."""

    messages: int | None = None
    uidnext: int | None = None
    uidvalidity: int | None = None
    unseen: int | None = None
    highestmodseq: int | None = None


@dataclass(frozen=True, slots=True)
class ListedFolder:
    r"""A folder as listed. path: decoded; raw: as sent, always right as an argument.

    attributes: with their usual spelling, as `\Noselect`, `\Sent`. status: None when it was not
    asked for or the folder cannot be selected.
    """

    path: str
    delimiter: str | None
    attributes: frozenset[str]
    status: FolderStatus | None = None
    raw: bytes = b""

    @property
    def is_selectable(self) -> bool:
        """Whether it can hold messages."""
        return not self.attributes & {"\\Noselect", "\\NonExistent"}


@dataclass(frozen=True, slots=True)
class Selected:
    r"""A folder just opened. highestmodseq None: no CONDSTORE, or the folder has no modseqs.

    flag_changes, vanished: what QRESYNC reported; vanished None means the server did not resync
    (not offered, or another UIDVALIDITY), an empty set that nothing vanished.
    keywords_allowed: whether new keywords can be stored (`\*`); permanent: the flags that can be in
    any case, in lower case.
    """

    uidvalidity: int
    uidnext: int | None
    highestmodseq: int | None
    exists: int
    flag_changes: tuple[FlagRow, ...] = ()
    vanished: UidSet | None = None
    is_read_only: bool = False
    keywords_allowed: bool = True
    permanent: frozenset[str] = frozenset()

    def keeps(self, flag: str) -> bool:
        """Whether the server keeps this keyword, or a system flag, when it is set."""
        return self.keywords_allowed or flag.startswith("\\") or flag.lower() in self.permanent


def list_folders(conversation: Conversation, *, with_status: bool = True) -> list[ListedFolder]:
    """Every folder, with counters, in one command where LIST-STATUS is offered (RFC 5819)."""
    has = conversation.profile.has
    if with_status and has("LIST-STATUS"):
        options = [b"SUBSCRIBED"] if has("LIST-EXTENDED") else []
        if has("SPECIAL-USE"):
            options.append(b"SPECIAL-USE")
        items = _status_items(conversation)
        options.append(b"STATUS (%b)" % items)
        try:
            reply = conversation.run("LIST", b'"" "*" RETURN (', b" ".join(options), b")")
        except CommandRefused:
            conversation.profile.refuse("LIST-STATUS")
        else:
            return _folders(reply)
    folders = _folders(conversation.run("LIST", b'"" "*"'))
    if not with_status:
        return folders
    return [_with_status(conversation, folder) for folder in folders]


def _with_status(conversation: Conversation, folder: ListedFolder) -> ListedFolder:
    if not folder.is_selectable:
        return folder
    try:
        status = folder_status(conversation, folder.raw)
    except CommandRefused:  # listed, yet not to be opened: it stays without counters
        return folder
    return ListedFolder(folder.path, folder.delimiter, folder.attributes, status, folder.raw)


def exists(conversation: Conversation, path: str | bytes) -> bool:
    """Whether a folder of this name can be selected; wildcards in a name match more, and are
    told apart by comparing.
    """
    name = mailbox(path)
    raw = name.octets if isinstance(name, Literal) else name[1:-1]
    listed = _folders(conversation.run("LIST", b'"" ', name))
    return any(folder.raw == raw and folder.is_selectable for folder in listed)


def folder_status(conversation: Conversation, path: str | bytes) -> FolderStatus:
    """The counters of one folder, which should not be the selected one (RFC 9051 §6.3.11)."""
    reply = conversation.run("STATUS", mailbox(path), b" (%b)" % _status_items(conversation))
    for pieces in reply.named(b"STATUS"):
        return _status(pieces)[1]
    raise ProtocolViolation("The server did not answer a question about a folder.")


def _status_items(conversation: Conversation) -> bytes:
    items = b"MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
    return items + b" HIGHESTMODSEQ" if conversation.profile.has("CONDSTORE") else items


def _folders(reply: Reply) -> list[ListedFolder]:
    statuses = dict(_status(pieces) for pieces in reply.named(b"STATUS"))
    return [_listed(pieces, statuses) for pieces in reply.named(b"LIST")]


def _listed(pieces: Pieces, statuses: dict[bytes, FolderStatus]) -> ListedFolder:
    match parse_values(pieces, len(b"* LIST ")):
        case [list() as attributes, delimiter, bytes() as name, *_]:
            return ListedFolder(
                mailbox_name(name),
                delimiter.decode("utf-8", "replace") if isinstance(delimiter, bytes) else None,
                frozenset(_attribute(a) for a in attributes if isinstance(a, bytes)),
                statuses.get(name),
                name,
            )
        case _:
            raise ProtocolViolation("The server sent a malformed list of folders.")


_ATTRIBUTES = {
    name.lower(): name
    for name in (
        "\\Noselect", "\\NonExistent", "\\Noinferiors", "\\HasChildren", "\\HasNoChildren",
        "\\Marked", "\\Unmarked", "\\Subscribed", "\\Remote", "\\All", "\\Archive", "\\Drafts",
        "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash",
    )
}  # fmt: skip


def _attribute(value: bytes) -> str:
    name = value.decode("ascii", "replace")
    return _ATTRIBUTES.get(name.lower(), name)


def _status(pieces: Pieces) -> tuple[bytes, FolderStatus]:
    match parse_values(pieces, len(b"* STATUS ")):
        case [bytes() as name, list() as items, *_]:
            pass
        case _:
            raise ProtocolViolation("The server sent malformed counters of a folder.")
    found = {
        key.upper(): number(value)
        for key, value in zip(items[::2], items[1::2], strict=False)
        if isinstance(key, bytes) and isinstance(value, bytes) and value.isdigit()
    }
    return name, FolderStatus(
        messages=found.get(b"MESSAGES"),
        uidnext=found.get(b"UIDNEXT"),
        uidvalidity=found.get(b"UIDVALIDITY"),
        unseen=found.get(b"UNSEEN"),
        highestmodseq=found.get(b"HIGHESTMODSEQ"),
    )


def select(
    conversation: Conversation,
    path: str | bytes,
    *,
    readonly: bool,
    qresync: tuple[int, int] | None,
) -> Selected:
    """Open a folder (RFC 9051 §6.3.2; RFC 7162 §3.1.8, §3.2.5)."""
    command = "EXAMINE" if readonly else "SELECT"
    has = conversation.profile.has
    if qresync is not None and has("QRESYNC"):
        try:
            return _select(conversation, command, path, _qresync_parameter(qresync))
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("QRESYNC")
    if has("CONDSTORE"):
        try:
            return _select(conversation, command, path, b" (CONDSTORE)")
        except CommandRefused as refused:
            if not refused.is_bad:
                raise
            conversation.profile.refuse("CONDSTORE")
    return _select(conversation, command, path, b"")


def _qresync_parameter(known: tuple[int, int]) -> bytes:
    uidvalidity, modseq = known
    if not (0 < uidvalidity <= MAX_UID and 0 < modseq < 2**63):
        raise ValueError("qresync takes a UIDVALIDITY and a mod-sequence, both above zero")
    return b" (QRESYNC (%d %d))" % (uidvalidity, modseq)


def _select(
    conversation: Conversation, command: str, path: str | bytes, parameter: bytes
) -> Selected:
    exists = 0
    keywords_allowed = True
    permanent: frozenset[str] = frozenset()
    changes: list[FlagRow] = []
    vanished = UidSet()

    def handler(pieces: Pieces) -> bool:
        nonlocal exists, vanished, keywords_allowed, permanent
        if found := _EXISTS.match(pieces[0]):
            exists = int(found[1])
        elif found := _PERMANENT.match(pieces[0]):
            keywords_allowed = b"\\*" in found[1]
            permanent = frozenset(found[1].decode("ascii", "replace").lower().split())
        else:
            match read_event(pieces):
                case FlagsChanged(row=row):
                    if row.uid:
                        changes.append(row)
                case Vanished(uids=uids):
                    vanished |= uids
                case None:
                    return False
        return True

    conversation.events.clear()  # they belong to the folder selected before
    reply = conversation.run(
        command, mailbox(path), parameter, handler=handler, limits=SELECT_LIMITS
    )
    codes = dict(reply.codes())
    uidvalidity = _code_number(codes.get(b"UIDVALIDITY"), MAX_UID)
    if not uidvalidity:
        raise ProtocolViolation("The server opened a folder without a UIDVALIDITY.")
    modseq = _code_number(codes.get(b"HIGHESTMODSEQ"), 2**63 - 1)
    return Selected(
        uidvalidity=uidvalidity,
        uidnext=_code_number(codes.get(b"UIDNEXT"), MAX_UID),
        highestmodseq=None if b"NOMODSEQ" in codes else modseq,
        exists=exists,
        flag_changes=tuple(changes),
        vanished=vanished if parameter.startswith(b" (QRESYNC (%d " % uidvalidity) else None,
        is_read_only=b"READ-ONLY" in codes or command == "EXAMINE",
        keywords_allowed=keywords_allowed,
        permanent=permanent,
    )


def _code_number(value: bytes | None, maximum: int) -> int | None:
    if value is None or not value.isdigit() or len(value) > 19:
        return None
    result = int(value)
    return result if 0 < result <= maximum else None
