"""Remote images written anew in their own format: no metadata, no polyglot survives.

Only the drawing child imports this module (`webmail.attached.drawing`).
"""

import io
from typing import Final

from PIL import Image, ImageOps

from webmail.attached import limits
from webmail.attached.pictures import Drawn, NotDrawnError, drawn

FORMATS: Final = {
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


def re_encode(content: bytes) -> Drawn:
    """Decode an image and write it anew.

    Animations keep their frames; a photograph is turned as its EXIF says, which is not kept. Raises
    NotDrawnError: "too-large", "too-many-pixels", "too-many-frames" or "damaged" (not one of
    `FORMATS`, too).
    """
    return drawn(content, _written_anew, largest=limits.REMOTE, formats=tuple(FORMATS))


def _written_anew(image: Image.Image) -> Drawn:
    frames = getattr(image, "n_frames", 1)
    if frames > limits.REMOTE_FRAMES:
        raise NotDrawnError("too-many-frames")
    if image.width * image.height * frames > limits.REMOTE_PIXELS:
        raise NotDrawnError("too-many-pixels")
    image.load()
    kind = image.format or ""
    if frames > 1 and kind in _MOVING:
        return _saved(image, kind, moves=True, save_all=True)
    still = ImageOps.exif_transpose(image)
    if still.mode in _DEEP:
        still = still.convert("L")
    if kind in {"JPEG", "MPO"}:  # Pillow's name for a JPEG with further pictures behind it
        return _saved(still.convert("RGB"), "JPEG", quality=88)
    if still.mode not in _WRITTEN_AS_IT_IS:
        still = still.convert("RGBA")
    return _saved(still, "PNG" if kind == "AVIF" else kind)


def _saved(image: Image.Image, kind: str, *, moves: bool = False, **options: int) -> Drawn:
    out = io.BytesIO()
    image.save(out, kind, **options, **_NO_METADATA)
    return Drawn(
        content=out.getvalue(),
        content_type=FORMATS[kind],
        width=image.width,
        height=image.height,
        moves=moves,
    )
