"""Pictures made small and written anew: no metadata, no polyglot, no second frame survives.

Only the drawing child imports this module (`webmail.attached.drawing`).
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageColor,
    ImageOps,
    ImageSequence,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    TiffTags,
    WebPImagePlugin,
)

from webmail.attached import limits

# Never SVG; what can be sent and looked at, as Pillow names it.
FORMATS: Final = ("PNG", "GIF", "JPEG", "WEBP", "AVIF", "BMP", "TIFF")
# What Pillow's readers of damaged files raise; UnidentifiedImageError is an OSError.
_DAMAGED: Final = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError,
    ArithmeticError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_QUALITY: Final = 84
_USUAL, _BRIEFEST, _LONGEST = 100, 20, 10_000  # milliseconds that a frame stays

# What Pillow imports when it first meets a need; the confined child could not read it any more.
Image.preinit()
PARTS: Final = (
    AvifImagePlugin, BmpImagePlugin, GifImagePlugin, ImageCms, ImageColor, JpegImagePlugin,
    MpoImagePlugin, PngImagePlugin, TiffImagePlugin, TiffTags, WebPImagePlugin,
)  # fmt: skip


class NotDrawnError(Exception):
    """There is nothing to show; `code` says why: one of `webmail.attached.drawing.Drawing`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture. `pages` of the file it came from; `moves`: it does, or the file did."""

    content: bytes
    content_type: str = "image/webp"
    width: int
    height: int
    pages: int = 1
    moves: bool = False


def draw_picture(content: bytes, *, width: int, height: int) -> Drawn:
    """Return the first frame within `width` × `height` pixels, turned as its EXIF says.

    Raises NotDrawnError: "too-large", "too-many-pixels" or "damaged" (not one of `FORMATS`, too).
    """
    return drawn(content, partial(_first_frame, width=width, height=height))


def draw_animation(content: bytes, *, width: int, height: int) -> Drawn:
    """Return the picture's frames, drawn anew, as one WebP that moves; of many the first.

    Bounds are `limits.FRAMES` and `limits.MOVING_PIXELS`. Raises NotDrawnError as `draw_picture`.
    """
    return drawn(content, partial(_frames, width=width, height=height))


def drawn(
    content: bytes,
    draw: Callable[[Image.Image], Drawn],
    *,
    largest: int = limits.PICTURE,
    formats: Sequence[str] = FORMATS,
) -> Drawn:
    """Have `draw` draw the picture, opened as one of `formats`.

    Raises NotDrawnError: "too-large" (than `largest`), "too-many-pixels" or "damaged".
    """
    if len(content) > largest:
        raise NotDrawnError("too-large")
    Image.MAX_IMAGE_PIXELS = limits.PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(formats)) as image:
                return draw(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise NotDrawnError("too-many-pixels") from error
    except _DAMAGED as error:
        raise NotDrawnError("damaged") from error


def _first_frame(image: Image.Image, *, width: int, height: int) -> Drawn:
    if image.width * image.height > limits.PIXELS:
        raise NotDrawnError("too-many-pixels")
    if image.format == "JPEG":
        image.draft("RGB", (width, height))  # decodes at a half, a quarter, an eighth
    moves = bool(getattr(image, "is_animated", False)) and image.format != "TIFF"
    image.load()
    small = ImageOps.exif_transpose(image)
    if small.mode in {"I", "I;16", "I;16B", "F"}:
        small = small.convert("L")
    has_alpha = "A" in small.getbands() or "transparency" in small.info
    small = small.convert("RGBA" if has_alpha else "RGB")
    small.thumbnail((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Drawn(content=written(small), width=small.width, height=small.height, moves=moves)


def _frames(image: Image.Image, *, width: int, height: int) -> Drawn:
    if image.width * image.height > limits.PIXELS:
        raise NotDrawnError("too-many-pixels")
    scale = min(1.0, width / image.width, height / image.height)
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    most = min(limits.FRAMES, limits.MOVING_PIXELS // (size[0] * size[1]))
    frames: list[Image.Image] = []
    milliseconds: list[int] = []
    for frame in ImageSequence.Iterator(image):
        if len(frames) >= most:
            break
        frames.append(frame.convert("RGBA").resize(size, Image.Resampling.BILINEAR))
        stated = frame.info.get("duration", 0)
        milliseconds.append(min(max(int(stated) or _USUAL, _BRIEFEST), _LONGEST))
    if len(frames) < 2:
        raise NotDrawnError("damaged")
    out = io.BytesIO()
    frames[0].save(
        out, "WEBP", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0,
        quality=_QUALITY, method=0, exif=b"", icc_profile=b"", xmp=b"",
    )  # fmt: skip
    return Drawn(content=out.getvalue(), width=size[0], height=size[1], moves=True)


def written(image: Image.Image) -> bytes:
    """Return `image` as WebP without any metadata."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=2, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()
