"""What all starters share: directories, free ports, waiting, stopping."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class ServerMissing(Exception):  # noqa: N818
    """The machine lacks something this server needs; the text says what to install or be."""


class ServerFailed(Exception):  # noqa: N818
    """The server is installed but did not start; the text holds its log."""


def program(name: str, *places: str) -> str:
    """The path of a program. Raises ServerMissing."""
    found = shutil.which(
        name, path=os.pathsep.join([*places, os.environ.get("PATH", ""), "/usr/sbin"])
    )
    if found is None:
        raise ServerMissing(f"{name} is not installed")
    return found


def need_root(name: str) -> None:
    """Raises ServerMissing unless run by root, which Dovecot and Postfix need to change users."""
    if os.geteuid() != 0:
        raise ServerMissing(f"{name} can only be started by root")


def new_directory(name: str) -> Path:
    """A short path (sockets allow 107 bytes) that the servers' own users may enter."""
    path = Path(tempfile.mkdtemp(prefix=f"signet-{name}-", dir="/tmp"))
    path.chmod(0o755)
    return path


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def wait_for_port(port: int, *, seconds: float = 20.0, log: Path | None = None) -> None:
    """Return once something listens there. Raises ServerFailed with the log."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise ServerFailed(f"nothing listens on port {port}\n{log_tail(log)}")


def log_tail(log: Path | None, *, size: int = 4000) -> str:
    """The end of a log file, "" when there is none."""
    if log is None or not log.exists():
        return ""
    return log.read_text(errors="replace")[-size:]


def launch(command: list[str], *, log: Path) -> None:
    """Run a program that puts itself into the background. Raises ServerFailed.

    Its output goes to a file: a daemon keeps a pipe open for as long as it lives.
    """
    with log.open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, timeout=60, check=False)
    if done.returncode:
        raise ServerFailed(f"{command[0]} failed\n{log_tail(log)}")


def stop_pid(pid: int, *, seconds: float = 10.0) -> None:
    """End a process by its id, first kindly."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def stop_process(process: subprocess.Popen[bytes], *, seconds: float = 10.0) -> None:
    """End a child and reap it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def remove(directory: Path) -> None:
    """Remove a server's directory; SIGNET_KEEP_SERVERS=1 keeps it for a look at the logs."""
    if os.environ.get("SIGNET_KEEP_SERVERS") != "1":
        shutil.rmtree(directory, ignore_errors=True)
