"""Signets and other servers of one bench run: private directories, free ports, stopped at the end.

Nothing here touches the data directory, database or mail servers that the settings name.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from webmail.demo.bench import floor_database, people
from webmail.demo.bench.rows import NotMeasured
from webmail.demo.embedded import PASSWORDS
from webmail.demo.imap_server import write_people
from webmail.demo.ports import first_free
from webmail.demo.services import BIN, signet_services, valkey_binary
from webmail.demo.supervisor import Service, Supervisor

MESSAGES = 100_000  # in the mirror that lists are measured on, and in the floor's table
COMMAND_WITHIN = 300.0  # seconds for migrations or the filling of a mirror
DEMO_WITHIN = 120.0  # seconds until a demo counts as not starting
_BANNER = "Signet is running:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """A Signet with a large mirror, one person who may sign in, and the hello floor beside it."""

    url: str
    floor_url: str
    address: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running `manage.py demo`. seconds_to_banner: from its start."""

    url: str
    directory: Path
    seconds_to_banner: float

    @property
    def imap_port(self) -> int:
        """Where its IMAP server listens on loopback (STARTTLS)."""
        return int(self._servers["imap_port"])

    @property
    def ca_file(self) -> str:
        """Who signed that server's certificate (PEM)."""
        return self._servers["ca"]

    @property
    def _servers(self) -> dict[str, str]:
        text = (self.directory / "demo" / "submission.json").read_text("utf-8")
        found: dict[str, str] = json.loads(text)
        return found


class Grounds:
    """Where one bench run takes place: what is asked for is started once and kept to the end."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self.say = say
        # Short, because a Unix socket's path may hold about 100 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="signet-bench-"))
        self._supervisor = Supervisor(log_directory=self._directory / "logs", say=say)
        self._port = 20_000 + os.getpid() % 20_000

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._supervisor.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @cached_property
    def large(self) -> Large:
        """The large mirror and the floor of as many rows; web and Valkey alone, no workers."""
        address, password = "reader@bench.example", secrets.token_urlsafe(16)
        home = self._home("large")
        environment = _environment(home) | {"SIGNET_REDIS_URL": f"unix://{home / 'v.sock'}"}
        self.say(f"Filling a mirror with {MESSAGES:,} messages …")
        _run(["manage.py", "migrate", "--verbosity", "0"], environment)
        filling = ["-m", "webmail.demo.bench.filling", "--address", address]
        _run([*filling, "--messages", str(MESSAGES)], environment, given=password)
        floor_database.make(home / "floor.sqlite3", rows=MESSAGES)
        port, floor_port = self._free_port(), self._free_port()
        web = next(each for each in signet_services(web_port=port) if each.name == "web")
        self._supervisor.start(
            [
                replace(_valkey(home / "v.sock"), environment=environment),
                replace(web, environment=environment),
                _floor(home / "floor.sqlite3", floor_port),
            ]
        )
        return Large(
            url=f"http://127.0.0.1:{port}",
            floor_url=f"http://127.0.0.1:{floor_port}",
            address=address,
            password=password,
        )

    @cached_property
    def demo(self) -> Demo:
        """`manage.py demo` on a new data directory; its IMAP server knows `people` as well."""
        home = self._home("demo")
        write_people(home / "demo" / "mail", PASSWORDS | people.PASSWORDS)
        port = self._free_port()
        service = Service(
            name="demo",
            command=[sys.executable, "manage.py", "demo", "--port", str(port)],
            environment=_environment(home),
            grace=40.0,
        )
        self.say("Starting a demo …")
        begun = time.monotonic()
        self._supervisor.start([service])
        url = self._banner(self._supervisor.log_of(service), until=begun + DEMO_WITHIN)
        return Demo(url=url, directory=home, seconds_to_banner=time.monotonic() - begun)

    def apart(self, module: str, *arguments: str) -> str:
        """Run a module on a new data directory, with a Valkey but no workers; return its output."""
        home = self._home(module.rpartition(".")[2])
        environment = _environment(home) | {"SIGNET_REDIS_URL": f"unix://{home / 'v.sock'}"}
        _run(["manage.py", "migrate", "--verbosity", "0"], environment)
        valkey = _valkey(home / "v.sock")
        self._supervisor.start(
            [replace(valkey, name=f"valkey-{home.name}", environment=environment)]
        )
        return _run(["-m", module, *arguments], environment)

    def _banner(self, log: Path, *, until: float) -> str:
        """Wait for the demo's banner and return the address in it."""
        while time.monotonic() < until:
            text = log.read_text("utf-8", "replace")
            for line in text.splitlines():
                if _BANNER in line:
                    return line.rpartition(_BANNER)[2].strip()
            if "CommandError" in text or "Traceback" in text:
                break
            time.sleep(0.02)
        said = log.read_text("utf-8", "replace").strip().splitlines()
        raise NotMeasured(f"The demo did not start; it said: {said[-1] if said else 'nothing'}")

    def _home(self, name: str) -> Path:
        home = self._directory / name
        home.mkdir(mode=0o700)
        (home / "none.env").touch()
        return home

    def _free_port(self) -> int:
        port = first_free(self._port)
        self._port = port + 1
        return port


def _environment(home: Path) -> dict[str, str]:
    """Return what makes `home` the only place of a process: no setting of ours shines through."""
    emptied = {name: "" for name in os.environ if name.startswith("SIGNET_")}
    return emptied | {
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
        "SIGNET_DATA_DIR": str(home),
        "SIGNET_CONFIG": str(home / "none.env"),
        "SIGNET_LOG_LEVEL": "WARNING",
    }


def _run(arguments: list[str], environment: dict[str, str], *, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NotMeasured(f"{arguments[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def _valkey(socket: Path) -> Service:
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    return Service(
        name="valkey",
        command=[valkey_binary(), *options, "--dir", str(socket.parent)],
        ready_socket=socket,
    )


def _floor(database: Path, port: int) -> Service:
    return Service(
        name="floor",
        command=[
            str(BIN / "granian"),
            *("--interface", "wsgi"),
            *("--host", "127.0.0.1"),
            *("--port", str(port)),
            *("--workers", "1"),
            *("--blocking-threads", "1"),
            "--no-ws",
            *("--log-level", "warning"),
            "webmail.demo.bench.floor_site:application",
        ],
        environment={"FLOOR_DATABASE": str(database)},
        ready_port=port,
    )
