"""One signed-in IMAP session: everything Signet asks of a mail store.

    open ─TLS─▶ capabilities ─AUTHENTICATE─▶ capabilities again ─ID─▶ quirks ─▶ ready
    select(folder) ─▶ rows, flags, uids, body, store, move, … ─▶ close

A session belongs to one thread at a time. After any error but CommandRefused, MessageGone,
ValueError and TypeError the connection is closed (`is_open` is False) and a new session is needed.
"""

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from webmail.imap import changing, folders, reading
from webmail.imap.arguments import mailbox
from webmail.imap.client import connect as connect_client
from webmail.imap.conversation import Conversation, Deadlines
from webmail.imap.criteria import Criteria
from webmail.imap.errors import CommandRefused, ImapError, ResponseCode
from webmail.imap.events import Event
from webmail.imap.folders import FolderStatus, ListedFolder, Selected
from webmail.imap.identity import identify
from webmail.imap.idling import Idling
from webmail.imap.profile import Profile, quirks_of
from webmail.imap.reading import UidSelection
from webmail.imap.rows import FetchedRow, FlagRow
from webmail.imap.signin import sign_in
from webmail.imap.uidset import UidSet
from webmail.sasl import Credentials, Endpoint, TlsFacts, connect_tcp, open_wire, tls_context
from webmail.sasl.wire import Clock, Connector, Wire

DEFAULT_DEADLINES = Deadlines()


