"""Raster image types by their first octets, and data: images."""

import base64
import binascii
import re

_DATA_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpe?g|webp)(?:;[a-z0-9-]+=[\w.-]+)*;base64,", re.IGNORECASE
)
_DATA_TYPES = frozenset({"image/png", "image/gif", "image/jpeg", "image/webp"})
_SPACE = re.compile(r"[\x00-\x20]+")


def raster_type(content_start: bytes) -> str | None:
    """The media type that the first 32 octets show: png, gif, jpeg, webp, avif; else None."""
    if content_start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content_start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content_start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content_start[:4] == b"RIFF" and content_start[8:12] == b"WEBP":
        return "image/webp"
    if content_start[4:8] == b"ftyp" and content_start[8:12] in {b"avif", b"avis"}:
        return "image/avif"
    return None


def data_image(url: str, *, largest: int) -> tuple[str, int] | None:
    """Rebuild a base64 data: image from its own octets: (URL, octets), or None when it is none.

    The type in the answer is the one the octets show, never the one the mail states.
    """
    start = _DATA_IMAGE.match(url)
    if start is None or len(url) > largest * 4 // 3 + 256 + len(url) // 16:
        return None
    try:
        octets = base64.b64decode(_SPACE.sub("", url[start.end() :]), validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = raster_type(octets[:32])
    if kind not in _DATA_TYPES or len(octets) > largest:
        return None
    return f"data:{kind};base64,{base64.b64encode(octets).decode('ascii')}", len(octets)
