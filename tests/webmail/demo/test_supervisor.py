"""The supervisor: order, readiness, restarts, clean stop."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.site import wait_for
from webmail.demo.ports import first_free, is_free
from webmail.demo.supervisor import Service, StartFailed, Supervisor

ROOT = Path(__file__).resolve().parents[3]
LISTEN = (
    "import socket, sys, time\n"
    "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
    "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print('up', flush=True)\n"
    "time.sleep(600)\n"
)
STUBBORN = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"


def listener(port: int, name: str = "listener") -> Service:
    return Service(name=name, command=[sys.executable, "-c", LISTEN, str(port)], ready_port=port)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]):
    made = Supervisor(log_directory=tmp_path / "logs", say=said.append)
    yield made
    made.stop()


def test_starts_are_ready_when_start_returns(supervisor: Supervisor) -> None:
    port = first_free(20000 + os.getpid() % 20000)
    supervisor.start([listener(port)])
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        pass
    supervisor.stop()
    assert is_free(port)


def test_a_service_that_ends_at_once_is_named_with_its_log(supervisor: Supervisor) -> None:
    broken = Service(
        name="broken", command=[sys.executable, "-c", "raise SystemExit(3)"], ready_port=1
    )
    with pytest.raises(StartFailed, match=r"broken ended with status 3.*broken\.log"):
        supervisor.start([broken])


def test_what_dies_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    port = first_free(22000 + os.getpid() % 20000)
    supervisor.start([listener(port)])
    first = supervisor._running[0].process.pid
    thread = threading.Thread(target=_watch, args=(supervisor,))
    thread.start()
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        process = supervisor._running[0].process
        if process.pid != first and not is_free(port):
            break
        time.sleep(0.05)
    assert supervisor._running[0].process.pid != first
    assert said == ["listener ended with status -9; starting it again."]
    supervisor.request_stop()
    thread.join(timeout=15)
    assert not thread.is_alive()


def _watch(supervisor: Supervisor) -> None:
    """The loop of `run` without its signal handlers, which belong to the main thread."""
    while not supervisor._stopping:
        for entry in list(supervisor._running):
            supervisor._look_after(entry)
        time.sleep(0.05)


def test_what_ignores_sigterm_is_killed(supervisor: Supervisor, said: list[str]) -> None:
    stubborn = Service(name="stubborn", command=[sys.executable, "-c", STUBBORN], grace=0.3)
    supervisor.start([stubborn])
    log = supervisor.log_of(stubborn)
    deadline = time.monotonic() + 5
    while "up" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    process = supervisor._running[0].process
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL
    assert said == ["stubborn does not stop; it is killed."]


def test_busy_ports_are_stepped_over() -> None:
    start = first_free(24000 + os.getpid() % 20000)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", start))
        busy.listen()
        assert first_free(start) > start


ENTRY = """
import os, sys, threading
from pathlib import Path
from webmail.demo.supervisor import Service, Supervisor
def serve():
    import socket
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(sys.argv[1])))
        listening.listen()
        print("serving", os.getpid(), flush=True)
        threading.Event().wait()
supervisor = Supervisor(log_directory=Path(sys.argv[2]), say=lambda words: print(words, flush=True))
supervisor.start([Service(
    name="forked", command=["false"], entry=serve, ready_port=int(sys.argv[1]))])
print("ready", flush=True)
supervisor.run()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux alone")
def test_an_entry_runs_as_a_fork_instead_of_the_command_and_is_forked_again(tmp_path: Path) -> None:
    port = first_free(26000 + os.getpid() % 20000)
    log = tmp_path / "forked.log"
    supervising = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", ENTRY, str(port), str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert supervising.stdout is not None
        assert supervising.stdout.readline() == "ready\n"
        first = int(log.read_text().split()[1])
        assert os.getsid(first) == first
        os.kill(first, signal.SIGKILL)
        said = supervising.stdout.readline()
        assert said == "forked ended with status -9; starting it again.\n"
        wait_for("the next", lambda: log.read_text().count("serving") == 2 and not is_free(port))
        supervising.send_signal(signal.SIGINT)
        assert supervising.wait(20) == 0
        assert is_free(port)
    finally:
        supervising.kill()
        supervising.wait()
        assert supervising.stdout is not None
        supervising.stdout.close()
