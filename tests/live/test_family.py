"""`manage.py serve` as one family of forks: clean parent, kill -9 of each, limits, clean stop."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.running import free_ports
from tests.site import ROOT, wait_for
from webmail.reader.tasks import CRYPTO_MEMORY

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux alone"),
]
# As the kernel names them (15 octets).
FORKS = {"worker-crypto", "worker-interact", "worker-backgrou", "watcher", "web"}
PROC = Path("/proc")


@dataclass(frozen=True)
class Family:
    """A running `manage.py serve`."""

    supervisor: "subprocess.Popen[bytes]"
    directory: Path
    url: str

    def log(self, name: str = "serve") -> str:
        path = self.directory / "logs" / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def children(self) -> dict[str, int]:
        """Process ids by the kernel's names."""
        return {_comm(pid): pid for pid in _children(self.supervisor.pid)}

    def answers(self) -> bool:
        """Whether the web answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/sign-in", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _stat(pid: int) -> tuple[str, list[str]]:
    head, _, rest = (PROC / str(pid) / "stat").read_text().rpartition(")")
    return head.partition("(")[2], rest.split()


def _comm(pid: int) -> str:
    try:
        return _stat(pid)[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _lives(pid: int) -> bool:
    try:
        return _stat(pid)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children(parent: int) -> list[int]:
    found = []
    for directory in PROC.glob("[0-9]*"):
        try:
            state, above = _stat(int(directory.name))[1][:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(above) == parent and state != "Z":
            found.append(int(directory.name))
    return found


def _open_in(pid: int) -> list[str]:
    found = []
    for descriptor in (PROC / str(pid) / "fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return found


@pytest.fixture
def family() -> Iterator[Family]:
    """Everything on one machine, without a mail server."""
    directory = Path(tempfile.mkdtemp(prefix="family-"))
    (directory / "logs").mkdir()
    (port,) = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")},
        "SIGNET_DATA_DIR": str(directory),
        "SIGNET_CONFIG": os.environ["SIGNET_CONFIG"],
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
    }
    with (directory / "logs" / "serve.log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    running = Family(supervisor, directory, f"http://127.0.0.1:{port}")
    try:
        wait_for("the banner", lambda: "Stop with Ctrl-C" in running.log(), seconds=120)
        yield running
    finally:
        supervisor.kill()
        supervisor.wait()
        wait_for("the end of all", lambda: not _answering(port))
        shutil.rmtree(directory, ignore_errors=True)


def _answering(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_one_clean_parent_has_forked_all_and_only_the_crypto_lane_is_limited(family):
    parent = family.supervisor.pid
    children = family.children()
    assert children.keys() >= FORKS
    command = (PROC / str(parent) / "cmdline").read_bytes()
    for name in FORKS:
        assert (PROC / str(children[name]) / "cmdline").read_bytes() == command, name
    assert len(list((PROC / str(parent) / "task").iterdir())) == 1
    held = _open_in(parent)
    assert not [each for each in held if each.startswith("socket:") or ".sqlite3" in each]
    for name in FORKS:
        assert not [each for each in _open_in(children[name]) if "supervisor.lock" in each], name

    limits = {}
    for name in FORKS:
        pids = [children[name], *_children(children[name])]
        limits[name] = [(PROC / str(pid) / "limits").read_text() for pid in pids]
    crypto = wait_for("the pool", lambda: _children(children["worker-crypto"]))
    limit = rf"Max address space +{CRYPTO_MEMORY} +{CRYPTO_MEMORY} "
    for pid in crypto:
        wait_for(
            "its limit",
            lambda pid=pid: re.search(limit, (PROC / str(pid) / "limits").read_text()),
        )
    for name in FORKS - {"worker-crypto"}:
        assert not any(re.search(limit, each) for each in limits[name]), name


def test_each_child_is_forked_again_after_kill_9_and_leaves_nothing_behind(family):
    for name in sorted(FORKS):
        pid = family.children()[name]
        below = _children(pid)
        os.kill(pid, signal.SIGKILL)
        again = wait_for(
            f"another {name}",
            lambda name=name, pid=pid: {pid} ^ {family.children().get(name, pid)},
        )
        assert again, name
        wait_for("the end of what it forked", lambda below=below: not any(map(_lives, below)))
    wait_for("the page", family.answers)
    workers = ("worker-crypto", "worker-interactive", "worker-background")
    for name in workers:
        wait_for(f"{name} at work", lambda name=name: family.log(name).count(" ready.") == 2)
    wait_for("the watcher", lambda: family.log("watcher").count("Watching.") == 2)
    # The scheduler came back with its lane.
    wait_for(
        "its tasks",
        lambda: "hand_over_due" in family.log("worker-background").rpartition(" ready.")[2],
    )
    assert "Traceback" not in "".join(family.log(name) for name in (*workers, "watcher"))


def test_ctrl_c_stops_all_in_order(family):
    children = list(family.children().values())
    everybody = children + [each for child in children for each in _children(child)]
    family.supervisor.send_signal(signal.SIGINT)
    assert family.supervisor.wait(60) == 0
    assert not any(map(_lives, everybody))
    assert "is killed" not in family.log()
    assert "Traceback" not in family.log()
    assert not (family.directory / "run" / "redis-url").exists()


def test_kill_9_of_the_parent_leaves_nobody(family):
    children = list(family.children().values())
    everybody = children + [each for child in children for each in _children(child)]
    family.supervisor.kill()
    family.supervisor.wait()
    wait_for("the end of all", lambda: not any(map(_lives, everybody)), seconds=60)
