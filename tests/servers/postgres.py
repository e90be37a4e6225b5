"""A private PostgreSQL cluster, without durability, on a free port of 127.0.0.1."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import quote

from tests.servers.running import (
    ServerFailed,
    ServerMissing,
    free_ports,
    log_tail,
    new_directory,
    program,
    remove,
    wait_for_port,
)

BINARIES = tuple(str(p) for p in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
PASSWORD = "signet"  # trust on 127.0.0.1 makes it unused; clients may want one
# Safe against a crash of the server, not of the machine: commits still reach the kernel.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
}


class Postgres:
    """`with Postgres() as server:`; `url(name)` creates a database when it is not there yet."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.directory = Path()
        self._databases = {"postgres"}

    def __enter__(self) -> Self:
        program("initdb", *BINARIES)
        self._owner()
        self.directory = new_directory("postgres")
        try:
            if (owner := self._owner()) is not None:
                shutil.chown(self.directory, owner)
            self._run("initdb", "-D", str(self._data), "-U", "signet", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync")  # fmt: skip
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        remove(self.directory)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _owner(self) -> str | None:
        """Whom to run as: PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                pwd.getpwnam(name)
            except KeyError:
                continue
            return name
        raise ServerMissing("PostgreSQL needs a user that is not root")

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [program(name, *BINARIES), *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120, check=False,
            user=self._owner(), cwd="/", env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode:
            raise ServerFailed(done.stderr.decode(errors="replace") + self.log_text())

    def start(self) -> None:
        """Start it (again)."""
        options = " ".join(f"-c {name}={value}" for name, value in _FAST.items())
        self._run(
            "pg_ctl", "-D", str(self._data), "-l", str(self.log), "-w", "-s", "start",
            "-o", f"-p {self.port} -h {self.host} -k {self.directory} {options}",
        )  # fmt: skip
        wait_for_port(self.port, log=self.log)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: "fast", or "immediate" as a crash does."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "-s", "stop")

    def restart(self, mode: str = "immediate") -> None:
        """Crash and come back."""
        self.stop(mode)
        self.start()

    def url(self, database: str = "signet") -> str:
        """A database's URL; the database is made when it is not there yet."""
        if database not in self._databases:
            self._run("createdb", "-h", self.host, "-p", str(self.port), "-U", "signet", database)
            self._databases.add(database)
        return f"postgresql://signet:{quote(PASSWORD)}@{self.host}:{self.port}/{database}"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory / "postgres.log"

    def log_text(self) -> str:
        """The end of the log."""
        return log_tail(self.log)
