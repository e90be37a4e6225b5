"""One mail transaction, reply by reply.

MAIL ─250─▶ RCPT … (≥ 1 accepted) ─▶ DATA ─354─▶ message ─▶ [data_end] ─▶ "." ─▶ reply
  │            │ all refused           │                          │
  └──4xx: temporary, 5xx: permanent────┘        lost before the dot: temporary
                                                no readable reply after it: uncertain
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from webmail.sasl import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    MailServerError,
    ServerUnavailable,
    TlsRefused,
)
from webmail.submission.addresses import AddressRefused, Mailbox, mailbox, xtext
from webmail.submission.dialogue import Dialogue, ServerReply
from webmail.submission.outcome import Cause, Outcome, Phase, RecipientOutcome, State

STEP = 256 * 1024
MAX_ENVELOPE_ID = 100  # RFC 3461 §4.4
_BARE_BREAK = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Submission:
    """What to send. content: the final message, CRLF line ends; recipients: at least one."""

    envelope_from: str
    recipients: tuple[str, ...]
    content: bytes
    envelope_id: str

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("a submission needs a recipient")
        if not self.content or b"\0" in self.content:
            raise ValueError("a message must not be empty nor hold NUL")
        if _BARE_BREAK.search(self.content):
            # A bare CR or LF before a dot is how one message smuggles in another.
            raise ValueError("a message has CRLF line ends only")


class Transaction:
    """Runs one submission on a signed-in dialogue; `run` may be called once."""

    def __init__(
        self, dialogue: Dialogue, submission: Submission, on_phase: Callable[[Phase], None]
    ) -> None:
        self._dialogue = dialogue
        self._submission = submission
        self._on_phase = on_phase
        self._stage = Phase.AUTHENTICATED
        self._recipients: list[RecipientOutcome] = []
        self._limits = dialogue.limits()

    def run(self) -> Outcome:
        """The outcome. Only what `on_phase` raises passes through; then nothing was sent."""
        try:
            return self._run()
        except MailServerError as error:
            self._dialogue.close()
            if self._stage is Phase.DATA_END:
                return self._end(
                    "uncertain", cause_of(error),
                    "The server did not confirm that it took the message.",
                )  # fmt: skip
            return self._end("temporary", cause_of(error), error.reason)

    def _enter(self, phase: Phase) -> None:
        self._stage = phase
        self._on_phase(phase)

    def _end(
        self, state: State, cause: Cause, reason: str, reply: ServerReply | None = None
    ) -> Outcome:
        recipients = self._recipients
        if state != "accepted":
            # What was accepted at RCPT shares the fate of the message.
            recipients = [
                replace(r, state=state) if r.state == "accepted" else r for r in recipients
            ]
        return Outcome(
            state=state,
            stage=self._stage,
            code=reply.code if reply else 0,
            enhanced=reply.enhanced if reply else "",
            text=reply.text if reply else "",
            recipients=tuple(recipients),
            cause=cause,
            reason=reason,
        )

    def _refused(self, reply: ServerReply) -> Outcome:
        state: State = "temporary" if reply.is_transient else "permanent"
        if not 400 <= reply.code < 600:
            return self._end("temporary", Cause.PROTOCOL, "The server broke the protocol.", reply)
        return self._end(state, Cause.REPLY, f"The server refused the message: {reply.text}", reply)

    def _run(self) -> Outcome:
        self._enter(Phase.MAIL)
        parameters = self._mail_parameters()
        if isinstance(parameters, Outcome):
            return parameters
        reply = self._dialogue.command(parameters)
        if reply.code != 250:
            return self._refused(reply)
        self._enter(Phase.RCPT)
        if (failed := self._offer_recipients()) is not None:
            return failed
        self._enter(Phase.DATA)
        self._dialogue.wire.allow_until(None)  # from here on RFC 5321's own waits count
        reply = self._dialogue.command("DATA", seconds=self._dialogue.deadlines.data)
        if reply.code != 354:
            return self._refused(reply)
        self._send_content()
        return self._confirm()

    # --- envelope ------------------------------------------------------------------------------

    def _mail_parameters(self) -> str | Outcome:
        """The MAIL command, or why this message cannot go through this server."""
        submission, limits = self._submission, self._limits
        size = len(submission.content)
        if limits.size is not None and size > limits.size:
            return self._end(
                "permanent", Cause.TOO_LARGE,
                f"The message has {size} bytes; the server takes at most {limits.size}.",
            )  # fmt: skip
        try:
            sender = mailbox(submission.envelope_from)
        except AddressRefused as refused:
            return self._end("permanent", Cause.ADDRESS, refused.reason)
        head = submission.content.partition(b"\r\n\r\n")[0]
        needs_utf8 = sender.needs_utf8 or not head.isascii()
        if needs_utf8 and not limits.has_smtputf8:
            return self._end(
                "permanent", Cause.NO_SMTPUTF8,
                "The server does not take addresses outside ASCII.",
            )  # fmt: skip
        is_8bit = not submission.content.isascii()
        if is_8bit and not limits.has_8bitmime:
            return self._end(
                "permanent", Cause.NO_8BITMIME, "The server does not take 8-bit messages."
            )
        words = [f"MAIL FROM:<{sender.path}>"]
        if self._dialogue.has_extn("size"):
            words.append(f"SIZE={size}")
        if is_8bit or (needs_utf8 and limits.has_8bitmime):
            words.append("BODY=8BITMIME")
        if limits.has_smtputf8 and (needs_utf8 or self._any_recipient_needs_utf8()):
            words.append("SMTPUTF8")
            self._dialogue.command_encoding = "utf-8"
        if limits.has_dsn:
            envelope_id = xtext(submission.envelope_id)
            words.append("RET=HDRS")
            if 0 < len(envelope_id) <= MAX_ENVELOPE_ID:
                words.append(f"ENVID={envelope_id}")
        return " ".join(words)

    def _any_recipient_needs_utf8(self) -> bool:
        return any(not r.rpartition("@")[0].isascii() for r in self._submission.recipients)

    def _offer_recipients(self) -> Outcome | None:
        """RCPT for each; None when at least one was accepted."""
        last: ServerReply | None = None
        for address in self._submission.recipients:
            try:
                target = mailbox(address)
            except AddressRefused as refused:
                self._recipients.append(RecipientOutcome(address, "permanent", text=refused.reason))
                continue
            if target.needs_utf8 and not self._limits.has_smtputf8:
                self._recipients.append(
                    RecipientOutcome(
                        address, "permanent",
                        text="The server does not take addresses outside ASCII.",
                    )
                )  # fmt: skip
                continue
            last = self._dialogue.command(self._rcpt(address, target))
            self._recipients.append(_recipient(address, last))
            if last.code == 421:  # RFC 5321 §3.8: the server is closing the channel
                return self._refused(last)
        if any(r.state == "accepted" for r in self._recipients):
            return None
        return self._all_refused(last)

    def _rcpt(self, address: str, target: Mailbox) -> str:
        line = f"RCPT TO:<{target.path}>"
        if self._limits.has_dsn:
            line += " NOTIFY=FAILURE,DELAY"
            if address.isascii():  # RFC 6533 has another form for the rest
                line += f" ORCPT=rfc822;{xtext(address)}"
        return line

    def _all_refused(self, last: ServerReply | None) -> Outcome:
        if any(r.state == "temporary" for r in self._recipients):
            reason = "The server took none of the recipients for now."
            return self._end("temporary", Cause.REPLY, reason, last)
        cause = Cause.REPLY if last is not None else Cause.ADDRESS
        return self._end("permanent", cause, "The server refused every recipient.", last)

    # --- message -------------------------------------------------------------------------------

    def _send_content(self) -> None:
        """Everything but the final dot."""
        dialogue = self._dialogue
        for step in stuffed(self._submission.content):
            dialogue.allow(dialogue.deadlines.block)
            dialogue.send(step)

    def _confirm(self) -> Outcome:
        dialogue = self._dialogue
        try:
            self._enter(Phase.DATA_END)
        except BaseException:
            dialogue.close()  # without the dot the server discards what it has
            raise
        dialogue.allow(dialogue.deadlines.final)
        dialogue.send(b".\r\n")
        reply = dialogue.reply()
        if 200 <= reply.code < 300:
            return self._end("accepted", Cause.NONE, "The server accepted the message.", reply)
        if 400 <= reply.code < 600:
            return self._refused(reply)
        return self._end(
            "uncertain", Cause.PROTOCOL,
            "The server did not confirm that it took the message.", reply,
        )  # fmt: skip


def stuffed(content: bytes) -> Iterator[bytes]:
    """The message in steps, dots doubled at line starts (RFC 5321 §4.5.2), ending with CRLF."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + STEP) + 1 or len(content)
        yield _DOT.sub(b"..", content[start:end])
        start = end
    if not content.endswith(b"\r\n"):
        yield b"\r\n"


def _recipient(address: str, reply: ServerReply) -> RecipientOutcome:
    state: State = "permanent"
    if reply.code in {250, 251, 252}:
        state = "accepted"
    elif not 500 <= reply.code < 600:
        state = "temporary"
    return RecipientOutcome(address, state, reply.code, reply.enhanced, reply.text)


def cause_of(error: MailServerError) -> Cause:
    """The typed cause of a failed conversation."""
    for kind, cause in (
        (DeadlineExceeded, Cause.DEADLINE),
        (TlsRefused, Cause.TLS),
        (AuthFailed, Cause.AUTHENTICATION),
        (ServerUnavailable, Cause.BUSY),
        (ConnectFailed, Cause.CONNECTION),
        (ConnectionLost, Cause.CONNECTION),
    ):
        if isinstance(error, kind):
            return cause
    return Cause.PROTOCOL


def unsent(recipients: Sequence[str], state: State, text: str) -> tuple[RecipientOutcome, ...]:
    """Outcomes for recipients the server was never asked about."""
    return tuple(RecipientOutcome(address, state, text=text) for address in recipients)
