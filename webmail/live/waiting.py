"""Waiting for workers' words outside of Django's threads (accounts.late_replies has the why).

dispatch ──answer──▶ the browser
   │  "waits for KEY"
   └─▶ BLPOP KEY, async, at most 64 at a time ──word or time out──▶ dispatch once more
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import redis.asyncio
from django.conf import settings

from accounts.late_replies import HEARD, WAITS_FOR
from accounts.redis import LONGEST_WAIT

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MOST_WAITING = 64  # requests of one process; more stand in line
_HEARD, _WAITS_FOR = HEARD.lower().encode(), WAITS_FOR.lower().encode()

logger = logging.getLogger(__name__)


class WithoutThreads:
    """An ASGI application around Django that takes its waiting off it."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._places = asyncio.Semaphore(MOST_WAITING)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        headers = [pair for pair in scope["headers"] if _name(pair[0]) != _HEARD]
        if scope["method"] != "GET":
            await self._django({**scope, "headers": headers}, receive, send)
            return
        answer = _Answer(send)
        await self._django({**scope, "headers": [*headers, (_HEARD, b"")]}, receive, answer.pass_on)
        if answer.awaited is None:
            return
        async with self._places:
            word = await _word(*answer.awaited)
        again = {**scope, "headers": [*headers, (_HEARD, b"=" + word)]}
        await self._django(again, _no_body, send)


class _Answer:
    """Passes an answer on to the browser, or keeps what it waits for."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.awaited: tuple[str, float] | None = None

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            for name, value in message["headers"]:
                if name.lower() == _WAITS_FOR:
                    key, _space, seconds = value.decode("ascii").partition(" ")
                    self.awaited = key, float(seconds)
        if self.awaited is None:
            await self._send(message)


def _name(raw: bytes) -> bytes:
    """Return a field's name as WSGI tells it apart: `_` and `-` are one there."""
    return raw.lower().replace(b"_", b"-")


async def _word(key: str, patience: float) -> bytes:
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
    try:
        heard = await client.blpop([key], timeout=max(0.01, min(patience, LONGEST_WAIT)))
    except redis.RedisError:
        logger.warning("event=reply-not-read")
        return b""
    finally:
        await client.aclose()
    return heard[1] if heard and isinstance(heard[1], bytes) else b""


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
