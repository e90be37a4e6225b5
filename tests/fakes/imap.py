"""A scripted IMAP server: polite by default, with any command's reply replaced."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.scripted import Peer

type Answer = bytes | Callable[[Peer, bytes, bytes], None]
"""Bytes with `TAG` for the tag, or a function of (peer, tag, the rest of the line)."""

DEFAULT = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 %(capabilities)b\r\nTAG OK done\r\n",
    b"ID": b'* ID ("name" "Fake")\r\nTAG OK done\r\n',
    b"NOOP": b"TAG OK done\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 10] ok\r\nTAG OK [READ-ONLY] done\r\n",
    b"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 10] ok\r\nTAG OK [READ-WRITE] done\r\n",
    b"AUTHENTICATE": b"TAG OK signed in\r\n",
    b"ENABLE": b"* ENABLED\r\nTAG OK done\r\n",
    b"LOGOUT": b"* BYE bye\r\nTAG OK done\r\n",
}


@dataclass
class FakeImap:
    """A script for ScriptedServer.

    before: what is said until STARTTLS is done; None when the connection starts in TLS.
    commands: replies by upper-case name (`UID FETCH` is one name); others get BAD.
    """

    context: ssl.SSLContext | None = None
    greeting: bytes = b"* OK ready\r\n"
    capabilities: bytes = b"AUTH=PLAIN SASL-IR LITERAL+ ID"
    plain_capabilities: bytes = b"STARTTLS LOGINDISABLED"
    starttls_reply: bytes = b"TAG OK go\r\n"
    commands: dict[bytes, Answer] = field(default_factory=dict)
    literals: list[bytes] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        is_private = self.context is None
        peer.send(self.greeting)
        while (line := peer.readline()) is not None:
            tag, _, rest = line.partition(b" ")
            name, _, arguments = rest.partition(b" ")
            name = name.upper()
            if name == b"UID":
                word, _, arguments = arguments.partition(b" ")
                name = b"UID " + word.upper()
            if name == b"STARTTLS" and self.context is not None:
                peer.send(self.starttls_reply.replace(b"TAG", tag))
                peer.start_tls(self.context)
                is_private = True
                continue
            arguments = self._with_literals(peer, arguments)
            answer = self.commands.get(name, DEFAULT.get(name, b"TAG BAD unknown\r\n"))
            if callable(answer):
                answer(peer, tag, arguments)
                continue
            words = self.capabilities if is_private else self.plain_capabilities
            peer.send(answer.replace(b"%(capabilities)b", words).replace(b"TAG", tag))
            if name == b"LOGOUT":
                return

    def _with_literals(self, peer: Peer, arguments: bytes) -> bytes:
        """Read literals and the rest of the line; non-synchronising ones without a word."""
        while arguments.endswith(b"}"):
            head, _, mark = arguments.rpartition(b"{")
            if not mark.endswith(b"+}"):
                peer.send(b"+ go on\r\n")
            octets = peer.read(int(mark.rstrip(b"+}")))
            self.literals.append(octets)
            arguments = head + b"<literal>" + (peer.readline() or b"")
        return arguments
