"""A browser without script for timings: one keep-alive connection, cookies, forms."""

import html
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

from webmail.demo.bench.rows import NotMeasured

PAGE = 50  # conversations on a page of a list
PATIENCE = 40.0  # seconds; signing in may wait 22 s for a worker
SHOWN_WITHIN = 30.0  # seconds
_PAUSE = 0.05  # seconds
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_ROW = re.compile(r'<a\b[^>]*\bclass="row-link"[^>]*>')
_FRAME = re.compile(r'<iframe\b[^>]*\bclass="body-frame[^>]*>')
_ADDRESS = re.compile(r'\b(?:href|src)="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer and how long it took, from the request's first byte to the body's last."""

    status: int
    location: str
    page: str
    milliseconds: float

    @property
    def list_rows(self) -> int:
        """How many conversations the page lists."""
        return len(_ROW.findall(self.page))

    @property
    def message_urls(self) -> list[str]:
        """The addresses of the listed messages, newest first."""
        return _addresses(_ROW, self.page)

    @property
    def frame_urls(self) -> list[str]:
        """The addresses of the documents that show the open message."""
        return _addresses(_FRAME, self.page)


def _addresses(tag: re.Pattern[str], page: str) -> list[str]:
    found = (_ADDRESS.search(drawn) for drawn in tag.findall(page))
    return [html.unescape(address[1]) for address in found if address]


class Visitor:
    """Somebody with a browser at `url`; not for more than one thread."""

    def __init__(self, url: str) -> None:
        self._site = urlsplit(url)
        self._url = url
        self._connection = http.client.HTTPConnection(
            self._site.hostname or "", self._site.port, timeout=PATIENCE
        )
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch a page; redirects are not followed."""
        return self._ask("GET", path, headers=headers or {})

    def pane(self, path: str, *, name: str) -> Answer:
        """Fetch one pane of a page ("list", "reading"), as the page's script does."""
        return self.get(
            path,
            {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{name}"},
        )

    def post(self, path: str, form: Answer, **fields: str) -> Answer:
        """Send a form that stands on the page `form`."""
        token = _TOKEN.search(form.page)
        if token is None:
            raise NotMeasured(f"The page at {path} holds no form.")
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": self._url}
        return self._ask("POST", path, headers=headers, body=body)

    def sign_in(self, address: str, password: str) -> None:
        """Sign in; NotMeasured if that is refused."""
        self.send_sign_in(self.get("/sign-in"), address, password)

    def send_sign_in(self, form: Answer, address: str, password: str) -> None:
        """Send the sign-in form that was fetched before; NotMeasured if it is refused."""
        answer = self.post("/sign-in", form, address=address, password=password, next="/")
        if answer.status != 302:
            raise NotMeasured(f"Signing in as {address} was answered with {answer.status}.")

    def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        begun = time.perf_counter()
        self._connection.request(method, path, body=body, headers={**headers, "Cookie": cookie})
        response = self._connection.getresponse()
        content = response.read()
        took = (time.perf_counter() - begun) * 1000
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        return Answer(
            status=response.status,
            location=response.headers.get("Location", ""),
            page=content.decode("utf-8", "replace"),
            milliseconds=took,
        )


def whole(answer: Answer) -> Answer:
    """Return a list page as it came; NotMeasured unless it lists a whole page."""
    if answer.status != 200 or answer.list_rows != PAGE:
        raise NotMeasured(
            f"A list page was answered with {answer.status} and {answer.list_rows} rows."
        )
    return answer


def shown(answer: Answer) -> Answer:
    """Return a message's pane or page as it came; NotMeasured unless it shows the message."""
    if answer.status != 200 or not answer.frame_urls:
        raise NotMeasured(f"A message was answered with {answer.status} and no text.")
    return answer


def open_message(visitor: Visitor, url: str) -> float:
    """Open a message as the page's script does: its pane, then its frames; milliseconds in all.

    A pane without text yet (the server gives it 1.5 s) is asked for again, as its refresh does;
    NotMeasured if there is none within `SHOWN_WITHIN`.
    """
    begun = time.perf_counter()
    pane = visitor.pane(url, name="reading")
    while pane.status == 200 and not pane.frame_urls:
        if time.perf_counter() - begun > SHOWN_WITHIN:
            raise NotMeasured(f"A message was not shown within {SHOWN_WITHIN:.0f} s.")
        time.sleep(_PAUSE)
        pane = visitor.pane(url, name="reading")
    frames = [visitor.get(frame) for frame in pane.frame_urls]
    wrong = [answer.status for answer in (pane, *frames) if answer.status != 200]
    if wrong:
        raise NotMeasured(f"A message was answered with {wrong[0]}.")
    return (time.perf_counter() - begun) * 1000
