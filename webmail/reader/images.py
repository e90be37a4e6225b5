"""The image proxy: remote images of mail, fetched by a worker, re-encoded, cached sealed.

Two steps in two lanes: `fetch` opens the connection (webmail.remote holds the rules: addresses
checked, no rebinding) and `crypto` decodes and re-encodes. The browser never
talks to the remote host; the host sees no cookie, no referrer and one fixed User-Agent.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from accounts import sealed_cache
from webmail import remote
from webmail.html.addresses import RefusedUrl
from webmail.remote import Limits, NotFetched, Rules

DEADLINE = 5.0  # seconds for everything, redirects included
BYTES_LIMIT = 5 * 1024 * 1024
PIXEL_LIMIT = 25_000_000
REDIRECT_LIMIT = 3
KEPT_FOR = 3600  # seconds
USER_AGENT = "Signet image proxy"
_ACCEPTED = "image/avif,image/webp,image/png,image/jpeg,image/gif"
FORMATS = {
    "PNG": "image/png",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}


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
    limits = Limits(seconds=DEADLINE, octets=BYTES_LIMIT, redirects=REDIRECT_LIMIT)
    try:
        answer = remote.fetch(
            url, limits=limits, user_agent=USER_AGENT, accept=_ACCEPTED, rules=rules
        )
    except NotFetched as error:
        raise NoImage(str(error)) from error
    return answer.content


def re_encode(content: bytes) -> Picture:
    """Decode an image and write it anew: no metadata, no polyglot survives.

    Animations keep their frames. Raises NoImage for anything that is not one of five formats.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=list(FORMATS))
            kind = image.format or ""
            frames = getattr(image, "n_frames", 1)
            if image.width * image.height * frames > PIXEL_LIMIT:
                raise NoImage("more pixels than the limit")
            image.load()
            written = io.BytesIO()
            if kind == "JPEG":
                image.convert("RGB").save(written, "JPEG", quality=88)
            elif frames > 1 and kind in {"GIF", "WEBP", "PNG"}:
                image.save(written, kind, save_all=True)
            elif kind == "GIF":
                image.save(written, "GIF")
            else:
                kind = "PNG" if kind != "WEBP" else kind
                keeps = image.mode in {"L", "LA", "RGB", "RGBA", "P", "1"}
                (image if keeps else image.convert("RGBA")).save(written, kind)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise NoImage("not an image that is shown") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoImage("more pixels than the limit") from error
    return Picture(written.getvalue(), FORMATS[kind])


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
