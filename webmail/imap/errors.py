"""IMAP's own errors beside those every mail protocol shares."""

from enum import StrEnum

from webmail.sasl.errors import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    LimitExceeded,
    MailServerError,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
)

ImapError = MailServerError
"""Base of everything a session raises besides ValueError and TypeError for wrong arguments."""

__all__ = [
    "AuthFailed",
    "CommandRefused",
    "ConnectFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "ImapError",
    "LimitExceeded",
    "MessageGone",
    "ProtocolViolation",
    "ResponseCode",
    "ServerUnavailable",
    "TlsRefused",
]


class ResponseCode(StrEnum):
    """Response codes a caller may act on (RFC 9051 §7.1, RFC 5530, RFC 7162)."""

    ALREADYEXISTS = "ALREADYEXISTS"
    AUTHENTICATIONFAILED = "AUTHENTICATIONFAILED"
    AUTHORIZATIONFAILED = "AUTHORIZATIONFAILED"
    CANNOT = "CANNOT"
    CLIENTBUG = "CLIENTBUG"
    CONTACTADMIN = "CONTACTADMIN"
    EXPIRED = "EXPIRED"
    EXPUNGEISSUED = "EXPUNGEISSUED"
    INUSE = "INUSE"
    LIMIT = "LIMIT"
    NONEXISTENT = "NONEXISTENT"
    NOPERM = "NOPERM"
    OVERQUOTA = "OVERQUOTA"
    PRIVACYREQUIRED = "PRIVACYREQUIRED"
    SERVERBUG = "SERVERBUG"
    TOOBIG = "TOOBIG"
    TRYCREATE = "TRYCREATE"
    UNAVAILABLE = "UNAVAILABLE"


class CommandRefused(ImapError):  # noqa: N818
    """The server answered NO or BAD; the connection is still good.

    command: its name. is_bad: BAD (not understood) instead of NO (not done). code: the response
    code when it is a known one. text: the server's words, to be shown, never to branch on.
    """

    def __init__(self, *, command: str, is_bad: bool, code: ResponseCode | None, text: str) -> None:
        said = text.strip().rstrip(".") or "no reason given"
        super().__init__(f"The mail server refused {command}: {said}.")
        self.command = command
        self.is_bad = is_bad
        self.code = code
        self.text = text


class MessageGone(ImapError):  # noqa: N818
    """The message is not in the folder any more."""

    def __init__(self) -> None:
        super().__init__("The message is no longer in this folder.")
