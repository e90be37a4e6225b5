"""One guarded HTTP request: the SSRF rules, a deadline, a size, a number of redirects.

    URL ─► check_url ─► resolve once ─► check every address ─► connect to a checked address
             ▲                                                         │
             └──────────── Location, from zero, at most N times ◄──────┘

A name that changes its address between check and connection (rebinding) gains nothing: the address
that was checked is the one connected to. No cookie, no referrer, no credentials, no range; the
whole of it ends at the deadline, whatever the other side does.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from webmail.html.addresses import (
    PORTS,
    RefusedUrl,
    RemoteUrl,
    check_public_address,
    check_remote_url,
)

_MOVED = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})  # RFC 9110 §15.4: a POST stays one
_DONE = 2  # the hundreds of a status that says so
_ADDRESSES_TRIED = 4  # of one name
_PIECE = 65536  # octets that are read at once


class NotFetched(Exception):  # noqa: N818 - the name says what happened
    """Nothing came that may be used; the text says why, for the log."""


class HostRefused(NotFetched):
    """The other side answered, and not that it did what was asked."""


class NoWord(NotFetched):
    """What was posted may have arrived; no answer came."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost, redirects included."""

    seconds: float
    octets: int  # of the body; one more is refused, not cut
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """Which URLs and addresses may be fetched; tests with servers of their own widen them."""

    check_url: Callable[[str], RemoteUrl] = check_remote_url
    check_address: Callable[[str], object] = check_public_address


@dataclass(frozen=True, slots=True)
class Posted:
    """A body to send instead of asking only."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 200 answer."""

    content: bytes
    content_type: str  # as the server calls it, lower case, without parameters; "" if it does not


@dataclass(frozen=True, slots=True)
class _Moved:
    location: str
    keeps_method: bool


@dataclass(frozen=True, slots=True)
class _Asking:
    accept: str
    user_agent: str
    posted: Posted | None
    octets: int
    until: float  # time.monotonic()


def fetch(
    url: str,
    *,
    limits: Limits,
    user_agent: str,
    accept: str = "*/*",
    posted: Posted | None = None,
    rules: Rules | None = None,
) -> Answer:
    """Return what is behind `url`: GET, or POST with `posted`.

    Raises NotFetched, or RefusedUrl when the address or that of any redirect is not allowed.
    """
    rules = rules or Rules()
    asking = _Asking(accept, user_agent, posted, limits.octets, time.monotonic() + limits.seconds)
    for _ in range(limits.redirects + 1):
        remote = rules.check_url(url)
        addresses = _checked_addresses(remote, rules, asking.until)
        answer = _ask(remote, addresses, asking)
        if isinstance(answer, Answer):
            return answer
        if posted is not None and not answer.keeps_method:
            raise NotFetched("a redirect that would drop what was posted")
        try:
            url = urljoin(remote.url, answer.location)
        except ValueError as error:  # such as "http://["
            raise NotFetched("a redirect to no address") from error
    raise NotFetched("too many redirects")


def deliver(
    url: str, *, posted: Posted, seconds: float, user_agent: str, rules: Rules | None = None
) -> None:
    """Post to an https URL, once: a 2xx answer means that it was taken, and none of it is read.

    No redirect is followed. Raises RefusedUrl (nothing was asked), NotFetched (nothing got there),
    HostRefused, NoWord.
    """
    rules = rules or Rules()
    until = time.monotonic() + seconds
    remote = rules.check_url(url)
    if remote.scheme != "https":
        raise RefusedUrl("scheme")
    addresses = _checked_addresses(remote, rules, until)
    asking = _Asking("*/*", user_agent, posted, 0, until)
    is_on_its_way = False
    try:
        plain = _connect(remote, addresses, until)
        with _connection(remote, plain, until) as connection:
            is_on_its_way = True
            _request(connection, remote, asking)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        lost = NoWord if is_on_its_way else NotFetched
        raise lost(type(error).__name__) from error
    if status // 100 != _DONE:
        raise HostRefused(f"status {status}")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise NotFetched("too slow")
    return left


