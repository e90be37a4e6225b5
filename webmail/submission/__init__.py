"""Message submission (RFC 6409) with every reply and phase in view."""

from webmail.sasl import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    Credentials,
    DeadlineExceeded,
    Endpoint,
    LimitExceeded,
    MailServerError,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
)
from webmail.submission.outcome import (
    Cause,
    Deadlines,
    Outcome,
    Phase,
    RecipientOutcome,
    ServerLimits,
)
from webmail.submission.submit import QUICK, check_login, limits, submit

__all__ = [
    "QUICK",
    "AuthFailed",
    "Cause",
    "ConnectFailed",
    "ConnectionLost",
    "Credentials",
    "DeadlineExceeded",
    "Deadlines",
    "Endpoint",
    "LimitExceeded",
    "MailServerError",
    "Outcome",
    "Phase",
    "ProtocolViolation",
    "RecipientOutcome",
    "ServerLimits",
    "ServerUnavailable",
    "TlsRefused",
    "check_login",
    "limits",
    "submit",
]
