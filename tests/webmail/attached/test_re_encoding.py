"""Remote images decoded and written anew: what survives, what does not, and what is refused."""

import io
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.webmail.attached.made import animation, picture, png_bomb
from webmail.attached import drawing, limits
from webmail.attached.drawing import KeptDrawer
from webmail.attached.pictures import Drawn, NotDrawnError
from webmail.attached.re_encoding import FORMATS, re_encode

KINDS = ["PNG", "GIF", "JPEG", "WEBP", "AVIF"]
HIDDEN = b"<script>hidden</script>"
ORIENTATION, DESCRIPTION = 0x0112, 0x010E


def opened(made: Drawn) -> Image.Image:
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
    made = re_encode(content)
    assert b"hidden" not in made.content
    again = opened(made)
    assert again.size == (64, 48)
    assert not again.getexif()
    assert not {"comment", "icc_profile", "xmp", "exif", "Comment"} & again.info.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_the_five_formats_comes_through(kind: str) -> None:
    made = re_encode(picture(kind=kind))
    expected = "PNG" if kind == "AVIF" else kind
    assert opened(made).format == expected
    assert made.content_type == FORMATS[expected]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_keeps_its_frames(kind: str) -> None:
    made = opened(re_encode(animation(kind)))
    assert (made.format, made.n_frames) == (kind, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_stands_as_it_was_taken(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turned by a quarter
    assert opened(re_encode(picture(80, 40, kind, exif=exif))).size == (40, 80)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_colour_is_shown(mode: str) -> None:
    assert re_encode(picture(mode=mode)).content_type == "image/png"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_shown(mode: str) -> None:
    assert opened(re_encode(picture(kind="JPEG", mode=mode))).mode == "RGB"


def test_what_is_seen_through_stays_so() -> None:
    content = io.BytesIO()
    clear = Image.new("RGBA", (4, 4), (1, 2, 3, 0))
    clear.save(content, "PNG")
    assert opened(re_encode(content.getvalue())).convert("RGBA").getpixel((1, 1))[3] == 0
    content = io.BytesIO()
    Image.new("P", (4, 4), 0).save(content, "GIF", transparency=0)
    assert opened(re_encode(content.getvalue())).convert("RGBA").getpixel((1, 1))[3] == 0


def test_of_a_jpeg_with_more_pictures_the_first() -> None:
    content = io.BytesIO()
    more = [Image.new("RGB", (8, 8), "#ff0000")]
    Image.new("RGB", (8, 8)).save(content, "MPO", save_all=True, append_images=more)
    made = re_encode(content.getvalue())
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
    with pytest.raises(NotDrawnError):
        re_encode(content)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_a_picture_or_in_none(kind: str) -> None:
    """Cut anywhere, flipped anywhere: nothing but NotDrawnError is ever raised."""
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
            re_encode(bytes(damaged))
        except NotDrawnError:
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
        (png_bomb(2**31 - 1, 2**31 - 1), "pixels|damaged"),
        (gif_of(limits.REMOTE_FRAMES + 1), "frames"),
        (gif_of((limits.REMOTE - 24) // 15), "frames"),
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(content: bytes, reason: str) -> None:
    assert len(content) <= limits.REMOTE
    started = time.process_time()
    with pytest.raises(NotDrawnError, match=reason):
        re_encode(content)
    assert time.process_time() - started < 2  # 14 s of frames, 2.7 GB of pixels


def test_frames_count_as_pixels() -> None:
    written = io.BytesIO()
    frames = [Image.new("P", (2600, 2600), shade) for shade in range(4)]
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(NotDrawnError, match="pixels"):
        re_encode(written.getvalue())


def test_just_as_many_pixels_and_frames_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMOTE_PIXELS", 64 * 48)
    assert re_encode(picture(64, 48)).content
    with pytest.raises(NotDrawnError, match="pixels"):
        re_encode(picture(64, 49))
    monkeypatch.setattr(limits, "REMOTE_PIXELS", 25_000_000)
    assert re_encode(gif_of(limits.REMOTE_FRAMES)).content_type == "image/gif"


# --- in the confined child --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept() -> Iterator[KeptDrawer]:
    drawer = KeptDrawer()
    yield drawer
    drawer.end()


@pytest.mark.parametrize(
    "content",
    [
        *(picture(kind=kind) for kind in KINDS),
        *(picture(mode=mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")),
        picture(kind="JPEG", mode="CMYK"),
        *(animation(kind) for kind in ("GIF", "PNG", "WEBP")),
    ],
)
def test_the_confined_child_writes_the_same(kept: KeptDrawer, content: bytes) -> None:
    here = re_encode(content)
    made = kept.draw("remote", content)
    assert (made.code, made.content_type) == ("", here.content_type)
    assert (made.width, made.height, made.moves) == (here.width, here.height, here.moves)
    assert made.content == here.content


def test_the_confined_child_says_why_there_is_none(kept: KeptDrawer) -> None:
    assert kept.draw("remote", HIDDEN).code == "damaged"
    assert kept.draw("remote", gif_of(limits.REMOTE_FRAMES + 1)).code == "too-many-frames"
    assert kept.draw("remote", bytes(limits.REMOTE + 1)).code == "too-large"
    assert kept.draw("remote", picture()).code == ""


def children() -> set[int]:
    """The drawing children of this process."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread or child that ended meanwhile
            for pid in (task / "children").read_text().split():
                if b"draw_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found


def test_one_child_serves_many_and_then_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    monkeypatch.setattr(limits, "DRAWING_IDLE", 3600.0)
    drawer = KeptDrawer()
    assert drawer.draw("remote", picture()).code == ""
    (first,) = children() - before
    assert drawer.draw("remote", picture()).code == ""
    assert children() - before == {first}
    os.kill(first, signal.SIGKILL)  # as at the limit of its CPU time
    assert drawer.draw("remote", picture()).code == ""
    monkeypatch.setattr(limits, "DRAWING_IDLE", 0.01)
    assert drawer.draw("remote", picture()).code == ""
    until = time.monotonic() + 20
    while children() - before and time.monotonic() < until:
        time.sleep(0.01)
    assert children() == before
    monkeypatch.setattr(limits, "DRAWING_IDLE", 3600.0)
    for _ in range(limits.DRAWING_JOBS):
        assert drawer.draw("remote", picture(1, 1)).code == ""
    assert children() == before


def test_a_job_that_is_broken_off_leaves_no_half_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by the worker's limit of time: the next answer is the next job's own."""

    class OutOfTime(BaseException):
        pass

    before = children()
    drawer = KeptDrawer()
    assert drawer.draw("remote", picture()).code == ""
    read = drawing.read_frame

    def late(*_arguments: object, **_options: object) -> bytes:
        raise OutOfTime

    monkeypatch.setattr(drawing, "read_frame", late)
    with pytest.raises(OutOfTime):
        drawer.draw("remote", picture(8, 8))
    assert children() == before
    monkeypatch.setattr(drawing, "read_frame", read)
    assert drawer.draw("remote", picture(16, 4)).width == 16
    drawer.end()