def _checked_addresses(remote: RemoteUrl, rules: Rules, until: float) -> list[str]:
    addresses = list(dict.fromkeys(_resolve(remote, until)))
    for candidate in addresses:
        rules.check_address(candidate)  # one private address among them refuses all
    return addresses[:_ADDRESSES_TRIED]


def _resolve(remote: RemoteUrl, until: float) -> list[str]:
    """Ask the resolver, which knows no deadline, from a thread that is left behind at ours."""
    found: list[str] = []
    failure: list[Exception] = []

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(remote.host, remote.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure.append(error)
        else:
            found.extend(str(entry[4][0]) for entry in entries)

    thread = threading.Thread(target=look_up, daemon=True, name="resolve")
    thread.start()
    thread.join(_left(until))
    if thread.is_alive():
        raise NotFetched("too slow")
    if failure or not found:
        raise NotFetched("the host has no address") from (failure[0] if failure else None)
    return found


def _ask(remote: RemoteUrl, addresses: list[str], asking: _Asking) -> Answer | _Moved:
    try:
        plain = _connect(remote, addresses, asking.until)
        with _connection(remote, plain, asking.until) as connection:
            return _converse(connection, remote, asking)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotFetched(type(error).__name__) from error


def _connect(remote: RemoteUrl, addresses: list[str], until: float) -> socket.socket:
    """Connect to the first checked address that answers."""
    problem: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, remote.port), timeout=_left(until))
        except OSError as error:
            problem = error
    raise problem


@contextmanager
def _connection(
    remote: RemoteUrl, plain: socket.socket, until: float
) -> Iterator[http.client.HTTPConnection]:
    """Speak HTTP over a connected socket, which is shut at `until`, whatever it is doing."""
    connection = http.client.HTTPConnection(remote.host, remote.port)
    # http.client forgets its socket when the answer ends the connection: keep it here.
    current = connection.sock = plain

    def cut() -> None:
        with suppress(OSError):  # it has ended by itself just now
            current.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(max(until - time.monotonic(), 0), cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        if remote.scheme == "https":
            secured = ssl.create_default_context().wrap_socket(
                plain, server_hostname=remote.host, do_handshake_on_connect=False
            )
            current = connection.sock = secured
            secured.do_handshake()
        yield connection
    finally:
        watchdog.cancel()
        connection.close()
        plain.close()


def _request(connection: http.client.HTTPConnection, remote: RemoteUrl, asking: _Asking) -> None:
    fields = {
        "Host": _host_header(remote),
        "User-Agent": asking.user_agent,
        "Accept": asking.accept,
        "Accept-Encoding": "identity",
    }
    if asking.posted is not None:
        fields["Content-Type"] = asking.posted.content_type
    connection.request(
        "GET" if asking.posted is None else "POST",
        remote.target,
        body=None if asking.posted is None else asking.posted.content,
        headers=fields,
    )


def _converse(
    connection: http.client.HTTPConnection, remote: RemoteUrl, asking: _Asking
) -> Answer | _Moved:
    _request(connection, remote, asking)
    response = connection.getresponse()
    location = response.headers.get("Location")
    if response.status in _MOVED and location:
        return _Moved(location, keeps_method=response.status in _KEEPS_METHOD)
    if response.status != http.client.OK:
        raise NotFetched(f"status {response.status}")
    content = _body(response, most=asking.octets)
    _left(asking.until)
    return Answer(content, response.headers.get_content_type() if _is_typed(response) else "")


def _body(response: http.client.HTTPResponse, *, most: int) -> bytes:
    """Read the body a buffer at a time.

    `response.read` would take a chunk of size -1 for all that comes, however much it is.
    """
    body = bytearray()
    while piece := response.read1(_PIECE):
        body += piece
        if len(body) > most:
            raise NotFetched("larger than the limit")
    if response.length:  # that many octets were promised besides
        raise NotFetched("shorter than it says")
    return bytes(body)


def _is_typed(response: http.client.HTTPResponse) -> bool:
    return "Content-Type" in response.headers


def _host_header(remote: RemoteUrl) -> str:
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    return host if remote.port == PORTS[remote.scheme] else f"{host}:{remote.port}"
