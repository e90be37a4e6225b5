"""The image proxy: remote images of mail, fetched by a worker, re-encoded, cached sealed.

Two steps in two lanes: `fetch` opens the connection (addresses checked, then connected to
exactly the checked address: no rebinding) and `crypto` decodes and re-encodes. The browser never
talks to the remote host; the host sees no cookie, no referrer and one fixed User-Agent.
"""

import hashlib
import http.client
import io
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from PIL import Image, UnidentifiedImageError

from accounts import sealed_cache
from webmail.html.addresses import (
    PORTS,
    RefusedUrl,
    RemoteUrl,
    check_public_address,
    check_remote_url,
)

DEADLINE = 5.0  # seconds for everything, redirects included
BYTES_LIMIT = 5 * 1024 * 1024
PIXEL_LIMIT = 25_000_000
REDIRECT_LIMIT = 3
KEPT_FOR = 3600  # seconds
USER_AGENT = "Signet image proxy"
FORMATS = {
    "PNG": "image/png",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}


class NoImage(Exception):  # noqa: N818 - the name says what happened
    """There is no image to show; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A re-encoded image."""

    content: bytes
    content_type: str


def cache_key(url: str) -> str:
    """Return the cache key of `url`; the address itself is not in it."""
    return f"image:{hashlib.sha256(url.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Rules:
    """Which URLs and addresses may be fetched; tests with servers of their own widen them."""

    check_url: Callable[[str], RemoteUrl] = check_remote_url
    check_address: Callable[[str], object] = check_public_address


def _checked_address(remote: RemoteUrl, rules: Rules) -> str:
    try:
        found = socket.getaddrinfo(remote.host, remote.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoImage("the host has no address") from error
    addresses = [str(entry[4][0]) for entry in found]
    for candidate in addresses:
        rules.check_address(candidate)  # one private address among them refuses all
    return addresses[0]


@contextmanager
def _connection(remote: RemoteUrl, ip: str, until: float) -> Iterator[http.client.HTTPConnection]:
    """Connect to the checked address; the socket is shut at `until`, whatever it is doing."""
    left = until - time.monotonic()
    if left <= 0:
        raise NoImage("too slow")
    connection = http.client.HTTPConnection(remote.host, remote.port, timeout=left)
    plain = socket.create_connection((ip, remote.port), timeout=left)
    # http.client forgets its socket when the answer ends the connection: keep it here.
    current = connection.sock = plain

    def cut() -> None:
        with suppress(OSError):  # it has ended by itself just now
            current.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(left, cut)
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


def _host_header(remote: RemoteUrl) -> str:
    host = f"[{remote.host}]" if ":" in remote.host else remote.host
    return host if remote.port == PORTS[remote.scheme] else f"{host}:{remote.port}"


def _ask(remote: RemoteUrl, ip: str, until: float) -> bytes | str:
    """Return the body, or the Location of a redirect as text."""
    with _connection(remote, ip, until) as connection:
        connection.request(
            "GET",
            remote.target,
            headers={
                "Host": _host_header(remote),
                "User-Agent": USER_AGENT,
                "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif",
                "Accept-Encoding": "identity",
            },
        )
        response = connection.getresponse()
        location = response.headers.get("Location")
        if response.status in {301, 302, 303, 307, 308} and location:
            return location
        if response.status != 200:
            raise NoImage(f"status {response.status}")
        content = response.read(BYTES_LIMIT + 1)
        if len(content) > BYTES_LIMIT:
            raise NoImage("larger than the limit")
        if time.monotonic() > until:
            raise NoImage("too slow")
        return content


def fetch(url: str, *, rules: Rules | None = None) -> bytes:
    """Return the bytes behind `url` (at most 5 MiB, 5 s, 3 redirects).

    Raises NoImage, or RefusedUrl when the address or any redirect is not allowed.
    """
    rules = rules or Rules()
    until = time.monotonic() + DEADLINE
    for _ in range(REDIRECT_LIMIT + 1):
        remote = rules.check_url(url)
        ip = _checked_address(remote, rules)
        try:
            answer = _ask(remote, ip, until)
        except (OSError, http.client.HTTPException) as error:
            raise NoImage(type(error).__name__) from error
        if isinstance(answer, bytes):
            return answer
        url = urljoin(remote.url, answer)
    raise NoImage("too many redirects")


def re_encode(content: bytes) -> Picture:
    """Decode an image and write it anew: no metadata, no polyglot survives.

    Animations keep their frames. Raises NoImage for anything that is not one of five formats.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=list(FORMATS))
            kind = image.format or ""
            frames = getattr(image, "n_frames", 1)
            if image.width * image.height * frames > PIXEL_LIMIT:
                raise NoImage("more pixels than the limit")
            image.load()
            written = io.BytesIO()
            if kind == "JPEG":
                image.convert("RGB").save(written, "JPEG", quality=88)
            elif frames > 1 and kind in {"GIF", "WEBP", "PNG"}:
                image.save(written, kind, save_all=True)
            elif kind == "GIF":
                image.save(written, "GIF")
            else:
                kind = "PNG" if kind != "WEBP" else kind
                keeps = image.mode in {"L", "LA", "RGB", "RGBA", "P", "1"}
                (image if keeps else image.convert("RGBA")).save(written, kind)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise NoImage("not an image that is shown") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoImage("more pixels than the limit") from error
    return Picture(written.getvalue(), FORMATS[kind])


def cached(url: str) -> Picture | None:
    """Return the finished image of `url`, or None if it is not here."""
    content = sealed_cache.get(cache_key(url), session_key=None)
    if not content:
        return None
    kind, _, body = content.partition(b"\n")
    return Picture(body, kind.decode("ascii"))


def keep(url: str, picture: Picture) -> None:
    """Keep a finished image for an hour, sealed."""
    sealed_cache.put(
        cache_key(url),
        picture.content_type.encode("ascii") + b"\n" + picture.content,
        session_key=None,
        seconds=KEPT_FOR,
    )


__all__ = ["NoImage", "Picture", "RefusedUrl", "cached", "fetch", "keep", "re_encode"]
