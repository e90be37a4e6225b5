"""The image proxy: remote images of mail, fetched by a worker, re-encoded, cached sealed.

Two steps in two lanes: `fetch` opens the connection (webmail.remote holds the rules: addresses
checked, no rebinding) and `crypto` decodes and re-encodes. The browser never
talks to the remote host; the host sees no cookie, no referrer and one fixed User-Agent.
"""

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from accounts import sealed_cache
from webmail import remote
from webmail.html.addresses import RefusedUrl
from webmail.remote import Limits, NotFetched, Rules

DEADLINE = 5.0  # seconds for everything, redirects included
BYTES_LIMIT = 5 * 1024 * 1024
PIXEL_LIMIT = 25_000_000  # of all frames together
FRAME_LIMIT = 1000  # 5 MiB hold 350,000 of one pixel each: 14 s of CPU
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
_MOVING: Final = frozenset({"GIF", "WEBP", "PNG"})  # kinds whose frames are kept
_DEEP: Final = frozenset({"I", "I;16", "I;16B", "F"})  # more than eight bits of grey
_WRITTEN_AS_IT_IS: Final = frozenset({"L", "LA", "RGB", "RGBA", "P", "1"})
# Pillow writes what it read of these again, unless it is told otherwise.
_NO_METADATA: Final = {"comment": b"", "exif": b"", "icc_profile": b"", "xmp": b""}
# What Pillow's readers of damaged files raise; UnidentifiedImageError is an OSError.
_DAMAGED: Final = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError,
    ArithmeticError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip


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

    Animations keep their frames; a photograph is turned as its EXIF says, which is not kept. Raises
    NoImage for anything that is not one of five formats, or is larger than the limits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(FORMATS)) as image:
                return _written_anew(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise NoImage("more pixels than the limit") from error
    except _DAMAGED as error:
        raise NoImage("not an image that is shown") from error


def _written_anew(image: Image.Image) -> Picture:
    frames = getattr(image, "n_frames", 1)
    if frames > FRAME_LIMIT:
        raise NoImage("more frames than the limit")
    if image.width * image.height * frames > PIXEL_LIMIT:
        raise NoImage("more pixels than the limit")
    image.load()
    written = io.BytesIO()
    kind = image.format or ""
    if frames > 1 and kind in _MOVING:
        image.save(written, kind, save_all=True, **_NO_METADATA)
        return Picture(written.getvalue(), FORMATS[kind])
    still = ImageOps.exif_transpose(image)
    if still.mode in _DEEP:
        still = still.convert("L")
    if kind in {"JPEG", "MPO"}:  # Pillow's name for a JPEG with further pictures behind it
        kind = "JPEG"
        still = still.convert("RGB")
    else:
        kind = "PNG" if kind == "AVIF" else kind
        still = still if still.mode in _WRITTEN_AS_IT_IS else still.convert("RGBA")
    still.save(written, kind, **({"quality": 88} if kind == "JPEG" else {}), **_NO_METADATA)
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
