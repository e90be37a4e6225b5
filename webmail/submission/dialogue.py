"""smtplib on a bounded wire: greeting, STARTTLS, AUTH, commands (RFC 5321, 3207, 4954).

Used below `sendmail()`, which hides phases and single replies.
"""

import base64
import binascii
import re
import smtplib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import override

from webmail.sasl import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    Credentials,
    DeadlineExceeded,
    Endpoint,
    LimitExceeded,
    MailServerError,
    Mechanism,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
    Wire,
    choose_mechanism,
    client,
    connect_tcp,
    open_wire,
    tls_context,
)
from webmail.sasl.wire import Clock, Connector
from webmail.submission.outcome import Deadlines, Phase, ServerLimits

MAX_REPLY_LINE = 2_048  # RFC 5321 §4.5.3.1.5 says 512; servers exceed it
MAX_REPLY_LINES = 200
REPLY_BYTES = 128 * 1024
CLIENT_NAME = "[127.0.0.1]"
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
_REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\Z", re.DOTALL)
_LINE = re.compile(r"[^\x00-\x1f\x7f]*\Z")


@dataclass(frozen=True, slots=True)
class ServerReply:
    """One reply. enhanced: RFC 3463 code or "". text: its lines without codes, for showing."""

    code: int
    enhanced: str
    text: str

    @property
    def is_positive(self) -> bool:
        """2yz or 3yz."""
        return 200 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """4yz: the same may work later."""
        return 400 <= self.code < 500


def server_reply(code: int, raw: bytes) -> ServerReply:
    """A reply as smtplib hands it over: lines joined by LF."""
    lines = raw.decode("utf-8", "replace").split("\n")
    found = _ENHANCED.match(lines[0])
    enhanced = found[1] if found else ""
    words = [line.removeprefix(enhanced) for line in lines]
    shown = " ".join(" ".join(words).split())
    return ServerReply(code, enhanced, "".join(c if c.isprintable() else "�" for c in shown)[:2000])


