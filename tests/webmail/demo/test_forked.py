"""Forked children: like processes started anew, except for their memory.

Each case runs in a Python of its own, as the supervisor does: the test process has threads.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.site import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux alone")
ROOT = Path(__file__).resolve().parents[3]
START = """
import os, random, signal, socket, ssl, subprocess, sys, time
from pathlib import Path
from webmail.demo.forked import Forked, EndedAside, aside
log = Path(sys.argv[1])
def start(entry, **environment):
    with log.open("ab") as output:
        return Forked(entry, name="some-long-service", environment=environment, output=output)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def run(log: Path, code: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", START + code, str(log)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("entry", "status", "printed"),
    [
        ("lambda: print('hello')", 0, "hello\n"),
        ("lambda: sys.exit(3)", 3, ""),
        ("lambda: 1 / 0", 1, "ZeroDivisionError"),
        ("lambda: os.kill(os.getpid(), 9)", -9, ""),
        ("lambda: subprocess.run(['echo', 'from a program'])", 0, "from a program\n"),
        ("lambda: print(repr(sys.stdin.read()), file=sys.stderr)", 0, "''\n"),
        ("lambda: print(os.environ['SOME'], os.getsid(0) == os.getpid())", 0, "word True\n"),
        ("lambda: print(Path('/proc/self/comm').read_text())", 0, "some-long-servi\n"),
    ],
)
def test_a_child_ends_and_prints_as_a_program_does(log, entry, status, printed):
    said = run(log, f"child = start({entry}, SOME='word'); print(child.wait(20), child.poll())")
    assert said == f"{status} {status}\n"
    assert printed in log.read_text()


def test_a_child_has_no_descriptor_of_its_parent(log):
    run(
        log,
        "kept = [socket.socket(), Path('/dev/null').open('rb')]\n"
        "print(start(lambda: print(sorted(map(int, os.listdir('/proc/self/fd'))))).wait(20))\n"
        "for each in kept: each.close()",
    )
    # The last one is the listing's own.
    assert log.read_text() == "[0, 1, 2, 3]\n"


def test_children_draw_other_random_numbers_than_their_parent_and_each_other(log):
    run(
        log,
        "from cryptography.hazmat.primitives.asymmetric import x25519\n"
        "def draw():\n"
        "    key = x25519.X25519PrivateKey.generate().private_bytes_raw().hex()\n"
        "    print(random.random(), ssl.RAND_bytes(8).hex(), key)\n"
        "draw()\n"
        "for number in range(2): assert start(draw).wait(20) == 0",
    )
    first, second = log.read_text().splitlines()
    assert not set(first.split()) & set(second.split())


def test_a_stop_that_comes_at_once_is_not_lost_to_the_parents_handler(log):
    said = run(
        log,
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "for number in range(20):\n"
        "    child = start(lambda: time.sleep(600)); child.terminate(); print(child.wait(20))",
    )
    assert said == "-15\n" * 20


def test_waiting_for_a_child_that_stays_ends_in_time(log):
    run(
        log,
        "child = start(lambda: time.sleep(600))\n"
        "try: child.wait(0.1)\n"
        "except subprocess.TimeoutExpired: pass\n"
        "else: sys.exit('it was not awaited')\n"
        "assert child.poll() is None\n"
        "child.terminate(); assert child.wait(20) == -15",
    )


def test_what_a_child_forked_ends_with_it_and_all_end_with_the_parent(log):
    family = subprocess.Popen(
        [
            sys.executable,
            "-c",
            START + "import multiprocessing\n"
            "def parent():\n"
            "    child = multiprocessing.Process(target=time.sleep, args=(600,)); child.start()\n"
            "    print(os.getpid(), child.pid); time.sleep(600)\n"
            "start(parent); start(parent); time.sleep(600)",
            str(log),
        ],
        cwd=ROOT,
    )
    try:
        wait_for("two families", lambda: log.exists() and log.read_text().count("\n") == 2)
        first, second = (
            [int(pid) for pid in line.split()] for line in log.read_text().split("\n")[:2]
        )
        os.kill(first[0], signal.SIGKILL)
        wait_for("the end of what it forked", lambda: not _lives(first[1]))
        assert all(map(_lives, second))
    finally:
        family.kill()
        family.wait()
    wait_for("the end of the rest", lambda: not any(map(_lives, second)))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_work_done_aside_answers_and_leaves_nothing_behind(log):
    said = run(
        log,
        "kept = []\n"
        "def work():\n"
        "    kept.append(socket.socket()); print('working'); return {'a': (1, Path('/x'))}\n"
        "print(aside(work), kept, len(os.listdir('/proc/self/fd')))",
    )
    assert said == "working\n{'a': (1, PosixPath('/x'))} [] 4\n"


def test_what_work_aside_raises_is_raised_with_the_place_it_came_from(log):
    said = run(
        log,
        "def work(): raise LookupError('a sentence')\n"
        "try: aside(work)\n"
        "except LookupError as error: print(error, 'in work' in error.__notes__[0])",
    )
    assert said == "a sentence True\n"


@pytest.mark.parametrize("work", ["os.kill(os.getpid(), 9)", "signal.raise_signal(2)"])
def test_work_aside_that_is_killed_is_told(log, work):
    started = time.monotonic()
    said = run(log, f"try: aside(lambda: {work})\nexcept EndedAside as error: print(error)")
    assert said.startswith("A part of the start ended with status ")
    assert "Traceback" not in said
    assert time.monotonic() - started < 20
