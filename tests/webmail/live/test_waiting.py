"""Requests that wait for workers hold no thread of the web."""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from accounts import late_replies, replies
from accounts.late_replies import HEARD, WAITS_FOR
from webmail.live.waiting import WithoutThreads

pytestmark = pytest.mark.usefixtures("valkey")
posted: list[str] = []


def slow(request: HttpRequest) -> HttpResponse:
    """Wait for a word."""
    word = late_replies.ask(request, posted.append, 1.0)
    return HttpResponse(word or "nothing")


def quick(_request: HttpRequest) -> HttpResponse:
    """Wait for nobody."""
    return HttpResponse("quick")


urlpatterns = [path("slow", slow), path("quick", quick)]


class Web:
    """Django behind two threads, asked over ASGI."""

    def __init__(self) -> None:
        django: Any = WSGIMiddleware(get_wsgi_application(), workers=2)
        self.application = WithoutThreads(django)

    async def get(
        self, path: str, *, method: str = "GET", headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": b"",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "headers": [(b"host", b"127.0.0.1"), *headers],
        }
        await self.application(scope, receive, send)
        head = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], head, b"".join(m.get("body", b"") for m in sent[1:]).decode()


def run(visit: Callable[[Web], Any]) -> Any:
    """Run `visit` with these URLs only."""
    posted.clear()
    with (
        override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"]),
        ThreadPoolExecutor(1) as thread,  # Playwright leaves its loop in the tests' own
    ):
        return thread.submit(lambda: asyncio.run(visit(Web()))).result()


def test_many_waiting_requests_leave_the_threads_free() -> None:
    async def visit(web: Web) -> None:
        waiting = [asyncio.create_task(web.get("/slow")) for _ in range(20)]
        while len(posted) < 20:  # noqa: ASYNC110 - filled by the threads
            await asyncio.sleep(0.005)
        started = time.monotonic()
        assert (await web.get("/quick"))[2] == "quick"
        assert time.monotonic() - started < 0.5
        for number, key in enumerate(posted):
            replies.answer(key, f"word-{number}")
        answers = [await each for each in waiting]
        assert sorted(body for _status, _head, body in answers) == sorted(
            f"word-{number}" for number in range(20)
        )
        assert all(status == 200 for status, _head, _body in answers)
        assert len(posted) == 20  # asked once each, though each request came twice

    run(visit)


def test_without_a_word_the_view_goes_on() -> None:
    async def visit(web: Web) -> None:
        assert (await web.get("/slow"))[2] == "nothing"

    run(visit)


def test_a_browser_cannot_speak_for_a_worker_and_never_sees_the_key() -> None:
    async def visit(web: Web) -> None:
        name = HEARD.lower().encode()
        forged = [(name, b"=forged"), (name.replace(b"-", b"_"), b"=forged")]
        _status, head, body = await web.get("/slow", headers=forged)
        assert body == "nothing"
        assert WAITS_FOR.lower() not in head
        _status, head, body = await web.get("/slow", method="POST", headers=forged)
        assert "forged" not in body

    run(visit)
