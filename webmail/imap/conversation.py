"""Commands out, replies in: tags, literals, continuations, and a cap on everything received.

run ──line──▶ server ──"* …"──▶ handler, else reply.untagged or events
                     ──"+ …"──▶ the next literal or SASL step
                     ──"tag OK"─▶ Reply        "tag NO|BAD" ─▶ CommandRefused
                     ──anything else─▶ ProtocolViolation, connection closed
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from webmail.imap.arguments import Fragment, check_fragment
from webmail.imap.client import BoundedClient
from webmail.imap.errors import (
    CommandRefused,
    LimitExceeded,
    ProtocolViolation,
    ResponseCode,
    ServerUnavailable,
)
from webmail.imap.events import Event, read_event
from webmail.imap.lexer import LITERAL_MARK
from webmail.imap.profile import Profile
from webmail.sasl.errors import ConnectionLost
from webmail.sasl.wire import DEFAULT_RATE

type Pieces = list[bytes]
"""One response: text, literal, text, …; odd positions are literals."""
type Handler = Callable[[Pieces], bool]
"""Takes a response, or says False to leave it to others."""

LINE_LIMIT = 1024 * 1024
LITERAL_LIMIT = 1024 * 1024
BYTE_LIMIT = 16 * 1024 * 1024
MAX_RESPONSES = 100_000
MAX_PIECES = 20_001
MAX_EVENTS = 10_000
LITERAL_MINUS = 4096  # RFC 7888 §5
_CODE = re.compile(rb"\[([A-Za-z0-9.\-]+)(?: ([^\]]*))?\] ?(.*)\Z", re.DOTALL)
_STATUS = (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Wall-clock budgets in seconds.

    greeting: dialling, TLS, first words. login: signing in. command: any other command, plus one
    second per `rate` bytes moved. total: everything on the session, None without end.
    """

    greeting: float = 15.0
    login: float = 30.0
    command: float = 60.0
    total: float | None = 240.0
    rate: int = DEFAULT_RATE


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps for one command: a line, a literal, all bytes of the reply; in octets."""

    line: int = LINE_LIMIT
    literal: int = LITERAL_LIMIT
    total: int = BYTE_LIMIT


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Reply:
    """A finished command: the untagged responses nobody else took, and the tagged OK."""

    code: bytes = b""
    code_value: bytes = b""
    text: str = ""
    untagged: list[Pieces] = field(default_factory=list)

    def named(self, name: bytes) -> Iterator[Pieces]:
        """Responses `* NAME …`."""
        for pieces in self.untagged:
            word = pieces[0][2 : 3 + len(name)].upper()
            if word in (name, name + b" "):
                yield pieces

    def codes(self) -> Iterator[tuple[bytes, bytes]]:
        """(code, value) of each untagged OK and of the tagged reply, upper case."""
        for pieces in self.named(b"OK"):
            found = _CODE.match(pieces[0], 5)
            if found:
                yield found[1].upper(), found[2] or b""
        if self.code:
            yield self.code, self.code_value


class Conversation:
    """The command layer of one signed-in or not yet signed-in connection."""

    def __init__(self, client: BoundedClient, *, profile: Profile, deadlines: Deadlines) -> None:
        self.client = client
        self.wire = client.wire
        self.profile = profile
        self.deadlines = deadlines
        self.commands_sent = 0
        self.is_qresync_on = False
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._limits = DEFAULT_LIMITS
        self._farewell: str | None = None

    # --- one command ---------------------------------------------------------------------------

    def run(
        self,
        name: str,
        *fragments: Fragment,
        handler: Handler | None = None,
        answer: Callable[[bytes], bytes] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        seconds: float | None = None,
    ) -> Reply:
        """Send one command and read its reply.

        fragments follow the name and one space, joined as they are. handler sees each untagged
        response first. answer gives the line to send for a continuation request (SASL).
        Raises CommandRefused (connection still good) or another ImapError (connection closed).
        """
        line: list[Fragment] = [name.encode("ascii")]
        if fragments:
            line += [b" ", *fragments]
        for fragment in line:
            if isinstance(fragment, bytes):
                check_fragment(fragment)
        self._limits = limits
        self.wire.begin(
            seconds=self.deadlines.command if seconds is None else seconds,
            byte_limit=limits.total,
            rate=self.deadlines.rate,
        )
        try:
            return self._exchange(name, line, handler, answer)
        except CommandRefused:
            raise
        except BaseException:
            # The stream is out of step with us: no later command could trust its replies.
            self.wire.close()
            raise

    def _exchange(
        self,
        name: str,
        line: list[Fragment],
        handler: Handler | None,
        answer: Callable[[bytes], bytes] | None,
    ) -> Reply:
        tag = self.client.next_tag()
        self.commands_sent += 1
        reply = Reply()
        refused = self._send(tag, line, reply, handler)
        head = refused
        while head is None:
            head = self._next(tag, reply, handler)
            if head is not None and head.startswith(b"+"):
                if answer is None:
                    raise ProtocolViolation("The server asked for data nobody announced.")
                self.wire.sendall(answer(head[2:]) + b"\r\n")
                head = None
        return self._finish(name, head[len(tag) + 1 :], reply)

    def _send(
        self, tag: bytes, line: list[Fragment], reply: Reply, handler: Handler | None
    ) -> bytes | None:
        """Write the command; the tagged line when the server refused at a literal."""
        out = tag + b" "
        for fragment in line:
            if isinstance(fragment, bytes):
                out += fragment
                continue
            size = len(fragment.octets)
            if self._sends_at_once(size):
                out += b"{%d+}\r\n" % size + fragment.octets
                continue
            self.wire.sendall(out + b"{%d}\r\n" % size)
            while (head := self._next(tag, reply, handler)) is None:
                pass
            if not head.startswith(b"+"):
                if head[len(tag) + 1 :].upper().startswith(b"OK"):
                    raise ProtocolViolation("The server finished a command it had not received.")
                return head
            out = b""
            self.wire.sendall(fragment.octets)
        self.wire.sendall(out + b"\r\n")
        return None

    def _sends_at_once(self, size: int) -> bool:
        """Non-synchronising literals (RFC 7888), small ones only: a refusal should come early."""
        has = self.profile.has
        return size <= LITERAL_MINUS and (has("LITERAL+") or has("LITERAL-"))

    def _next(self, tag: bytes, reply: Reply, handler: Handler | None) -> bytes | None:
        """Read one response: the line when it is tagged or a continuation, else None."""
        pieces = self.read_response()
        head = pieces[0]
        if head.startswith(b"* "):
            if handler is None or not handler(pieces):
                self._untagged(pieces, reply)
            return None
        if head.startswith((tag + b" ", b"+ ")) or head == b"+":
            return head
        raise ProtocolViolation("The server answered a command that was not sent.")

    def _untagged(self, pieces: Pieces, reply: Reply) -> None:
        head = pieces[0]
        word = head[2:].split(b" ", 1)[0].upper()
        if word == b"BYE":
            self._farewell = head[6:].decode("utf-8", "replace")
        elif word == b"CAPABILITY":
            self.profile.advertise(head[2:].decode("ascii", "replace").split()[1:])
        elif (event := read_event(pieces)) is not None:
            self.events.append(event)
        elif len(reply.untagged) >= MAX_RESPONSES:
            raise LimitExceeded("The server sent more data than expected.")
        else:
            reply.untagged.append(pieces)

    def _finish(self, name: str, status: bytes, reply: Reply) -> Reply:
        word, _, rest = status.partition(b" ")
        found = _CODE.match(rest)
        if found:
            reply.code, reply.code_value, rest = found[1].upper(), found[2] or b"", found[3]
        reply.text = rest.decode("utf-8", "replace")
        match word.upper():
            case b"OK":
                if reply.code == b"CAPABILITY":
                    self.profile.advertise(reply.code_value.decode("ascii", "replace").split())
                return reply
            case b"NO" | b"BAD":
                raise CommandRefused(
                    command=name,
                    is_bad=word.upper() == b"BAD",
                    code=known_code(reply.code),
                    text=reply.text,
                )
            case _:
                raise ProtocolViolation("The server answered a command that was not sent.")

    # --- commands that stay open -----------------------------------------------------------------

    def enable_qresync(self) -> None:
        """ENABLE QRESYNC (RFC 7162 §3.2.3): from here on removals come as VANISHED."""
        try:
            self.run("ENABLE", b"QRESYNC")
        except CommandRefused:
            self.profile.refuse("QRESYNC")
        else:
            self.is_qresync_on = True

    def start(self, name: str) -> bytes:
        """Send a command that the server holds open (IDLE); its tag, after the continuation."""
        self.budget(seconds=self.deadlines.command)
        reply = Reply()
        tag = self.client.next_tag()
        self.commands_sent += 1
        try:
            self.wire.sendall(tag + b" " + check_fragment(name.encode("ascii")) + b"\r\n")
            while (head := self._next(tag, reply, None)) is None:
                pass
            if not head.startswith(b"+"):
                self._finish(name, head[len(tag) + 1 :], reply)
                self.wire.close()
        except CommandRefused:
            raise
        except BaseException:
            self.wire.close()
            raise
        return tag

    def finish(self, tag: bytes, line: bytes, *, name: str) -> None:
        """End a command begun by `start`."""
        self.budget(seconds=self.deadlines.command)
        reply = Reply()
        try:
            self.wire.sendall(line)
            while (head := self._next(tag, reply, None)) is None:
                pass
            self._finish(name, head[len(tag) + 1 :], reply)
        except CommandRefused:
            raise
        except BaseException:
            self.wire.close()
            raise

    def read_unasked(self) -> None:
        """Read one response outside a command; only untagged ones may come."""
        pieces = self.read_response()
        if not pieces[0].startswith(b"* "):
            raise ProtocolViolation("The server answered a command that was not sent.")
        self._untagged(pieces, Reply())

    def take_events(self) -> list[Event]:
        """The events so far, oldest first; at most the last 10 000."""
        found = list(self.events)
        self.events.clear()
        return found

    # --- input ---------------------------------------------------------------------------------

    def read_response(self) -> Pieces:
        """One response within the running budget and limits."""
        line = self._read_line()
        if line[-1:] != b"}" or line[:2] != b"* " or _is_status(line):
            return [line]
        pieces: Pieces = []
        while True:
            # From the last brace on: searching the whole line would cost more than parsing it.
            start = line.rfind(b"{") if line[-1:] == b"}" else -1
            mark = LITERAL_MARK.match(line, start) if start >= 0 else None
            if mark is None:
                pieces.append(line)
                return pieces
            size = int(mark[1])
            if size > self._limits.literal or len(pieces) >= MAX_PIECES:
                raise LimitExceeded("The server sent more data than expected.")
            if line[start - 1 : start] == b"~":  # literal8 (RFC 3516)
                start -= 1
            pieces += (line[:start], self.wire.read(size))
            line = self._read_line()

    def _read_line(self) -> bytes:
        try:
            line = self.wire.readline(self._limits.line)
        except ConnectionLost as error:
            if self._farewell is not None:
                raise ServerUnavailable(
                    f"The mail server ended the connection: {self._farewell.strip()}"
                ) from error
            raise
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def budget(self, *, seconds: float, limits: Limits = DEFAULT_LIMITS) -> None:
        """Open a budget for reading outside `run` (IDLE)."""
        self._limits = limits
        self.wire.begin(seconds=seconds, byte_limit=limits.total, rate=self.deadlines.rate)


def _is_status(line: bytes) -> bool:
    return not line[2:3].isdigit() and line[2:].split(b" ", 1)[0].upper() in _STATUS


def known_code(code: bytes) -> ResponseCode | None:
    """The response code as a typed value, None when it is no code callers act on."""
    name = code.decode("ascii", "replace")
    return ResponseCode(name) if name in ResponseCode.__members__ else None
