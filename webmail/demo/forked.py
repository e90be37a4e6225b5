"""Children that go on with what this process has imported, instead of importing it again.

A forked child shares the pages of its parent until one of them writes. The parent therefore only
imports, forks and waits: it opens no socket, no database and no Redis, starts no thread and opens
no key. What has to do such things before the children are started runs `aside`.

Needs the standard library only. Used on Linux alone: elsewhere system libraries may not survive a
fork, and a service's command is run.
"""

import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import BinaryIO

IS_POSSIBLE = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LOOK = 0.02  # seconds
LONGEST_NAME = 15  # octets of a process's name (prctl(2))
_STOPS = (signal.SIGINT, signal.SIGTERM)


class EndedAside(Exception):  # noqa: N818 - the name says what happened
    """Work done aside ended without an answer: it was killed, or its answer cannot be carried."""


def die_with_parent() -> None:
    """Let the kernel send this process SIGTERM when its parent ends (Linux; nothing elsewhere)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def settle() -> None:
    """Ready this process's memory for children: a collection in a child copies none of it."""
    gc.collect()
    gc.freeze()


class Forked:
    """A child that runs `entry` in a session of its own; the part of Popen a supervisor needs.

    name: what the kernel calls it, cut to LONGEST_NAME. Its status is that of a Python program:
    0, what sys.exit was given, 1 after an exception, or minus the signal that ended it.
    """

    def __init__(
        self,
        entry: Callable[[], object],
        *,
        name: str,
        environment: Mapping[str, str],
        output: BinaryIO,
    ) -> None:
        self._process = multiprocessing.get_context("fork").Process(
            target=_enter,
            args=(entry, name, environment, output.fileno(), os.getpid()),
            name=name,
        )
        # A stop that comes before the child has handlers of its own must not be lost to ours.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def pid(self) -> int:
        """The child's process id."""
        pid = self._process.pid
        assert pid is not None  # it has been started
        return pid

    def poll(self) -> int | None:
        """Return the status, or None while the child runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Return the status; subprocess.TimeoutExpired if it still runs after `timeout` seconds."""
        # Process.join would wait on a descriptor that the child has closed.
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self._process.exitcode) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
            time.sleep(_LOOK)
        return status


def _enter(
    entry: Callable[[], object],
    name: str,
    environment: Mapping[str, str],
    output: int,
    parent: int,
) -> None:
    """Become a process like one that was started anew, except for its memory."""
    _belong_to(parent)
    os.setsid()
    # What the child forks in its turn (a pool, the web server's worker) ends with it as well.
    os.register_at_fork(after_in_child=die_with_parent)
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:LONGEST_NAME])
    _keep_only(output)
    os.environ.update(environment)
    for number in _STOPS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    entry()


def _belong_to(parent: int) -> None:
    die_with_parent()
    if os.getppid() != parent:  # it ended before the kernel was told
        os._exit(1)


def _keep_only(output: int) -> None:
    """Read nothing, print to `output`, and close every other descriptor of the parent."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    sys.stdout = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115


def aside[T](work: Callable[[], T]) -> T:
    """Do `work` in a child, so that this process stays clean, and return what it returned.

    What it raises is raised here; both must be able to be pickled, else EndedAside.
    """
    if not IS_POSSIBLE:
        return work()
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(work, sending, os.getpid()))
    child.start()
    sending.close()
    with receiving:
        try:
            answer, error = receiving.recv()
        except EOFError:
            child.join()
            raise EndedAside(f"A part of the start ended with status {child.exitcode}.") from None
    child.join()
    if error is not None:
        raise error
    returned: T = answer
    return returned


def _answer(work: Callable[[], object], sending: Connection, parent: int) -> None:
    _belong_to(parent)
    try:
        sending.send((work(), None))
    except KeyboardInterrupt:  # Ctrl-C reaches the parent too, which says so
        sys.exit(130)
    except Exception as error:
        # A traceback cannot be carried, its text can.
        error.add_note("".join(traceback.format_exception(error)))
        sending.send((None, error))
        raise SystemExit(1) from error
