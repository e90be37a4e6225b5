"""A scripted submission server: polite by default, with the reply of any stage replaced."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.scripted import Peer

type Answer = bytes | Callable[[Peer], None]

DEFAULT: dict[str, bytes] = {
    "banner": b"220 fake ESMTP\r\n",
    "starttls": b"220 go\r\n",
    "auth": b"235 2.7.0 signed in\r\n",
    "mail": b"250 2.1.0 ok\r\n",
    "rcpt": b"250 2.1.5 ok\r\n",
    "data": b"354 go on\r\n",
    "dot": b"250 2.0.0 taken\r\n",
    "rset": b"250 ok\r\n",
    "quit": b"221 bye\r\n",
}


@dataclass
class FakeSmtp:
    """A script for ScriptedServer.

    replies: by stage (keys of DEFAULT and "ehlo"): bytes, or a function of the peer. A reply of
    b"" hangs up there. messages: what came between DATA and the dot, dots still doubled.
    unfinished: messages whose dot never came.
    """

    context: ssl.SSLContext | None = None
    extensions: tuple[bytes, ...] = (b"AUTH PLAIN LOGIN", b"8BITMIME", b"SIZE 1000000", b"DSN")
    plain_extensions: tuple[bytes, ...] = (b"STARTTLS",)
    replies: dict[str, Answer] = field(default_factory=dict)
    messages: list[bytes] = field(default_factory=list)
    unfinished: list[bytes] = field(default_factory=list)
    dots: int = 0

    def _answer(self, peer: Peer, stage: str) -> bool:
        """Send the stage's reply; whether to go on."""
        answer = self.replies.get(stage, DEFAULT.get(stage, b"250 ok\r\n"))
        if callable(answer):
            answer(peer)
            return True
        if not answer:
            return False
        peer.send(answer)
        return True

    def __call__(self, peer: Peer) -> None:
        is_private = self.context is None
        if not self._answer(peer, "banner"):
            return
        while (line := peer.readline()) is not None:
            verb = line.split(b" ", 1)[0].split(b":")[0].lower().decode("ascii", "replace")
            if verb == "ehlo" and "ehlo" not in self.replies:
                words = self.extensions if is_private else self.plain_extensions
                lines = [b"fake", *words]
                ends = [b"-"] * (len(lines) - 1) + [b" "]
                peer.send(
                    b"".join(b"250%b%b\r\n" % (e, w) for e, w in zip(ends, lines, strict=True))
                )
                continue
            if not self._answer(peer, verb):
                return
            if verb == "starttls" and self.context is not None:
                peer.start_tls(self.context)
                is_private = True
            elif verb == "quit" or (
                verb == "data" and self._reads_message() and not self._message(peer)
            ):
                return

    def _reads_message(self) -> bool:
        data = self.replies.get("data", DEFAULT["data"])
        return isinstance(data, bytes) and data.startswith(b"354")

    def _message(self, peer: Peer) -> bool:
        lines = []
        while (line := peer.readline()) != b".":
            if line is None:
                self.unfinished.append(b"\r\n".join(lines))
                return False
            lines.append(line)
        self.messages.append(b"\r\n".join(lines) + b"\r\n")
        self.dots += 1
        return self._answer(peer, "dot")
