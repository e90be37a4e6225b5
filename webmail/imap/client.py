"""IMAPClient on a bounded wire: greeting, STARTTLS, and nothing a server says before TLS survives.

imaplib reads a literal in one go, lets a trickle of bytes hold it forever, keeps untagged data
from before STARTTLS, and drops surplus plaintext silently. Here every byte passes a `Wire`.
No module outside `webmail.imap` imports imapclient.
"""

import imaplib
import logging
import ssl
from collections.abc import Buffer, Callable
from contextlib import suppress
from typing import Literal, override

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError

from webmail.imap.errors import (
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    ImapError,
    LimitExceeded,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
)
from webmail.sasl.endpoint import Endpoint
from webmail.sasl.wire import Wire

GREETING_BYTES = 256 * 1024
GREETING_LITERAL = 4 * 1024

# imaplib and IMAPClient log command lines; ours hold names and words of people.
logging.getLogger("imapclient").setLevel(logging.CRITICAL)


class BoundedImap4(imaplib.IMAP4):
    """imaplib's state machine with its input and output replaced by a Wire."""

    def __init__(self, endpoint: Endpoint, dial: Callable[[], Wire]) -> None:
        self._dial = dial
        self.wire: Wire
        super().__init__(endpoint.host, endpoint.port)

    @override
    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.wire = self._dial()
        self.sock = self.wire  # type: ignore[assignment]

    @override
    def read(self, size: int) -> bytes:
        if size > GREETING_LITERAL:
            self.wire.close()
            raise LimitExceeded(f"{self.host} sent more data than expected.")
        return self.wire.read(size)

    @override
    def readline(self) -> bytes:
        return self.wire.readline(GREETING_BYTES)

    @override
    def send(self, data: Buffer) -> None:
        self.wire.sendall(bytes(data))

    @override
    def shutdown(self) -> None:
        with suppress(AttributeError):  # dialling failed: there is no wire yet
            self.wire.close()

    @override
    def starttls(
        self, ssl_context: ssl.SSLContext | None = None
    ) -> tuple[Literal["OK"], list[None]]:
        """RFC 9051 §6.2.1. Raises TlsRefused; forgets all that was said in clear text."""
        if ssl_context is None:
            raise TypeError("STARTTLS needs a verifying context")
        typ, _ = self._simple_command("STARTTLS")
        if typ != "OK":
            raise TlsRefused(f"{self.host} refused to start TLS.")
        if self.wire.buffered:
            # Whatever follows the OK in clear text was put there by somebody in between, to be
            # read as if it had come through TLS (CVE-2011-0411 and its kin).
            self.wire.close()
            raise TlsRefused(f"{self.host} sent clear text after agreeing to TLS.")
        self.wire.start_tls(ssl_context)
        self.untagged_responses.clear()
        self._tls_established = True
        self._get_capabilities()
        return "OK", [None]


class BoundedClient(IMAPClient):  # type: ignore[misc]
    """IMAPClient whose connection is a BoundedImap4."""

    def __init__(self, endpoint: Endpoint, dial: Callable[[], Wire]) -> None:
        self._endpoint = endpoint
        self._dial = dial
        super().__init__(endpoint.host, port=endpoint.port, ssl=endpoint.security == "tls")
        self._imap.debug = 0
        self._imap._log = _forget  # noqa: SLF001

    @override
    def _create_IMAP4(self) -> BoundedImap4:
        return BoundedImap4(self._endpoint, self._dial)

    @property
    def wire(self) -> Wire:
        """The stream below."""
        wire: Wire = self._imap.wire
        return wire

    @property
    def offered(self) -> tuple[str, ...]:
        """The capabilities last asked for: after STARTTLS those of the private connection."""
        capabilities: tuple[str, ...] = self._imap.capabilities
        return capabilities

    def next_tag(self) -> bytes:
        """A fresh tag of this connection's series; its reply is read by the caller."""
        tag: bytes = self._imap._new_tag()  # noqa: SLF001
        del self._imap.tagged_commands[tag]
        return tag

    @property
    def is_preauthenticated(self) -> bool:
        """The greeting was PREAUTH: the server thinks it knows us already."""
        return bool(self._imap.state == "AUTH")


def _forget(_line: object) -> None:
    """Imaplib keeps its last ten lines for debugging; those may hold a password."""


def connect(endpoint: Endpoint, dial: Callable[[], Wire], context: ssl.SSLContext) -> BoundedClient:
    """A connection under TLS that nobody has signed in on.

    Raises ConnectFailed, TlsRefused, ServerUnavailable, ProtocolViolation, LimitExceeded.
    """
    client = _greeted(endpoint, dial)
    if client.is_preauthenticated:
        # RFC 9051 §7.1.4 forbids STARTTLS after PREAUTH, so an attacker can use it to keep the
        # connection in clear text; under TLS it would be somebody else's mailbox.
        client.wire.close()
        raise TlsRefused(f"{endpoint.host} skipped signing in, which is not safe.")
    try:
        if endpoint.security == "starttls":
            _upgrade(client, endpoint, context)
    except BaseException:
        client.wire.close()
        raise
    return client


def _greeted(endpoint: Endpoint, dial: Callable[[], Wire]) -> BoundedClient:
    try:
        return BoundedClient(endpoint, dial)
    except DeadlineExceeded as error:
        raise ConnectFailed(f"{endpoint} did not greet in time.") from error
    except ConnectionLost as error:
        raise ConnectFailed(f"{endpoint} closed the connection without a greeting.") from error
    except imaplib.IMAP4.abort as error:
        raise ProtocolViolation(f"{endpoint} does not speak IMAP.") from error
    except imaplib.IMAP4.error as error:
        if b"BYE" in str(error).upper().encode():
            raise ServerUnavailable(f"{endpoint.host} takes no connections right now.") from error
        raise ProtocolViolation(f"{endpoint} does not speak IMAP.") from error
    except (UnicodeError, ValueError) as error:
        raise ProtocolViolation(f"{endpoint} does not speak IMAP.") from error


def _upgrade(client: BoundedClient, endpoint: Endpoint, context: ssl.SSLContext) -> None:
    try:
        client.starttls(context)
    except CapabilityError as error:
        raise TlsRefused(
            f"{endpoint.host} does not offer STARTTLS, so the password was not sent."
        ) from error
    except ConnectionLost as error:
        raise TlsRefused(f"{endpoint.host} broke off the secure connection.") from error
    except ImapError:
        raise
    except (imaplib.IMAP4.error, UnicodeError, ValueError) as error:
        raise TlsRefused(f"{endpoint.host} could not start TLS.") from error