class Session:
    """See the module docstring. Made by `Session.open`, used as a context manager."""

    def __init__(self, conversation: Conversation, endpoint: Endpoint) -> None:
        self._conversation = conversation
        self._clock: Clock = time.monotonic
        self.endpoint = endpoint
        self.server_id: dict[str, str] = {}
        self.selected: Selected | None = None

    # --- life ----------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        deadlines: Deadlines = DEFAULT_DEADLINES,
        mechanisms: Collection[str] | None = None,
        without: Iterable[str] = (),
        clock: Clock = time.monotonic,
        connect: Connector = connect_tcp,
    ) -> Self:
        """Connect under TLS and sign in.

        mechanisms: SASL names allowed for this account, None for the safe ones. without: features
        known not to work on this server. Raises ConnectFailed, TlsRefused, AuthFailed,
        ServerUnavailable, ProtocolViolation, LimitExceeded, DeadlineExceeded.
        """
        context = tls_context(endpoint)

        def dial() -> Wire:
            wire = open_wire(
                endpoint, context, seconds=deadlines.greeting, clock=clock, connect=connect
            )
            wire.begin(seconds=deadlines.greeting, byte_limit=1024 * 1024)
            return wire

        client = connect_client(endpoint, dial, context)
        profile = Profile(without=without)
        profile.advertise(client.offered)
        conversation = Conversation(client, profile=profile, deadlines=deadlines)
        session = cls(conversation, endpoint)
        session._clock = clock
        session.renew()
        try:
            sign_in(conversation, credentials, allowed=mechanisms)
            session.server_id = identify(conversation)
            profile.exclude(quirks_of(session.server_id, endpoint.host))
        except BaseException:
            session.abandon()
            raise
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say LOGOUT when that is still possible, and close. Never raises ImapError."""
        if self.is_open:
            with suppress(ImapError):  # closing anyway; a server may hang up before its OK
                self._conversation.run("LOGOUT", seconds=2.0)
        self.abandon()

    def abandon(self) -> None:
        """Close at once, without a word; another thread may call it to break a wait."""
        self._conversation.wire.close()

    def renew(self) -> None:
        """Start a new total budget: a kept session begins its next task."""
        total = self._conversation.deadlines.total
        self._conversation.wire.allow_until(None if total is None else self._clock() + total)

    @property
    def is_open(self) -> bool:
        """Whether the connection is still of use."""
        return not self._conversation.wire.is_closed

    @property
    def tls(self) -> TlsFacts | None:
        """The TLS session in force, for reports."""
        return self._conversation.wire.tls

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server offers now, upper case."""
        return self._conversation.profile.offered

    @property
    def refused(self) -> frozenset[str]:
        """Features the server offered and then refused in this session; worth remembering."""
        return frozenset(self._conversation.profile.refused)

    @property
    def commands_sent(self) -> int:
        """Commands after the greeting and STARTTLS."""
        return self._conversation.commands_sent

    @property
    def received_bytes(self) -> int:
        """Octets received so far, after TLS."""
        return self._conversation.wire.received

    def has(self, feature: str) -> bool:
        """Whether the feature is offered and trusted here."""
        return self._conversation.profile.has(feature)

    # --- folders -------------------------------------------------------------------------------

    def folders(self, *, with_status: bool = True) -> list[ListedFolder]:
        """Every folder with its counters."""
        return folders.list_folders(self._conversation, with_status=with_status)

    def status(self, path: str | bytes) -> FolderStatus:
        """The counters of a folder that is not selected."""
        return folders.folder_status(self._conversation, path)

    def create(self, path: str | bytes) -> None:
        """Make a folder, and subscribe to it. No error when it exists.

        Looks first: pymap breaks off the connection when asked to make a folder it has.
        """
        name = mailbox(path)
        if not folders.exists(self._conversation, path):
            try:
                self._conversation.run("CREATE", name)
            except CommandRefused as refused:
                if refused.code is not ResponseCode.ALREADYEXISTS:
                    raise
        self._conversation.run("SUBSCRIBE", name)

    def rename(self, path: str | bytes, target: str | bytes) -> None:
        """Rename a folder and those below it."""
        self._conversation.run("RENAME", mailbox(path), b" ", mailbox(target))

    def delete_folder(self, path: str | bytes) -> None:
        """Delete a folder with all its messages."""
        self._conversation.run("DELETE", mailbox(path))

    def select(
        self,
        path: str | bytes,
        *,
        readonly: bool = True,
        qresync: tuple[int, int] | None = None,
    ) -> Selected:
        """Open a folder; qresync: (uidvalidity, modseq) known from before.

        Where QRESYNC is offered it is enabled at the first use, and stays on.
        """
        conversation = self._conversation
        if qresync is not None and self.has("QRESYNC") and not conversation.is_qresync_on:
            conversation.enable_qresync()
        self.selected = None
        self.selected = folders.select(conversation, path, readonly=readonly, qresync=qresync)
        return self.selected

    # --- reading -------------------------------------------------------------------------------

    def rows_by_sequence(self, low: int, high: int) -> list[FetchedRow]:
        """Rows by position, right after `select` only."""
        return reading.rows_by_sequence(self._conversation, low, high)

    def rows(self, uids: UidSelection) -> list[FetchedRow]:
        """Rows of these UIDs, ascending; a plain pair (low, high) is a range."""
        return reading.rows(self._conversation, uids)

    def flags(self, uids: UidSelection, *, changed_since: int | None = None) -> list[FlagRow]:
        """Flags of these UIDs, ascending; only changed ones where CONDSTORE allows."""
        return reading.flags(self._conversation, uids, changed_since=changed_since)[0]

    def changes(self, uids: UidSelection, *, since: int) -> tuple[list[FlagRow], UidSet | None]:
        """(flag changes, UIDs gone) after a mod-sequence; gone is None without QRESYNC."""
        rows, gone = reading.flags(self._conversation, uids, changed_since=since)
        return rows, gone if self._conversation.is_qresync_on else None

    def uids(self, low: int, high: int | None = None) -> UidSet:
        """UIDs that exist in [low, high]."""
        return reading.uids(self._conversation, low, high)

    def count(self, low: int, high: int | None = None) -> int:
        """How many messages have a UID in [low, high]."""
        return reading.count(self._conversation, low, high)

    def search(self, criteria: Criteria) -> UidSet:
        """UIDs that match; see webmail.imap.criteria."""
        return reading.search(self._conversation, criteria)

    def find_message_id(self, message_id: str) -> list[int]:
        """UIDs of messages with this Message-ID (without <>)."""
        return reading.find_message_id(self._conversation, message_id)

    def body(self, uid: int, section: str = "", *, limit: int) -> bytes:
        """A section ("" the whole message). Raises MessageGone, LimitExceeded."""
        return b"".join(self.stream(uid, section, limit=limit))

    def stream(self, uid: int, section: str = "", *, limit: int) -> Iterator[bytes]:
        """The same in steps of 256 KiB, so that a large attachment is never held whole."""
        return reading.stream(self._conversation, uid, section, limit=limit)

    def window(self, uid: int, *, offset: int, length: int) -> bytes:
        """`length` octets of the whole message from `offset` on, as the server sends them; fewer at
        its end. Raises MessageGone.
        """
        return reading.window(self._conversation, uid, offset=offset, length=length)

    def beginnings(
        self, uids: UidSet | Iterable[int], section: str, *, octets: int
    ) -> dict[int, bytes]:
        """The first octets (≤ 256 KiB) of a section of several messages, for previews."""
        return reading.partials(
            self._conversation, changing.chosen(uids), section, offset=0, length=octets
        )

    # --- changing ------------------------------------------------------------------------------

    def store(
        self,
        uids: UidSet | Iterable[int],
        add: Collection[str] = (),
        remove: Collection[str] = (),
    ) -> None:
        """Add and remove flags."""
        changing.store(self._conversation, uids, add=add, remove=remove)

    def copy(self, uids: UidSet | Iterable[int], target: str | bytes) -> dict[int, int] | None:
        """Copy; {old: new} UIDs when the server says."""
        return changing.copy(self._conversation, uids, target)

    def move(self, uids: UidSet | Iterable[int], target: str | bytes) -> dict[int, int] | None:
        """Move; {old: new} UIDs when the server says."""
        return changing.move(self._conversation, uids, target)

    def expunge(self, uids: UidSet | Iterable[int]) -> bool:
        r"""Remove exactly these \Deleted messages; False when the server cannot do just that."""
        return changing.expunge(self._conversation, uids)

    def append(
        self,
        path: str | bytes,
        content: bytes,
        *,
        flags: Collection[str] = (),
        internal_date: datetime | None = None,
    ) -> int | None:
        """File a message; its UID when the server says."""
        return changing.append(
            self._conversation, path, content, flags=flags, internal_date=internal_date
        )

    # --- waiting -------------------------------------------------------------------------------

    def noop(self) -> list[Event]:
        """Ask for news; returns it with whatever came unasked before."""
        self._conversation.run("NOOP")
        return self.take_events()

    def take_events(self) -> list[Event]:
        """News that came along with other replies since the last call."""
        return self._conversation.take_events()

    def idling(self) -> Idling:
        """IDLE as a context: `with session.idling() as idle: idle.events(timeout=60)`."""
        return Idling(self._conversation)

    def idle(self, timeout: float) -> list[Event]:
        """Wait up to `timeout` seconds for news; [] when there was none."""
        with self.idling() as idle:
            found = idle.events(timeout=timeout)
        return found + self.take_events()
