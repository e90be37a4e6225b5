"""The image proxy against a server of our own: redirects, slow and endless answers.

What becomes of the octets is in test_re_encoding.py.
"""

import io
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from webmail.attached import limits
from webmail.html.addresses import (
    RefusedUrl,
    RemoteUrl,
    check_public_address,
    check_remote_url,
)
from webmail.reader import images

pytestmark = pytest.mark.enable_socket


def png(width: int = 3, height: int = 2, **options: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "#123456").save(written, "PNG", **options)
    return written.getvalue()


class Hostile(BaseHTTPRequestHandler):
    asked: list[tuple[str, dict[str, str]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        match self.path.split("?")[0]:
            case "/ok.png":
                self._answer(200, png())
            case "/moved":
                self._answer(302, b"", Location="/ok.png")
            case "/loop":
                self._answer(302, b"", Location="/loop")
            case "/to-private":
                self._answer(302, b"", Location="http://10.0.0.1/x.png")
            case "/large":
                self._answer(200, b"x" * (limits.REMOTE + 1))
            case "/slow":
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(100):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(0.1)
                except OSError:
                    return
            case _:
                self._answer(404, b"")

    def _answer(self, status: int, body: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def rules(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> images.Rules:
    """Our own server is allowed, at its port; everything else stays as it is."""
    port = server.server_port
    Hostile.asked.clear()

    def check_url(url: str) -> RemoteUrl:
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        if parts.hostname == "pictures.test":
            return RemoteUrl("http", "pictures.test", port, parts.path)
        return check_remote_url(url)

    def check_address(address: str) -> object:
        return address if address == "127.0.0.1" else check_public_address(address)

    real = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **options: object) -> object:
        return real("127.0.0.1" if host == "pictures.test" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return images.Rules(check_url=check_url, check_address=check_address)


def test_an_image_comes_without_cookies_referrer_or_the_reader(rules: images.Rules) -> None:
    assert images.fetch("http://pictures.test/ok.png", rules=rules) == png()
    ((path, fields),) = Hostile.asked
    assert path == "/ok.png"
    assert fields["user-agent"] == images.USER_AGENT
    assert fields["host"].startswith("pictures.test")
    assert not {"cookie", "referer", "range", "authorization"} & fields.keys()


def test_a_redirect_is_followed_and_checked_from_zero(rules: images.Rules) -> None:
    assert images.fetch("http://pictures.test/moved", rules=rules) == png()
    with pytest.raises(RefusedUrl):
        images.fetch("http://pictures.test/to-private", rules=rules)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("loop", "too many redirects"), ("large", "larger"), ("none", "status 404")],
)
def test_what_is_no_image_is_refused(rules: images.Rules, path: str, reason: str) -> None:
    with pytest.raises(images.NoImage, match=reason):
        images.fetch(f"http://pictures.test/{path}", rules=rules)


def test_a_trickle_ends_at_the_deadline(
    rules: images.Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "DEADLINE", 0.5)
    started = time.monotonic()
    with pytest.raises(images.NoImage):
        images.fetch("http://pictures.test/slow", rules=rules)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png",
        "http://[::1]/x.png",
        "http://localhost/x.png",
        "http://169.254.169.254/latest",
        "ftp://pictures.example/x.png",
        "http://user:word@pictures.example/x.png",
        "http://pictures.example:8080/x.png",
    ],
)
def test_private_and_odd_addresses_are_never_asked(url: str) -> None:
    with pytest.raises((RefusedUrl, images.NoImage)):
        images.fetch(url)
