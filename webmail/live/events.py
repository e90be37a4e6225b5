"""Server-sent events: what changed, never what it says.

One stream a page. It carries hints of `webmail.mailbox.changes` from Redis (channel
`events:<user id>`); a page that hears one asks for its list again. The session is checked when
the stream begins and with each heartbeat, so a stream ends at most 20 s after its session.

open ──session alive──▶ streaming ──heartbeat: session gone │ client leaves──▶ closed
"""

import asyncio
import contextlib
import http.cookies
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from accounts import session_limits

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEARTBEAT = 20.0  # seconds
RETRY = 3000  # milliseconds a browser waits before it opens the stream again
EVENT_LIMIT = 16_384  # bytes; a hint is far smaller

logger = logging.getLogger(__name__)


def channel(user_id: int) -> str:
    """Return the name of a person's channel."""
    return f"events:{user_id}"


async def events_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one `/events` request (ASGI)."""
    if scope["method"] != "GET":
        await _answer(send, 405)
        return
    session_id = _session_cookie(scope)
    user_id = await _user_of(session_id)
    if user_id is None:
        # 204 tells a browser not to open the stream again (HTML, 9.2).
        await _answer(send, 204)
        return
    gone = asyncio.create_task(_wait_for_leaving(receive))
    try:
        await _stream(send, session_id=session_id, user_id=user_id, gone=gone)
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone


async def _stream(send: Send, *, session_id: str, user_id: int, gone: "asyncio.Task[None]") -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
                (b"x-content-type-options", b"nosniff"),
            ],
        }
    )
    await _send_text(send, f"retry: {RETRY}\n\n")
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
    try:
        async with client.pubsub() as subscription:
            await subscription.subscribe(channel(user_id))
            await _forward(send, subscription, session_id=session_id, user_id=user_id, gone=gone)
    except redis.RedisError:
        logger.warning("event=events-without-redis user=%s", user_id)
    finally:
        await client.aclose()
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _forward(
    send: Send,
    subscription: "redis.asyncio.client.PubSub",
    *,
    session_id: str,
    user_id: int,
    gone: "asyncio.Task[None]",
) -> None:
    loop = asyncio.get_running_loop()
    next_beat = loop.time() + HEARTBEAT
    while not gone.done():
        left = next_beat - loop.time()
        if left <= 0:
            if await _user_of(session_id) != user_id:
                await _send_text(send, "event: signed-out\ndata: {}\n\n")
                return
            await _send_text(send, ": alive\n\n")
            next_beat = loop.time() + HEARTBEAT
            continue
        heard = await subscription.get_message(
            ignore_subscribe_messages=True, timeout=min(left, 1.0)
        )
        if heard is not None and isinstance(heard["data"], bytes):
            await _send_event(send, heard["data"])


async def _send_event(send: Send, data: bytes) -> None:
    """Pass one hint on; a line break would begin another field of the stream."""
    if len(data) > EVENT_LIMIT or b"\n" in data or b"\r" in data:
        logger.warning("event=events-malformed size=%s", len(data))
        return
    body = b"event: change\ndata: " + data + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_text(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int) -> None:
    headers = [(b"cache-control", b"no-store"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _wait_for_leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _session_cookie(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
            with contextlib.suppress(http.cookies.CookieError):
                jar.load(value.decode("latin-1"))
            morsel = jar.get(settings.SESSION_COOKIE_NAME)
            if morsel is not None:
                return str(morsel.value)
    return ""


@sync_to_async(thread_sensitive=False)
def _user_of(session_id: str) -> int | None:
    """Return the person's id if the session lives. A thread's connection is not kept."""
    if not session_id:
        return None
    close_old_connections()
    try:
        user = session_limits.user_of(session_id)
        return None if user is None else user.pk
    finally:
        from django.db import connection

        connection.close()
