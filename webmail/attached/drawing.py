"""Drawing strangers' pictures and PDFs in a child process with limits of time and memory.

A file that breaks a decoder ends the child, never the worker: the job is answered with "ended" and
the next one gets a new child. What the child may do at all, `confining` says.
"""

import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from webmail.attached import limits
from webmail.attached.draw_child import read_frame, write_frame

logger = logging.getLogger(__name__)

Kind = Literal["picture", "animation", "pdf", "remote"]

_ROOT: Final = Path(__file__).resolve().parents[2]
# The child gets none of our variables: settings and secrets may be among them.
_ENVIRONMENT: Final = {"PYTHONSAFEPATH": "", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
_ANSWER: Final = 64 * limits.MIB  # octets of one drawn picture; it cannot be more


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture, or with a `code` (why there is none) nothing.

    Codes: too-large, too-many-pixels, too-many-frames, damaged, password, no-such-page, too-slow,
    ended.
    """

    code: str = ""
    content: bytes = b""
    content_type: str = "image/webp"
    width: int = 0
    height: int = 0
    pages: int = 1  # of the file
    moves: bool = False  # the first frame of an animation


class Drawer:
    """One child for a few jobs, started by the first; leave it by `with`."""

    def __init__(self, *, seconds: float = limits.DRAWING_SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def draw(
        self, kind: Kind, content: bytes, *, width: int, height: int, page: int = 1
    ) -> Drawing:
        """Return the file (or its page) within `width` × `height` pixels; never raises for it."""
        if len(content) > limits.PDF or (kind != "pdf" and len(content) > limits.PICTURE):
            return Drawing(code="too-large")
        job = {"kind": kind, "page": page, "width": width, "height": height}
        child = self._running()
        is_late = threading.Event()

        def kill() -> None:
            is_late.set()
            child.kill()

        watchdog = threading.Timer(self._seconds, kill)
        watchdog.start()
        try:
            return _exchange(child, json.dumps(job).encode(), content)
        except (OSError, EOFError, ValueError):
            self.end()
            return Drawing(code="too-slow" if is_late.is_set() else "ended")
        finally:
            watchdog.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.end()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "webmail.attached.draw_child"],
                cwd=_ROOT,
                env=_ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a decoder's words may quote the file
                start_new_session=True,
            )
        return self._child

    def end(self) -> None:
        """End the child, in the middle of a job, too; the next job starts another."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what was still to be written goes nowhere
                    stream.close()
        child.wait()


class KeptDrawer:
    """A child that is kept for the next job, for a process that gets small ones in a row.

    It ends by itself after `limits.DRAWING_JOBS` jobs, or when none came for
    `limits.DRAWING_IDLE` seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._drawer = Drawer()
        self._jobs = 0  # of the child that runs
        self._rest: threading.Timer | None = None

    def draw(self, kind: Kind, content: bytes, *, width: int = 0, height: int = 0) -> Drawing:
        """Do as `Drawer.draw`. A child that earlier jobs have worn out is replaced."""
        with self._guard:
            if self._rest is not None:
                self._rest.cancel()
            try:
                made = self._drawer.draw(kind, content, width=width, height=height)
                if made.code == "ended" and self._jobs:
                    made = self._drawer.draw(kind, content, width=width, height=height)
                    self._jobs = 0
            except BaseException:  # such as Celery's limit of time: half an answer is in the pipe
                self._end()
                raise
            self._jobs += 1
            if self._jobs >= limits.DRAWING_JOBS:
                self._end()
            else:
                self._rest = threading.Timer(limits.DRAWING_IDLE, self.end)
                self._rest.daemon = True
                self._rest.start()
            return made

    def end(self) -> None:
        """End the child now, or after the job that it does."""
        with self._guard:
            self._end()

    def _end(self) -> None:
        self._drawer.end()
        self._jobs = 0


@cache
def _tell_once(lacks: tuple[str, ...]) -> None:
    """Say in the log, once a process, by what the kernel does not confine the child."""
    if lacks:
        logger.warning("event=drawing-less-confined lacks=%s", "+".join(lacks))


def _exchange(child: subprocess.Popen[bytes], job: bytes, content: bytes) -> Drawing:
    assert child.stdin is not None
    assert child.stdout is not None
    write_frame(child.stdin, job)
    write_frame(child.stdin, content)
    child.stdin.flush()
    said = json.loads(read_frame(child.stdout, largest=4096))
    picture = read_frame(child.stdout, largest=_ANSWER)
    _tell_once(tuple(said["lacks"]))
    if said["code"]:
        return Drawing(code=str(said["code"]))
    return Drawing(
        content=picture,
        content_type=str(said["type"]),
        width=int(said["width"]),
        height=int(said["height"]),
        pages=int(said["pages"]),
        moves=bool(said["moves"]),
    )
