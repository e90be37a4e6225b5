"""A page with message frames as Signet serves them, and a listener that counts the network.

The same document is served twice: in the frame with the header fields of rendering.md §7 under the
policy of application pages, and *alone*, without a frame, without any policy. `Sink` stands for
every host that mail names: it counts connections, so that preconnects count too.
"""

import html
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page

from smime.pki.pkcs12 import KeyPair
from smime.reading import read_message
from smime.verdict import Context
from tests.checks.weigh import Nowhere
from webmail.html import attachment_headers, frame_headers
from webmail.mime import decode_body
from webmail.pages.security_headers import APPLICATION_CSP
from webmail.reader import pipeline
from webmail.reader.framing import frame_views
from webmail.reader.presenting import BoxView, FrameView
from webmail.reader.variants import Variant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODES = ("framed", "alone")  # in the frame under its policies; the bare document
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"  # rendering.md §7
# What a browser's own parse must not find, shadow trees apart: there are none without script.
SCAN = """() => [...document.querySelectorAll('*')].flatMap(element => [
  ...(element.matches('script,iframe,frame,object,embed,svg,math,form,input,textarea,select,button,'
      + 'base,link,audio,video,source,template,noscript') ? [element.tagName] : []),
  ...(element.matches('meta[http-equiv]') ? ['meta refresh'] : []),
  ...[...element.attributes].filter(item => item.name.startsWith('on')
      || ['srcdoc', 'ping', 'formaction', 'srcset'].includes(item.name)
      || /^\\s*(javascript|vbscript|data:text|blob|file)/i.test(item.value)).map(item => item.name),
  ...(['fixed', 'sticky', 'absolute'].includes(getComputedStyle(element).position)
      ? ['position of ' + element.tagName] : []),
])"""


class Sink:
    """Counts connections on a port of its own."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.asked: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    line = connection.recv(200).split(b"\r\n")[0]
                except OSError:
                    line = b""
                self.asked.append(line.decode("latin-1"))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")


@dataclass(slots=True)
class Shown:
    """A message that went through the pipeline, at the addresses it is served at."""

    made: pipeline.Rendered
    framed: str
    alone: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(slots=True)
class Site:
    """Serves messages; `unexpected` are requests for what no page of ours names."""

    sink: Sink
    origin: str = ""
    pages: dict[str, tuple[dict[str, str], bytes]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    count: int = 0

    def show(
        self, raw: bytes, *, keys: tuple[KeyPair, ...] = (), context: Context | None = None
    ) -> Shown:
        """Render `raw`; `{evil}` and `{site}` in it are the sink's and our own origin."""
        raw = raw.replace(b"{evil}", self.sink.origin.encode())
        raw = raw.replace(b"{site}", self.origin.encode())
        context = context or Context(now=NOW, received_at=NOW, anchors=())
        reading = read_message(raw, keys=keys)
        made = pipeline.make(
            reading=reading, context=context, variant=Variant(), addresses=Nowhere()
        )
        self.count += 1
        alone, parts = [], []
        for number, document in enumerate(made.documents.frames):
            name = f"/{self.count}/{number}"
            bare = {"Content-Type": "text/html; charset=utf-8"}
            self.pages[f"{name}/alone"] = (bare, document.encode())
            self.pages[f"{name}/frame"] = (frame_headers(), document.encode())
            alone.append(f"{self.origin}{name}/alone")
        frames = frame_views(
            made.page, address=lambda number: f"/{self.count}/{number}/frame", title="Message"
        )
        for path, filename, content_type, _, _ in made.page["attachments"]:
            tree, part = pipeline.part_of(reading, path)
            address = f"/{self.count}/part/{len(parts)}"
            content = decode_body(tree, part)
            self.pages[address] = (
                attachment_headers(filename, content_type, inline=True, content_start=content[:32]),
                content,
            )
            parts.append(f"{self.origin}{address}")
        page = (
            '<!DOCTYPE html><html><body><h1 id="above">Subject</h1><p id="verdict">'
            f"{html.escape(made.verdict.headline.text)}</p>{_drawn(frames)}"
            '<p id="below">Reply</p></body></html>'
        )
        policy = {"Content-Type": "text/html", "Content-Security-Policy": APPLICATION_CSP}
        self.pages[f"/{self.count}/page"] = (policy, page.encode())
        framed = f"{self.origin}/{self.count}/page"
        return Shown(made, framed, tuple(alone), tuple(parts))


