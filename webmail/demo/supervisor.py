"""Runs the processes of one machine: starts them in order, restarts what dies, stops cleanly.

    stopped ─start─▶ starting ─ready─▶ running ─exit─▶ waiting (back-off 0.5 … 10 s) ─▶ starting
                                          └─stop─▶ SIGTERM ─▶ SIGKILL after the service's grace

Children have sessions of their own, so that Ctrl-C reaches the supervisor alone; on Linux they
die with it, however it ends. A service is started by its command, or, on Linux and if it has an
entry, as a fork of this process (webmail.demo.forked). Needs the standard library only.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from webmail.demo import forked
from webmail.demo.forked import Forked


class StartFailed(Exception):  # noqa: N818 - the name says what happened
    """A service did not become ready; the text says which and where its log is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process: how to start it and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    # What does the same as the command inside a fork of the supervisor. None: always the command.
    entry: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    # Something to connect to: a Unix socket's path or a loopback port. None: ready at once.
    ready_socket: Path | None = None
    ready_port: int | None = None
    ready_within: float = 20.0  # seconds
    grace: float = 10.0  # seconds between SIGTERM and SIGKILL


@dataclass(slots=True)
class _Running:
    service: Service
    process: subprocess.Popen[bytes] | Forked
    started_at: float
    failures: int = 0
    retry_at: float | None = None


def _answers(service: Service) -> bool:
    if service.ready_socket is not None:
        probe, target = socket.socket(socket.AF_UNIX), str(service.ready_socket)
        address: str | tuple[str, int] = target
    elif service.ready_port is not None:
        probe, address = socket.socket(), ("127.0.0.1", service.ready_port)
    else:
        return True
    with probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


class Supervisor:
    """Keeps a list of services running until it is told to stop."""

    def __init__(self, *, log_directory: Path, say: Callable[[str], None]) -> None:
        self._logs = log_directory
        self._say = say
        self._running: list[_Running] = []
        self._stopping = False
        log_directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log_of(self, service: Service) -> Path:
        """Return the file that gets what `service` prints."""
        return self._logs / f"{service.name}.log"

    def _spawn(self, service: Service) -> subprocess.Popen[bytes] | Forked:
        log = self.log_of(service)
        if log.exists() and log.stat().st_size > 10_000_000:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            if service.entry is not None and forked.IS_POSSIBLE:
                return Forked(
                    service.entry,
                    name=service.name,
                    environment=service.environment,
                    output=output,
                )
            return subprocess.Popen(
                list(service.command),
                env={**os.environ, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=forked.die_with_parent,  # noqa: PLW1509 - single-threaded parent
            )

    def start(self, services: Sequence[Service]) -> None:
        """Start `services` in their order and wait until all are ready; StartFailed else."""
        for service in services:
            self._running.append(_Running(service, self._spawn(service), time.monotonic()))
        for entry in self._running:
            if entry.service in services:
                self._wait_ready(entry)

    def _wait_ready(self, entry: _Running) -> None:
        until = entry.started_at + entry.service.ready_within
        while not _answers(entry.service):
            exited = entry.process.poll()
            if exited is not None or time.monotonic() > until:
                what = f"ended with status {exited}" if exited is not None else "does not answer"
                log = self.log_of(entry.service)
                raise StartFailed(f"{entry.service.name} {what}; its log is {log}.")
            time.sleep(0.02)

    def request_stop(self, *_: object) -> None:
        """Ask `run` to stop (a signal handler)."""
        self._stopping = True

    def run(self) -> None:
        """Watch over the services until SIGINT or SIGTERM, then stop them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.request_stop)
        try:
            while not self._stopping:
                for entry in self._running:
                    self._look_after(entry)
                time.sleep(0.2)
        finally:
            self.stop()

    def _look_after(self, entry: _Running) -> None:
        now = time.monotonic()
        if entry.retry_at is not None:
            if now >= entry.retry_at:
                entry.process, entry.started_at = self._spawn(entry.service), now
                entry.retry_at = None
            return
        status = entry.process.poll()
        if status is None:
            if entry.failures and now - entry.started_at > 60:
                entry.failures = 0
            return
        delay = min(10.0, 0.5 * 2**entry.failures)
        entry.failures += 1
        entry.retry_at = now + delay
        self._say(f"{entry.service.name} ended with status {status}; starting it again.")

    def stop(self) -> None:
        """Stop everything in reverse order: SIGTERM, then SIGKILL for what stays."""
        for entry in reversed(self._running):
            if entry.process.poll() is not None:
                continue
            entry.process.terminate()
            try:
                entry.process.wait(entry.service.grace)
            except subprocess.TimeoutExpired:
                self._say(f"{entry.service.name} does not stop; it is killed.")
                os.killpg(entry.process.pid, signal.SIGKILL)
                entry.process.wait()
        self._running.clear()
