"""The web's entry: `/events` (server-sent events) is async, every other path is Django under WSGI.

A fixed thread pool keeps database connections per thread and measured twice the requests per
second of Django's own ASGI handler with synchronous views (ARCHITECTURE.md, Web).
"""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
_django = WSGIMiddleware(cast("Any", get_wsgi_application()), workers=16)

from webmail.live.events import events_application  # noqa: E402  (after Django is set up)
from webmail.live.waiting import WithoutThreads  # noqa: E402


async def _threads(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    async def body():  # type: ignore[no-untyped-def]  # noqa: ANN202
        # a2wsgi hands this to another thread, which needs a coroutine; the server's own
        # `receive` may give any awaitable.
        return await receive()

    await _django(scope, body, send)


_pages = WithoutThreads(_threads)


async def application(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Dispatch one ASGI connection."""
    if scope["type"] == "http" and scope["path"] == "/events":
        await events_application(scope, receive, send)
    elif scope["type"] == "http":
        await _pages(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
