"""What every mail protocol shares below its commands: endpoints, bounded wires, TLS, SASL."""

from webmail.sasl.endpoint import Endpoint, tls_context
from webmail.sasl.errors import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    LimitExceeded,
    MailServerError,
    NoMechanism,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
)
from webmail.sasl.mechanisms import Credentials, Mechanism, choose_mechanism, client
from webmail.sasl.wire import TlsFacts, Wire, connect_tcp, open_wire

__all__ = [
    "AuthFailed",
    "ConnectFailed",
    "ConnectionLost",
    "Credentials",
    "DeadlineExceeded",
    "Endpoint",
    "LimitExceeded",
    "MailServerError",
    "Mechanism",
    "NoMechanism",
    "ProtocolViolation",
    "ServerUnavailable",
    "TlsFacts",
    "TlsRefused",
    "Wire",
    "choose_mechanism",
    "client",
    "connect_tcp",
    "open_wire",
    "tls_context",
]