class Dialogue(smtplib.SMTP):
    """smtplib's client with its socket replaced by a Wire, its replies capped."""

    def __init__(self, wire: Wire, endpoint: Endpoint, deadlines: Deadlines) -> None:
        super().__init__(local_hostname=CLIENT_NAME)
        self.wire = wire
        self.endpoint = endpoint
        self.deadlines = deadlines
        self._host = endpoint.host
        self.sock = wire  # type: ignore[assignment]

    def allow(self, seconds: float) -> None:
        """Start the budget of the next exchange."""
        self.wire.begin(seconds=seconds, byte_limit=REPLY_BYTES, rate=self.deadlines.rate)

    @override
    def send(self, s: object) -> None:
        """Bytes or ASCII text to the wire. Raises ConnectionLost, DeadlineExceeded."""
        if isinstance(s, str):
            s = s.encode(self.command_encoding)
        if not isinstance(s, bytes):
            raise TypeError("only text and bytes can be sent")
        self.wire.sendall(s)

    @override
    def getreply(self) -> tuple[int, bytes]:
        """One reply, within the running budget (RFC 5321 §4.2).

        Raises ProtocolViolation for anything that is no reply: guessing could turn noise into
        an acceptance.
        """
        lines: list[bytes] = []
        code = 0
        while len(lines) < MAX_REPLY_LINES:
            line = self.wire.readline(MAX_REPLY_LINE).rstrip(b"\r\n")
            found = _REPLY_LINE.match(line)
            if not found or (lines and int(found[1]) != code):
                self.wire.close()
                raise ProtocolViolation(f"{self._host} sent something that is no SMTP reply.")
            code = int(found[1])
            lines.append((found[3] or b"").strip(b" \t"))
            if found[2] != b"-":
                return code, b"\n".join(lines)
        self.wire.close()
        raise LimitExceeded(f"{self._host} sent an endless reply.")

    @override
    def close(self) -> None:
        self.wire.close()

    def command(self, line: str, *, seconds: float | None = None) -> ServerReply:
        """Send one command line and read its reply. Raises ValueError for control characters."""
        if not _LINE.match(line):
            raise ValueError("a command line must not hold control characters")
        self.allow(self.deadlines.command if seconds is None else seconds)
        self.send(line + "\r\n")
        return self.reply()

    def reply(self) -> ServerReply:
        """The next reply, typed."""
        code, raw = self.getreply()
        return server_reply(code, raw)

    def hello(self) -> None:
        """EHLO; extensions are only what the last one said. Raises the fitting error."""
        self.allow(self.deadlines.command)
        self.ehlo_resp = None
        self.esmtp_features = {}
        code, raw = self.ehlo(CLIENT_NAME)
        if 400 <= code < 500:
            raise ServerUnavailable(f"{self._host} is busy: {server_reply(code, raw).text}")
        if code != 250:
            raise ProtocolViolation(f"{self._host} does not speak ESMTP.")

    def upgrade(self) -> None:
        """STARTTLS, mandatory (RFC 3207, RFC 8314 §3.3), then a new EHLO.

        Raises TlsRefused; nothing said before TLS is kept.
        """
        if not self.has_extn("starttls"):
            raise TlsRefused(f"{self._host} does not offer STARTTLS, so the password was not sent.")
        reply = self.command("STARTTLS")
        if reply.code != 220:
            raise TlsRefused(f"{self._host} refused to start TLS.")
        if self.wire.buffered:
            # Clear text behind the 220 would be read as if it had come through TLS
            # (CVE-2011-0411).
            self.wire.close()
            raise TlsRefused(f"{self._host} sent clear text after agreeing to TLS.")
        context = tls_context(self.endpoint)
        try:
            self.wire.start_tls(context)
        except ConnectionLost as error:
            raise TlsRefused(f"{self._host} broke off the secure connection.") from error
        self.hello()

    def sign_in(self, credentials: Credentials, *, allowed: Collection[str] | None) -> None:
        """AUTH (RFC 4954), under TLS only. Raises AuthFailed, ServerUnavailable."""
        if not self.wire.is_private:
            raise AuthFailed("The connection is not private, so the password was not sent.")
        offered = set(self.esmtp_features.get("auth", "").upper().split())
        while True:
            name = choose_mechanism(offered, tls=True, allowed=allowed)
            mechanism = client(name, credentials)
            reply = self._authenticate(mechanism)
            if reply.code == 235:
                mechanism.verify()
                return
            if reply.is_transient or reply.code == 421:
                raise ServerUnavailable(f"{self._host} cannot sign anyone in right now.")
            offered.discard(name)
            if mechanism.was_challenged or not offered:
                raise AuthFailed(f"{self._host} did not accept the name and password.")

    def _authenticate(self, mechanism: Mechanism) -> ServerReply:
        first = mechanism.initial()
        line = f"AUTH {mechanism.name}"
        pending: bytes | None = None
        if first is not None:
            encoded = base64.b64encode(first).decode() or "="
            if len(line) + 1 + len(encoded) <= 510:  # RFC 4954 §4: else after the 334
                line = f"{line} {encoded}"
            else:
                pending = first
        reply = self.command(line)
        while reply.code == 334:
            if pending is not None:
                message, pending = pending, None
            else:
                message = mechanism.respond(_challenge(reply.text))
            reply = self.command(base64.b64encode(message).decode())
        return reply

    def limits(self) -> ServerLimits:
        """What the last EHLO said."""
        size = self.esmtp_features.get("size", "")
        octets = int(size) if size.isascii() and size.isdigit() and len(size) < 19 else 0
        return ServerLimits(
            size=octets or None,
            has_8bitmime=self.has_extn("8bitmime"),
            has_smtputf8=self.has_extn("smtputf8"),
            has_dsn=self.has_extn("dsn"),
            mechanisms=frozenset(self.esmtp_features.get("auth", "").upper().split()),
            tls=self.wire.tls,
        )

    def farewell(self) -> None:
        """QUIT when it costs nothing; a server that does not answer is simply left."""
        if self.wire.is_closed:
            return
        try:
            self.command("QUIT", seconds=2.0)
        except MailServerError:
            return
        finally:
            self.wire.close()


def _challenge(text: str) -> bytes:
    try:
        return base64.b64decode("" if text == "=" else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolViolation("The server sent a malformed challenge.") from error


def open_dialogue(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    deadlines: Deadlines,
    mechanisms: Collection[str] | None,
    on_phase: Callable[[Phase], None],
    clock: Clock,
    connect: Connector = connect_tcp,
) -> Dialogue:
    """A signed-in connection, ready for MAIL.

    Raises ConnectFailed, TlsRefused, AuthFailed, ServerUnavailable, ProtocolViolation,
    LimitExceeded, DeadlineExceeded.
    """
    until = clock() + deadlines.before_data
    on_phase(Phase.CONNECTING)
    wire = open_wire(
        endpoint, tls_context(endpoint), seconds=deadlines.connect, clock=clock, connect=connect
    )
    wire.allow_until(until)
    dialogue = Dialogue(wire, endpoint, deadlines)
    try:
        _greeting(dialogue)
        dialogue.hello()
        if endpoint.security == "starttls":
            dialogue.upgrade()
        on_phase(Phase.GREETED)
        dialogue.sign_in(credentials, allowed=mechanisms)
        on_phase(Phase.AUTHENTICATED)
    except BaseException:
        wire.close()
        raise
    return dialogue


def _greeting(dialogue: Dialogue) -> None:
    host = dialogue.endpoint.host
    dialogue.allow(dialogue.deadlines.greeting)
    try:
        reply = dialogue.reply()
    except DeadlineExceeded as error:
        raise ConnectFailed(f"{host} did not greet in time.") from error
    except ConnectionLost as error:
        raise ConnectFailed(f"{host} closed the connection without a greeting.") from error
    if reply.is_transient:
        raise ServerUnavailable(f"{host} takes no mail right now: {reply.text}")
    if reply.code != 220:
        raise ConnectFailed(f"{host} refuses to talk to this client: {reply.text}")
