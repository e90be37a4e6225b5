"""A byte stream to a mail server on which no wait can outlast a wall-clock budget.

A socket timeout counts per `recv`, so a server that sends one byte a second holds a reader
forever. Here each exchange has one deadline, and every single wait gets only what is left of it.
When it runs out the socket is closed. The deadline moves with the bytes transferred, so an honest
slow line may carry a large message while a trickle cannot buy time: at the default rate one byte
is worth 15 µs.

`Wire` offers just enough of a socket and of a binary file (`sendall`, `makefile`, `readline`,
`read`, `close`) for imaplib and smtplib to run on it unchanged.
"""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from webmail.sasl.endpoint import Endpoint, tls_refusal
from webmail.sasl.errors import (
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    LimitExceeded,
    MailServerError,
)

type Clock = Callable[[], float]
type Connector = Callable[[Endpoint, float], socket.socket]

CHUNK = 64 * 1024
SEND_STEP = 256 * 1024
DEFAULT_RATE = 64 * 1024
"""Bytes per second an exchange must sustain once its fixed budget is used up."""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A TLS session, for reports. version: as "TLSv1.3". certificate: the server's, DER."""

    version: str
    cipher: str
    certificate: bytes


def connect_tcp(endpoint: Endpoint, seconds: float) -> socket.socket:
    """Dial the endpoint, giving each of its addresses what is left of `seconds`.

    Raises ConnectFailed.
    """
    try:
        sock = socket.create_connection((endpoint.address or endpoint.host, endpoint.port), seconds)
    except socket.gaierror as error:
        raise ConnectFailed(f"The name {endpoint.host} is not known.") from error
    except TimeoutError as error:
        raise ConnectFailed(f"{endpoint} did not answer within {seconds:.0f} seconds.") from error
    except ConnectionRefusedError as error:
        raise ConnectFailed(f"Nothing answers at {endpoint}.") from error
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"{endpoint} cannot be reached.") from error
    with suppress(OSError):  # a unix socket in a test has no such option
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Wire:
    """One connection; see the module docstring. Not safe for use by two threads at once."""

    def __init__(self, sock: socket.socket, *, host: str, clock: Clock) -> None:
        self._sock = sock
        self._host = host
        self._clock = clock
        self._data = b""
        self._at = 0
        self._until: float = clock() + 60
        self._rate = DEFAULT_RATE
        self._moved = 0
        self._limit = CHUNK
        self._last_moment: float | None = None
        self.is_closed = False
        self.received = 0
        self.sent = 0

    # --- budgets -------------------------------------------------------------------------------

    def begin(self, *, seconds: float, byte_limit: int, rate: int = DEFAULT_RATE) -> None:
        """Start an exchange: at most `seconds` plus transferred bytes / `rate`, at most
        `byte_limit` bytes received.
        """
        self._until = self._clock() + seconds
        self._rate = rate
        self._moved = 0
        self._limit = byte_limit

    def allow_until(self, moment: float | None) -> None:
        """Set the last moment (of the clock) for everything on this wire, None for no end."""
        self._last_moment = moment

    def remaining(self) -> float:
        """Seconds left in this exchange; may be negative."""
        until = self._until + self._moved / self._rate
        if self._last_moment is not None:
            until = min(until, self._last_moment)
        return until - self._clock()

    def _arm(self) -> None:
        """Give the next system call what is left of the budget."""
        if self.is_closed:
            raise ConnectionLost(f"The connection to {self._host} is closed.")
        left = self.remaining()
        if left <= 0:
            raise self._expired()
        self._sock.settimeout(left)

    def _expired(self) -> DeadlineExceeded:
        self.close()
        return DeadlineExceeded(f"{self._host} took too long to answer.")

    def _lost(self) -> ConnectionLost:
        self.close()
        return ConnectionLost(f"The connection to {self._host} was lost.")

    # --- TLS -----------------------------------------------------------------------------------

    @property
    def is_private(self) -> bool:
        """Whether a verified TLS session is in force."""
        return isinstance(self._sock, ssl.SSLSocket)

    @property
    def tls(self) -> TlsFacts | None:
        """The TLS session in force, None before there is one."""
        if not isinstance(self._sock, ssl.SSLSocket):
            return None
        cipher = self._sock.cipher()
        return TlsFacts(
            version=self._sock.version() or "",
            cipher=cipher[0] if cipher else "",
            certificate=self._sock.getpeercert(binary_form=True) or b"",
        )

    @property
    def socket(self) -> socket.socket:
        """The socket, to wait on (`fileno`) and to ask TLS facts; never to read or write."""
        return self._sock

    @property
    def buffered(self) -> int:
        """Bytes already received and not yet read."""
        return len(self._data) - self._at

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Handshake within the running budget. Raises TlsRefused, ConnectionLost."""
        self._arm()
        try:
            wrapped = context.wrap_socket(
                self._sock, server_hostname=self._host, do_handshake_on_connect=False
            )
            self._sock = wrapped
            wrapped.do_handshake()
        except TimeoutError as error:
            raise self._expired() from error
        except ssl.SSLError as error:
            self.close()
            raise tls_refusal(self._host, error) from error
        except (OSError, ValueError) as error:
            raise self._lost() from error

    # --- reading -------------------------------------------------------------------------------

    def _receive(self) -> bytes:
        self._arm()
        try:
            data = self._sock.recv(CHUNK)
        except TimeoutError as error:
            raise self._expired() from error
        except (OSError, ValueError) as error:
            raise self._lost() from error
        if not data:
            raise self._lost()
        self.received += len(data)
        self._moved += len(data)
        if self._moved > self._limit + CHUNK:
            self.close()
            raise LimitExceeded(f"{self._host} sent more data than expected.")
        return data

    def readline(self, limit: int = -1) -> bytes:
        """One line with its LF; a line without LF after `limit` bytes ends the connection."""
        start = self._at
        while (end := self._data.find(b"\n", start)) < 0:
            held = self.buffered
            if 0 <= limit <= held:
                self.close()
                raise LimitExceeded(f"{self._host} sent an endless line.")
            self._data = self._data[self._at :] + self._receive()
            self._at = 0
            start = held
        line = self._data[self._at : end + 1]
        if 0 <= limit < len(line):
            self.close()
            raise LimitExceeded(f"{self._host} sent an endless line.")
        self._at = end + 1
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        end = self._at + size
        if end <= len(self._data):
            taken = self._data[self._at : end]
            self._at = end
            return taken
        parts = [self._data[self._at :]]
        missing = size - len(parts[0])
        while missing > 0:
            data = self._receive()
            parts.append(data[:missing])
            missing -= len(data)
        self._data = data[missing:] if missing else b""  # missing ≤ 0: what was read too much
        self._at = 0
        return b"".join(parts)

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for something to read; True when there is something."""
        if self.buffered or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            return True
        if self.is_closed:
            raise ConnectionLost(f"The connection to {self._host} is closed.")
        self._sock.settimeout(max(seconds, 0.0))
        try:
            data = self._sock.recv(CHUNK)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        except (OSError, ValueError) as error:
            raise self._lost() from error
        if not data:
            raise self._lost()
        self.received += len(data)
        self._data, self._at = data, 0
        return True

    # --- writing -------------------------------------------------------------------------------

    def sendall(self, data: bytes) -> None:
        """Send everything within the running budget, which grows with what was sent."""
        view = memoryview(data)
        while view:
            self._arm()
            try:
                count = self._sock.send(view[:SEND_STEP])
            except TimeoutError as error:
                raise self._expired() from error
            except (OSError, ValueError) as error:
                raise self._lost() from error
            self._moved_out(count)
            view = view[count:]

    def _moved_out(self, count: int) -> None:
        self.sent += count
        self._until += count / self._rate

    # --- the rest of a socket ------------------------------------------------------------------

    def makefile(self, mode: str = "rb") -> Self:
        """Itself: it already reads like a binary file."""
        if mode != "rb":
            raise ValueError("a wire is read as bytes")
        return self

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: only the budget of `begin` decides how long to wait."""

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._sock.fileno()

    def shutdown(self, _how: int) -> None:
        """Close; half-closed mail connections are of no use."""
        self.close()

    def close(self) -> None:
        """Close at once; may be called again, and from another thread to break a wait."""
        self.is_closed = True
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        with suppress(OSError):
            self._sock.close()


def open_wire(
    endpoint: Endpoint,
    context: ssl.SSLContext,
    *,
    seconds: float,
    clock: Clock,
    connect: Connector = connect_tcp,
) -> Wire:
    """Dial, and for implicit TLS shake hands, within `seconds`.

    Raises ConnectFailed or TlsRefused.
    """
    wire = Wire(connect(endpoint, seconds), host=endpoint.host, clock=clock)
    if endpoint.security == "tls":
        wire.begin(seconds=seconds, byte_limit=CHUNK)
        try:
            wire.start_tls(context)
        except ConnectionLost as error:
            raise ConnectFailed(f"{endpoint} broke off the secure connection.") from error
        except MailServerError:
            raise
    return wire
