"""What can go wrong in a conversation with a mail server, as types.

Every error carries `reason`: one sentence for a person, without secrets. Callers branch on the
class (or on a typed field), never on the words.
"""


class MailServerError(Exception):
    """A conversation with a mail server failed; `reason` says why in one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConnectFailed(MailServerError):  # noqa: N818
    """No connection: unknown name, refused, unreachable, or no greeting."""


class TlsRefused(MailServerError):  # noqa: N818
    """The connection could not be made private, so no credential was sent."""


class AuthFailed(MailServerError):  # noqa: N818
    """The server refused the name and password, or proved not to know the password."""


class NoMechanism(AuthFailed):
    """Server and client have no authentication mechanism in common that is safe here."""


class ServerUnavailable(MailServerError):  # noqa: N818
    """The server says "not now": busy, too many connections, shutting down. Retry later."""


class ConnectionLost(MailServerError):  # noqa: N818
    """The connection broke; whether the last command took effect is unknown."""


class DeadlineExceeded(ConnectionLost):
    """The wall-clock budget of an exchange ran out; the connection was closed."""


class ProtocolViolation(MailServerError):  # noqa: N818
    """The server sent something the protocol does not allow; the connection was closed."""


class LimitExceeded(MailServerError):  # noqa: N818
    """The server sent more than this client accepts; the connection was closed."""
