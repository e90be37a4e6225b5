"""Server-sent events: what changed, never what it says.

One stream a page. It carries hints of `webmail.mailbox.changes` from Redis (channel
`events:<user id>`); a page that hears one asks for its list again. The session is checked when
the stream begins, when something happened to it (`webmail.live.turns`), and with each heartbeat:
should the hint be lost, a stream ends at most 20 s after its session.

open ──session alive──▶ streaming ──check: session gone │ client leaves──▶ closed
                         │      ▲
                         └check─┘ "vault": what this session can open, as stamps. A page that was
                                  made under others gives up what came out of encrypted mail.
"""

import asyncio
import contextlib
import http.cookies
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection

from accounts import session_keys, session_limits
from smime import unlocking
from webmail.live import turns
from webmail.mailbox.changes import channel

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEARTBEAT = 20.0  # seconds
RETRY = 3000  # milliseconds a browser waits before it opens the stream again
EVENT_LIMIT = 16_384  # bytes; a hint is far smaller

logger = logging.getLogger(__name__)


async def events_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one `/events` request (ASGI)."""
    if scope["method"] != "GET":
        await _answer(send, 405)
        return
    session_id = _session_cookie(scope)
    standing = await _standing_of(session_id)
    if standing is None:
        # 204 tells a browser not to open the stream again (HTML, 9.2).
        await _answer(send, 204)
        return
    gone = asyncio.create_task(_wait_for_leaving(receive))
    try:
        await _stream(send, session_id=session_id, user_id=standing.user_id, gone=gone)
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
    next_beat, told = loop.time(), ""  # what turned before it listened is asked for first
    while not gone.done():
        left = next_beat - loop.time()
        if left <= 0:
            standing = await _standing_of(session_id)
            if standing is None or standing.user_id != user_id:
                await _send_text(send, "event: signed-out\ndata: {}\n\n")
                return
            if standing.vault != told:
                told = standing.vault
                await _send_text(send, f"event: vault\ndata: {told}\n\n")
            else:
                await _send_text(send, ": alive\n\n")
            next_beat = loop.time() + HEARTBEAT
            continue
        heard = await subscription.get_message(
            ignore_subscribe_messages=True, timeout=min(left, 1.0)
        )
        if heard is None or not isinstance(heard["data"], bytes):
            continue
        if heard["data"] == turns.HINT:
            next_beat = loop.time()
        else:
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


@dataclass(frozen=True, slots=True)
class _Standing:
    """A living session: whose it is, and what it can open, as stamps in JSON."""

    user_id: int
    vault: str


@sync_to_async(thread_sensitive=False)
def _standing_of(session_id: str) -> _Standing | None:
    """Return how the session stands; None if it ended. A thread's connection is not kept."""
    if not session_id:
        return None
    close_old_connections()
    try:
        found = session_limits.living(session_id)
        if found is None:
            return None
        user, session = found
        unlocking.lock_idle(session, user.pk)  # nobody may ask for another page for hours
        stamps = {
            "session": session_keys.stamp_of(session),
            "keys": unlocking.keys_stamp(user.pk),
        }
        return _Standing(user.pk, json.dumps(stamps))
    finally:
        connection.close()
