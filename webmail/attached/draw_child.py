"""The drawing child: reads jobs from its input, writes pictures to its output, holds no secret.

    python -m webmail.attached.draw_child

A job is a frame of JSON {"kind": "picture" | "pdf", "page", "width", "height"} and a frame with the
file; the answer a frame of JSON {"code", "width", "height", "pages", "moves"} and a frame with WebP
octets (none unless `code` is ""). A frame is its length (4 octets, big endian) and its octets.
"""

import ctypes
import json
import resource
import signal
import struct
import sys
from typing import IO

from webmail.attached import limits

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LENGTH = struct.Struct(">I")


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Write one frame."""
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)


def read_frame(stream: IO[bytes], *, largest: int) -> bytes:
    """Return one frame; EOFError at the end, ValueError for one above `largest` octets."""
    prefix = stream.read(_LENGTH.size)
    if len(prefix) != _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(prefix)
    if length > largest:
        raise ValueError("a frame is too long")
    content = stream.read(length)
    if len(content) != length:
        raise EOFError
    return content


def _end_with_parent() -> None:
    """Have the kernel kill this child when the thread that started it is gone (Linux)."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _confine() -> None:
    """Give up memory, time, files and core dumps before a stranger's octet is looked at."""
    _end_with_parent()
    memory = limits.DRAWING_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.DRAWING_CPU, limits.DRAWING_CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _answer(job: dict[str, int | str], content: bytes) -> tuple[dict[str, object], bytes]:
    from webmail.attached.pdf import draw_page
    from webmail.attached.pictures import NotDrawnError, draw_picture

    width, height = int(job["width"]), int(job["height"])
    try:
        if job["kind"] == "pdf":
            drawn = draw_page(content, page=int(job["page"]), width=width, height=height)
        else:
            drawn = draw_picture(content, width=width, height=height)
    except NotDrawnError as problem:
        return {"code": problem.code}, b""
    words = {"width": drawn.width, "height": drawn.height, "pages": drawn.pages}
    return {"code": "", "moves": drawn.moves, **words}, drawn.content


def main() -> None:
    """Answer jobs until the input ends."""
    _confine()
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = json.loads(read_frame(jobs, largest=4096))
            content = read_frame(jobs, largest=limits.PDF)
        except EOFError:
            return
        said, picture = _answer(job, content)
        write_frame(answers, json.dumps(said).encode())
        write_frame(answers, picture)
        answers.flush()


if __name__ == "__main__":
    main()
