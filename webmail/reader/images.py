"""The image proxy: remote images of mail, fetched by a worker, re-encoded, cached sealed.

Two steps in two lanes: `fetch` opens the connection (webmail.remote holds the rules: addresses
checked, no rebinding) and `crypto` has the drawing child decode and re-encode. The browser never
talks to the remote host; the host sees no cookie, no referrer and one fixed User-Agent.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from accounts import sealed_cache
from webmail import remote
from webmail.attached import limits
from webmail.attached.drawing import KeptDrawer
from webmail.html.addresses import RefusedUrl
from webmail.remote import Limits, NotFetched, Rules

DEADLINE = 5.0  # seconds for everything, redirects included
REDIRECT_LIMIT = 3
KEPT_FOR = 3600  # seconds
USER_AGENT = "Signet image proxy"
_ACCEPTED = "image/avif,image/webp,image/png,image/jpeg,image/gif"

_drawer: Final = KeptDrawer()


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


def fetch(url: str, *, rules: Rules | None = None) -> bytes:
    """Return the bytes behind `url` (at most 5 MiB, 5 s, 3 redirects).

    Raises NoImage, or RefusedUrl when the address or any redirect is not allowed.
    """
    allowed = Limits(seconds=DEADLINE, octets=limits.REMOTE, redirects=REDIRECT_LIMIT)
    try:
        answer = remote.fetch(
            url, limits=allowed, user_agent=USER_AGENT, accept=_ACCEPTED, rules=rules
        )
    except NotFetched as error:
        raise NoImage(str(error)) from error
    return answer.content


def re_encode(content: bytes) -> Picture:
    """Decode an image and write it anew, in a confined child: this process holds keys.

    Raises NoImage for anything that is not one of five formats, or is larger than the limits.
    """
    made = _drawer.draw("remote", content)
    if made.code:
        raise NoImage(made.code)
    return Picture(made.content, made.content_type)


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


__all__ = ["NoImage", "Picture", "RefusedUrl", "Rules", "cached", "fetch", "keep", "re_encode"]
