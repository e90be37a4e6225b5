"""The drawing child: reads jobs from its input, writes pictures to its output, holds no secret.

    python -m webmail.attached.draw_child

A job is a frame of JSON {"kind": "picture" | "animation" | "pdf" | "remote", "page", "width",
"height"} and a frame with the file; the answer a frame of JSON {"code", "type", "width", "height",
"pages", "moves", "lacks"} and a frame with the picture (empty unless `code` is ""). "lacks" names
what a kernel does not confine it by. A frame is its length (4 octets, big endian) and its octets.
"""

import importlib
import json
import os
import struct
import sys
from typing import IO

from webmail.attached import confining, limits

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


def _answer(job: dict[str, int | str], content: bytes) -> tuple[dict[str, object], bytes]:
    # Here, because the parent imports this module for its frames, and nothing that draws.
    from webmail.attached.pdf import draw_page
    from webmail.attached.pictures import NotDrawnError, draw_animation, draw_picture
    from webmail.attached.re_encoding import re_encode

    width, height = int(job["width"]), int(job["height"])
    try:
        if job["kind"] == "pdf":
            drawn = draw_page(content, page=int(job["page"]), width=width, height=height)
        elif job["kind"] == "animation":
            drawn = draw_animation(content, width=width, height=height)
        elif job["kind"] == "remote":
            drawn = re_encode(content)
        else:
            drawn = draw_picture(content, width=width, height=height)
    except NotDrawnError as problem:
        return {"code": problem.code}, b""
    words = {"width": drawn.width, "height": drawn.height, "pages": drawn.pages}
    return {"code": "", "type": drawn.content_type, "moves": drawn.moves, **words}, drawn.content


def main() -> None:
    """Answer jobs until the input ends."""
    confining.limit_resources()
    # Everything that draws, with Pillow's plugins: no file can be opened later.
    importlib.import_module("webmail.attached.pdf")
    importlib.import_module("webmail.attached.re_encoding")
    os.chdir("/")  # Pillow asks where it is; it need not know where we live
    lacks = confining.have_the_kernel_confine()
    jobs, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = json.loads(read_frame(jobs, largest=4096))
            content = read_frame(jobs, largest=limits.PDF)
        except EOFError:
            return
        said, picture = _answer(job, content)
        write_frame(answers, json.dumps({**said, "lacks": lacks}).encode())
        write_frame(answers, picture)
        answers.flush()


if __name__ == "__main__":
    main()
