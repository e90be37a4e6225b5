"""A web server of our own under a name of our own: what strangers' servers may do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest

from webmail.demo.tls import server_tls
from webmail.html.addresses import RemoteUrl, check_public_address, check_remote_url
from webmail.remote import Rules

HOST = "pki.test"


@dataclass
class Reply:
    body: bytes = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    fields: dict[str, str] = field(default_factory=dict)
    # Instead of a body: pieces, each sent when the event of the client's patience has passed.
    trickle: tuple[bytes, float] | None = None
    is_endless: bool = False


@dataclass
class Asked:
    method: str
    path: str
    fields: dict[str, str]
    body: bytes


Route = Reply | Callable[[Asked], Reply]


class Site:
    """Routes by path; remembers who asked for what."""

    def __init__(self, port: int, scheme: Literal["http", "https"]) -> None:
        self.port = port
        self.scheme = scheme
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.stopped = threading.Event()
        self.addresses = ["127.0.0.1"]  # what the name resolves to
        self.elsewhere: dict[str, list[str]] = {}  # and other names

    def url(self, path: str) -> str:
        return f"{self.scheme}://{HOST}{path}"

    def rules(self) -> Rules:
        """Our own name and address are allowed; everything else stays as it is."""

        def check_url(url: str) -> RemoteUrl:
            parts = urlsplit(url)
            if parts.hostname == HOST:
                target = parts.path + (f"?{parts.query}" if parts.query else "")
                scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
                return RemoteUrl(scheme, HOST, self.port, target)
            return check_remote_url(url)

        def check_address(address: str) -> object:
            return address if address == "127.0.0.1" else check_public_address(address)

        return Rules(check_url=check_url, check_address=check_address)


def resolving(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    """Names lead where the site says; all other names have no address."""

    def resolve(host: str, port: int, *_: object, **__: object) -> object:
        found = site.addresses if host == HOST else site.elsewhere.get(host)
        if found is None:
            if not host.replace(".", "").isdigit() and ":" not in host:
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            found = [host]  # `create_connection` looks the checked address up
        return [
            (
                socket.AF_INET6 if ":" in each else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (each, port, 0, 0) if ":" in each else (each, port),
            )
            for each in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@contextmanager
def serving(
    monkeypatch: pytest.MonkeyPatch, context: ssl.SSLContext | None = None
) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            site.asked.append(asked)
            route = site.routes.get(self.path.split("?")[0], Reply(status=404))
            reply = route(asked) if callable(route) else route
            self.send_response(reply.status)
            if reply.content_type:
                self.send_header("Content-Type", reply.content_type)
            for name, value in reply.fields.items():
                self.send_header(name, value)
            if not reply.is_endless and reply.trickle is None:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            with suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            if reply.trickle is not None:
                piece, pause = reply.trickle
                while not site.stopped.wait(pause):
                    self.wfile.write(piece)
            while reply.is_endless and not site.stopped.is_set():
                self.wfile.write(b"0" * 65536)
            self.wfile.write(reply.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:  # the handshake is made by the thread that serves the connection
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    site = Site(server.server_port, "http" if context is None else "https")
    resolving(monkeypatch, site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving_securely(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, certified: str = HOST
) -> Iterator[Site]:
    """The same by TLS; the certificate is for `certified`, its authority is trusted here."""
    files = server_tls(folder, name=certified)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
    with serving(monkeypatch, context) as site:
        yield site
