"""Memory of a tree of processes: proportional set size, so that shared pages count once.

Linux only: /proc/<pid>/smaps_rollup (proc_pid_smaps_rollup(5)), readable for one's own processes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webmail.demo.bench.rows import NotMeasured
from webmail.demo.forked import LONGEST_NAME
from webmail.demo.services import signet_services

_PROC = Path("/proc")
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_WORKER = re.compile(r"^(worker-[a-z]+)@")
# A word of the command line and what the process is called.
_NAMES = (
    ("valkey-server", "valkey"),
    ("redis-server", "valkey"),
    ("pymap", "imap"),
    ("webmail.demo.submission_server", "submission"),
    ("granian", "web"),
    ("watch", "watcher"),
    ("demo", "supervisor"),
)
# Forks of the supervisor have its command line, and their services' names in the kernel.
_FORKED = {service.name[:LONGEST_NAME]: service.name for service in signet_services(web_port=0)}


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its parent; command: its words; comm: its name in the kernel."""

    pid: int
    parent: int
    command: tuple[str, ...]
    comm: str = ""

    @property
    def name(self) -> str:
        """What the process is called in Signet, else its program's name."""
        if self.comm in _FORKED:
            return _FORKED[self.comm]
        for word in self.command:
            if worker := _WORKER.match(word):
                return worker[1]
        base = [word.rsplit("/", 1)[-1] for word in self.command]
        for word, name in _NAMES:
            if word in base:
                return name
        return base[0] if base else str(self.pid)


def pss_of(rollup: str) -> int:
    """Return the proportional set size in kB from the text of a smaps_rollup file."""
    found = _PSS.search(rollup)
    if found is None:
        raise ValueError("A smaps_rollup file has a line Pss.")
    return int(found[1])


def resting(root: int) -> dict[str, float]:
    """Return the PSS in MB (10⁶ bytes) under `root` by direct child, with all below it.

    The root stands under its own name. NotMeasured where the kernel does not tell.
    """
    tree = _tree()
    if root not in tree:
        raise NotMeasured("The processes have ended before their memory was read.")
    megabytes: dict[str, float] = {}
    for process in _below(tree, root):
        owner = process
        while root not in {owner.pid, owner.parent}:
            owner = tree[owner.parent]
        size = _size(process.pid)
        megabytes[owner.name] = megabytes.get(owner.name, 0.0) + size
    return megabytes


def child(parent: int, name: str) -> int:
    """Return the pid of the child of `parent` that is called `name`; NotMeasured if none is."""
    for process in _tree().values():
        if process.parent == parent and process.name == name:
            return process.pid
    raise NotMeasured(f"There is no process {name}.")


def _size(pid: int) -> float:
    try:
        return pss_of((_PROC / str(pid) / "smaps_rollup").read_text("ascii")) * 1024 / 1e6
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # ended between the listing and this moment
    except (PermissionError, ValueError) as error:
        raise NotMeasured("The kernel does not tell the memory of these processes.") from error


def _tree() -> dict[int, Process]:
    found = {}
    for directory in _PROC.glob("[0-9]*"):
        try:
            stat = (directory / "stat").read_text("utf-8", "replace")
            command = (directory / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended meanwhile, or somebody else's
        # The name in brackets may hold anything: fields are counted after the last bracket.
        head, _, rest = stat.rpartition(")")
        parent = int(rest.split()[1])
        # A process that gives itself a title (Valkey) has spaces where others have zeros.
        words = tuple(command.replace(b"\0", b" ").decode("utf-8", "replace").split())
        pid = int(directory.name)
        found[pid] = Process(pid, parent, words, comm=head.partition("(")[2])
    return found


def _below(tree: dict[int, Process], root: int) -> Iterator[Process]:
    children: dict[int, list[Process]] = {}
    for process in tree.values():
        children.setdefault(process.parent, []).append(process)
    waiting = [tree[root]]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process.pid, ())
