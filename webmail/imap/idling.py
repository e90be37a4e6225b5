"""IDLE (RFC 2177), usable from a thread or from a selector."""

import time
from types import TracebackType
from typing import Self

from webmail.imap.conversation import Conversation
from webmail.imap.errors import CommandRefused, ImapError, ResponseCode
from webmail.imap.events import Event

MAX_IDLE = 25 * 60.0
"""Re-issue before 29 minutes, at which servers may hang up."""
_READ_SECONDS = 30.0


class Idling:
    """A running IDLE. `fileno` is for selectors; `events(timeout=0)` then drains without waiting.

    Raises CommandRefused when the server does not offer IDLE or refuses it.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._tag = b""

    def __enter__(self) -> Self:
        conversation = self._conversation
        if not conversation.profile.has("IDLE"):
            raise CommandRefused(
                command="IDLE", is_bad=True, code=ResponseCode.CANNOT, text="not offered"
            )
        self._tag = conversation.start("IDLE")
        return self

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._conversation.wire.fileno()

    def events(self, *, timeout: float) -> list[Event]:
        """News, waiting up to `timeout` seconds (≤ 25 min) for the first of it.

        Raises ConnectionLost, ServerUnavailable, ProtocolViolation.
        """
        conversation = self._conversation
        until = time.monotonic() + min(timeout, MAX_IDLE)
        try:
            while not conversation.events:
                left = until - time.monotonic()
                if not conversation.wire.wait(max(left, 0.0)):
                    break
                conversation.budget(seconds=_READ_SECONDS)
                conversation.read_unasked()
            while conversation.wire.buffered:
                conversation.budget(seconds=_READ_SECONDS)
                conversation.read_unasked()
        except ImapError:
            conversation.wire.close()
            raise
        return conversation.take_events()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        conversation = self._conversation
        if conversation.wire.is_closed:
            return
        if kind is not None and not issubclass(kind, ImapError):
            conversation.wire.close()  # somebody else's error: do not wait for a server now
            return
        conversation.finish(self._tag, b"DONE\r\n", name="IDLE")