def _drawn(items: tuple[FrameView | BoxView, ...]) -> str:
    """Frames and boxes as templates/reader/frames.html has them, without a look."""
    return "".join(
        f'<iframe src="{each.url}" width="600" height="300" sandbox="{SANDBOX}" '
        f'referrerpolicy="no-referrer" title="{each.title}"></iframe>'
        if isinstance(each, FrameView)
        else f'<section class="part"><p class="part-line">{html.escape(each.headline)} '
        f"{html.escape(each.sentence)}</p>{_drawn(each.items)}</section>"
        for each in items
    )


@contextmanager
def serving() -> Iterator[Site]:
    """A site and its sink for as long as the block runs."""
    sink = Sink()
    site = Site(sink)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = site.pages.get(self.path)
            if found is None and self.path != "/favicon.ico":
                site.unexpected.append(self.path)
            fields, content = found or ({}, b"")
            self.send_response(200 if found else 404)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.origin = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        sink.socket.close()


@dataclass(slots=True)
class Watched:
    """A tab of which every request, dialog, popup and navigation is noted."""

    page: Page
    site: Site
    requests: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("popup", lambda popup: self.events.append(f"popup {popup.url}"))
        self.page.on("dialog", lambda dialog: self._refuse(dialog))  # noqa: PLW0108 (slots)

    def _refuse(self, dialog: object) -> None:
        self.events.append(f"dialog {dialog.message}")  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    def open(self, url: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
        """Open `url`, move over it; everything that ran, loaded or is left. Empty: safe."""
        self.requests.clear()
        self.events.clear()
        self.site.unexpected.clear()
        self.site.sink.asked.clear()
        self.page.goto(url)
        found: list[str] = []
        for frame in self.page.frames:
            found += [f"left: {what}" for what in frame.evaluate(SCAN) if what != "IFRAME"]
        self.page.mouse.move(100, 60)
        self.page.mouse.move(120, 200)
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Tab")
        if self.page.url.split("#")[0] != url:
            found.append(f"top went to {self.page.url}")
        own = {url, *allowed}
        found += [
            f"loads {asked}"
            for asked in self.requests
            if asked not in own and not asked.startswith("data:") and "favicon" not in asked
        ]
        found += [f"sink: {line}" for line in self.site.sink.asked]
        return found + self.events + [f"site: {path}" for path in self.site.unexpected]

    def open_framed(self, shown: Shown) -> list[str]:
        """Open the message in its frames; nothing of it may lie over the page around it."""
        frames = tuple(each.replace("/alone", "/frame") for each in shown.alone)
        found = self.open(shown.framed, allowed=frames)
        covered = self.page.evaluate(
            """() => ['above', 'verdict', 'below'].filter(name => {
                const element = document.getElementById(name);
                element.scrollIntoView();
                const box = element.getBoundingClientRect();
                return document.elementFromPoint(box.left + 5, box.top + 5) !== element; })"""
        )
        return found + [f"covered: {name}" for name in covered]

    def problems(self, raw: bytes, mode: str, **options: object) -> list[str]:
        """Show `raw` and return everything that ran, loaded or is left; `options` as `Site.show`."""
        shown = self.site.show(raw, **options)  # type: ignore[arg-type]
        if mode == "framed":
            return self.open_framed(shown)
        return [what for url in shown.alone for what in self.open(url)]
