"""What became of one submission: closed, typed, final."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from webmail.sasl import TlsFacts

type State = Literal["accepted", "temporary", "permanent", "uncertain"]


class Phase(StrEnum):
    """How far a submission has come; in this order.

    DATA_END is announced before the final dot is sent: from then on only the server's reply can
    say whether the mail was taken.
    """

    CONNECTING = "connecting"
    GREETED = "greeted"
    AUTHENTICATED = "authenticated"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DATA_END = "data_end"


class Cause(StrEnum):
    """Why a submission did not end in acceptance; REPLY means the server said so."""

    NONE = "none"
    REPLY = "reply"
    CONNECTION = "connection"
    DEADLINE = "deadline"
    TLS = "tls"
    AUTHENTICATION = "authentication"
    BUSY = "busy"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    ADDRESS = "address"
    NO_8BITMIME = "no_8bitmime"
    NO_SMTPUTF8 = "no_smtputf8"


@dataclass(frozen=True, slots=True)
class RecipientOutcome:
    """One recipient: accepted by the server, or refused now or for good.

    code: 0 when the server was not asked. enhanced: "5.1.1" or "". text: the server's words.
    """

    address: str
    state: State
    code: int = 0
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole submission.

    state: "accepted": the server has it, for at least one recipient (see `recipients`);
    "temporary": not sent, try again later; "permanent": not sent and trying again is no use;
    "uncertain": the final dot went out and no readable reply came: never resend by itself.
    stage: the phase it ended in. code, enhanced, text: the deciding reply (0, "", "" without one).
    reason: one sentence for a person. cause: the same as a type.
    """

    state: State
    stage: Phase
    code: int = 0
    enhanced: str = ""
    text: str = ""
    recipients: tuple[RecipientOutcome, ...] = ()
    cause: Cause = Cause.NONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a submission server says of itself. size: octets, None without a limit."""

    size: int | None
    has_8bitmime: bool
    has_smtputf8: bool
    has_dsn: bool
    mechanisms: frozenset[str]
    tls: TlsFacts | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Wall-clock budgets in seconds; the defaults are RFC 5321 §4.5.3.2's.

    before_data: everything up to DATA together: giving up there is harmless. data: the 354.
    block: each 256 KiB of the message, plus a second per `rate` octets. final: the reply to the
    final dot; a shorter wait makes duplicates (§4.5.3.2.6, RFC 1047).
    """

    connect: float = 30.0
    greeting: float = 300.0
    command: float = 300.0
    before_data: float = 180.0
    data: float = 120.0
    block: float = 180.0
    final: float = 600.0
    rate: int = 64 * 1024
