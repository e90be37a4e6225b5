"""The drawing child: what it draws, what it refuses, and that nothing hostile reaches the worker."""

import io
import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.webmail.attached.made import animation, pdf, picture, png_bomb
from webmail.attached import drawing, limits
from webmail.attached.drawing import Drawer


@pytest.fixture(scope="module")
def drawer():
    with Drawer() as one:
        yield one


def opened(made: drawing.Drawing) -> Image.Image:
    assert made.code == "", made.code
    return Image.open(io.BytesIO(made.content))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_pictures_become_small_webp(drawer, kind):
    made = drawer.draw("picture", picture(1200, 800, kind), width=480, height=360)
    assert (made.width, made.height) == (480, 320)
    assert opened(made).format == "WEBP"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_colour_is_drawn(drawer, mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert drawer.draw("picture", picture(mode=mode, kind=kind), width=99, height=99).code == ""


def test_a_photograph_is_turned_and_loses_where_it_was_taken(drawer):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at home"
    made = drawer.draw("picture", picture(80, 40, "JPEG", exif=exif), width=99, height=99)
    assert (made.width, made.height) == (40, 80)
    assert b"taken at home" not in made.content
    assert not opened(made).getexif()


def test_of_an_animation_the_first_frame(drawer):
    made = drawer.draw("picture", animation(), width=99, height=99)
    assert made.moves
    assert getattr(opened(made), "n_frames", 1) == 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_played_drawn_anew(drawer, kind):
    made = drawer.draw("animation", animation(kind), width=20, height=99)
    played = opened(made)
    assert (played.format, played.size, played.n_frames) == ("WEBP", (20, 15), 3)
    assert made.moves


def test_of_a_long_animation_the_first_frames(drawer):
    made = drawer.draw("animation", animation(count=limits.FRAMES + 30), width=99, height=99)
    assert opened(made).n_frames == limits.FRAMES


@pytest.mark.parametrize("content", [picture(), picture()[:60], png_bomb(), pdf(), b""])
def test_what_does_not_move_is_not_played(drawer, content):
    assert drawer.draw("animation", content, width=99, height=99).code != ""


def test_a_small_picture_is_not_blown_up(drawer):
    made = drawer.draw("picture", picture(10, 8), width=480, height=360)
    assert (made.width, made.height) == (10, 8)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png_bomb(), "too-many-pixels"),
        (png_bomb(2_000_000, 26), "too-many-pixels"),
        (picture(400, 300)[:200], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "damaged"),
        (pdf(), "damaged"),
        (b"", "damaged"),
        (b"\xff\xd8\xff" + b"\xff" * 5000, "damaged"),
        (b"x" * (limits.PICTURE + 1), "too-large"),
    ],
)
def test_hostile_pictures_are_refused_with_a_reason(drawer, content, code):
    made = drawer.draw("picture", content, width=480, height=360)
    assert (made.code, made.content) == (code, b"")


def test_pages_of_a_pdf(drawer):
    made = drawer.draw("pdf", pdf(3), width=400, height=600, page=2)
    assert made.pages == 3
    assert made.width <= 400
    assert made.height <= 600
    assert opened(made).convert("L").getextrema()[0] < 60, "the page is blank"


@pytest.mark.parametrize(
    ("content", "page", "code"),
    [
        (b"%PDF-1.7\n" + b"junk" * 500, 1, "damaged"),
        (pdf()[:300], 1, "damaged"),
        (b"<html>", 1, "damaged"),
        (pdf(2), 3, "no-such-page"),
        (pdf(2), 0, "no-such-page"),
        (pdf(limits.PDF_PAGES + 1), limits.PDF_PAGES + 1, "no-such-page"),
        (picture(), 1, "damaged"),
    ],
)
def test_hostile_pdfs_are_refused_with_a_reason(drawer, content, page, code):
    assert drawer.draw("pdf", content, width=400, height=600, page=page).code == code


def test_an_absurdly_large_page_stays_small(drawer):
    made = drawer.draw("pdf", pdf(box="0 0 14000000 1"), width=1400, height=2200)
    assert made.code in {"", "damaged", "too-many-pixels"}
    assert made.width * max(1, made.height) <= limits.PAGE_PIXELS


def test_a_pdf_with_a_page_of_endless_work_is_given_up():
    busy = pdf(drawing=b"0 0 595 842 re f\n" * 400_000)
    with Drawer(seconds=0.4) as one:
        begun = time.monotonic()
        made = one.draw("pdf", busy, width=1400, height=2200)
        assert made.code in {"", "too-slow"}
        assert time.monotonic() - begun < 3


def test_a_child_that_is_too_slow_is_killed_and_the_next_job_gets_another(monkeypatch):
    with Drawer(seconds=0.3) as one:
        assert one.draw("picture", picture(), width=9, height=9).code in {"", "too-slow"}
        child = one._running()
        os.kill(child.pid, 19)  # SIGSTOP: never answers
        assert one.draw("picture", picture(), width=9, height=9).code == "too-slow"
    with Drawer() as one:
        child = one._running()
        child.kill()
        child.wait()
        assert one.draw("picture", picture(), width=9, height=9).code == ""


def test_a_child_that_breaks_costs_one_job(drawer, monkeypatch):
    answer = drawing._exchange
    broken = []

    def break_once(child, job, content):
        if not broken:
            broken.append(child.pid)
            child.kill()
        return answer(child, job, content)

    monkeypatch.setattr(drawing, "_exchange", break_once)
    assert drawer.draw("picture", picture(), width=9, height=9).code == "ended"
    assert drawer.draw("picture", picture(), width=9, height=9).code == ""


def test_the_child_knows_no_secret_and_has_limits(monkeypatch):
    monkeypatch.setenv("SIGNET_SECRET_KEY", "very secret")
    with Drawer() as one:
        one.draw("picture", picture(), width=9, height=9)
        pid = one._running().pid
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"secret" not in environ
        limited = resource.prlimit(pid, resource.RLIMIT_AS)
        assert limited == (limits.DRAWING_MEMORY, limits.DRAWING_MEMORY)
        assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (0, 0)


def test_children_end_with_their_drawer():
    with Drawer() as one:
        one.draw("picture", picture(), width=9, height=9)
        pid = one._running().pid
    assert subprocess.run(["ps", "-p", str(pid)], check=False, capture_output=True).returncode == 1


def test_a_child_ends_with_a_worker_that_was_killed():
    """It may be busy with a file then, and nobody is left to count its seconds."""
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "from webmail.attached.drawing import Drawer\n"
                "from tests.webmail.attached.made import picture\n"
                "one = Drawer()\n"
                "one.draw('picture', picture(), width=9, height=9)\n"
                "print(one._running().pid, flush=True)\n"
                "input()\n"
            ),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    child = os.pidfd_open(int(worker.stdout.readline()))
    try:
        limited = resource.prlimit(_pid_of(child), resource.RLIMIT_CPU)
        assert limited == (limits.DRAWING_CPU, limits.DRAWING_CPU)
        signal.pidfd_send_signal(child, signal.SIGSTOP)  # it does not read that its input ended
        worker.kill()
        worker.communicate()
        assert select.select([child], [], [], 5)[0] == [child]
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)


def _pid_of(pidfd: int) -> int:
    stated = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    return int(stated.partition("Pid:")[2].split()[0])
