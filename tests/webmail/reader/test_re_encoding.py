"""Remote images decoded and written anew: what survives, what does not, and what is refused."""

import io
import random
import time

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.webmail.attached.made import animation, picture, png_bomb
from webmail.reader import images

KINDS = ["PNG", "GIF", "JPEG", "WEBP", "AVIF"]
HIDDEN = b"<script>hidden</script>"
ORIENTATION, DESCRIPTION = 0x0112, 0x010E


def opened(made: images.Picture) -> Image.Image:
    return Image.open(io.BytesIO(made.content))


def with_metadata(kind: str, **more: object) -> bytes:
    """A picture with every kind of metadata that the format knows, `HIDDEN` in each."""
    exif = Image.Exif()
    exif[DESCRIPTION] = HIDDEN.decode()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", HIDDEN.decode())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + HIDDEN
    fields = {"exif": exif, "icc_profile": profile, "xmp": HIDDEN, "comment": HIDDEN}
    return picture(kind=kind, **fields, pnginfo=notes, **more) + HIDDEN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moves", [False, True])
def test_no_metadata_and_no_polyglot_survives(kind: str, moves: bool) -> None:
    more = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), 9)]} if moves else {}
    content = with_metadata(kind, **({} if kind == "JPEG" else more))
    assert HIDDEN in content
    made = images.re_encode(content)
    assert b"hidden" not in made.content
    again = opened(made)
    assert again.size == (64, 48)
    assert not again.getexif()
    assert not {"comment", "icc_profile", "xmp", "exif", "Comment"} & again.info.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_the_five_formats_comes_through(kind: str) -> None:
    made = images.re_encode(picture(kind=kind))
    expected = "PNG" if kind == "AVIF" else kind
    assert opened(made).format == expected
    assert made.content_type == images.FORMATS[expected]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_keeps_its_frames(kind: str) -> None:
    made = opened(images.re_encode(animation(kind)))
    assert (made.format, made.n_frames) == (kind, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_stands_as_it_was_taken(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turned by a quarter
    assert opened(images.re_encode(picture(80, 40, kind, exif=exif))).size == (40, 80)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_colour_is_shown(mode: str) -> None:
    assert images.re_encode(picture(mode=mode)).content_type == "image/png"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_shown(mode: str) -> None:
    assert opened(images.re_encode(picture(kind="JPEG", mode=mode))).mode == "RGB"


def test_what_is_seen_through_stays_so() -> None:
    content = io.BytesIO()
    clear = Image.new("RGBA", (4, 4), (1, 2, 3, 0))
    clear.save(content, "PNG")
    assert opened(images.re_encode(content.getvalue())).convert("RGBA").getpixel((1, 1))[3] == 0
    content = io.BytesIO()
    Image.new("P", (4, 4), 0).save(content, "GIF", transparency=0)
    assert opened(images.re_encode(content.getvalue())).convert("RGBA").getpixel((1, 1))[3] == 0


def test_of_a_jpeg_with_more_pictures_the_first() -> None:
    content = io.BytesIO()
    more = [Image.new("RGB", (8, 8), "#ff0000")]
    Image.new("RGB", (8, 8)).save(content, "MPO", save_all=True, append_images=more)
    made = images.re_encode(content.getvalue())
    assert made.content_type == "image/jpeg"
    assert getattr(opened(made), "n_frames", 1) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HIDDEN,
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://10.0.0.1/'/></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.4",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"wOF2" + bytes(60),
        b"\0\1\0\0" + bytes(60),  # TrueType
        b"@font-face{src:url(http://10.0.0.1/)}",
        b"#EXTM3U\n",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + bytes(9),
        b"\xff\xd8\xff\xe0" + bytes(9),
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(9),
        b"\0\0\0\x1cftypavif" + bytes(9),
        *(
            picture(kind=kind)
            for kind in ("BMP", "TIFF", "ICO", "PPM", "TGA", "PCX", "JPEG2000", "EPS", "PDF", "DDS")
        ),
    ],
)
def test_other_formats_and_broken_ones_are_refused(content: bytes) -> None:
    with pytest.raises(images.NoImage):
        images.re_encode(content)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_a_picture_or_in_none(kind: str) -> None:
    """Cut anywhere, flipped anywhere: nothing but NoImage is ever raised."""
    chance = random.Random(47)
    whole = animation(kind) if kind in {"GIF", "PNG", "WEBP"} else picture(kind=kind)
    refused = 0
    for number in range(150):
        damaged = bytearray(whole)
        if number % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            for _ in range(1 + number % 7):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            images.re_encode(bytes(damaged))
        except images.NoImage:
            refused += 1
    assert refused > 20


def gif_of(frames: int) -> bytes:
    """A GIF of one pixel, many times over: 15 octets a frame."""
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_bomb(), "pixels"),
        (png_bomb(5001, 5000), "pixels"),
        (png_bomb(2**31 - 1, 2**31 - 1), "pixels|not an image"),
        (gif_of(images.FRAME_LIMIT + 1), "frames"),
        (gif_of((images.BYTES_LIMIT - 24) // 15), "frames"),
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(content: bytes, reason: str) -> None:
    assert len(content) <= images.BYTES_LIMIT
    started = time.process_time()
    with pytest.raises(images.NoImage, match=reason):
        images.re_encode(content)
    assert time.process_time() - started < 2  # 14 s of frames, 2.7 GB of pixels


def test_frames_count_as_pixels() -> None:
    written = io.BytesIO()
    frames = [Image.new("P", (2600, 2600), shade) for shade in range(4)]
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(images.NoImage, match="pixels"):
        images.re_encode(written.getvalue())


def test_just_as_many_pixels_and_frames_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PIXEL_LIMIT", 64 * 48)
    assert images.re_encode(picture(64, 48)).content
    with pytest.raises(images.NoImage, match="pixels"):
        images.re_encode(picture(64, 49))
    monkeypatch.setattr(images, "PIXEL_LIMIT", 25_000_000)
    assert images.re_encode(gif_of(images.FRAME_LIMIT)).content_type == "image/gif"
