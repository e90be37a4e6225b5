"""The whole of Signet as processes over private mail servers: what the live and browser tests use.

Everything goes through the same entries as in production: `manage.py` commands and HTTP.
"""

import http.cookiejar
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.fixtures import MailServers
from tests.servers.running import free_ports, remove
from webmail.demo.services import signet_services, valkey_binary
from webmail.demo.supervisor import Service, Supervisor

ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Site:
    """A running Signet."""

    url: str
    directory: Path
    environment: dict[str, str]
    supervisor: Supervisor
    services: dict[str, Service] = field(default_factory=dict)

    def manage(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a management command against this site."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr or done.stdout}"
        return done

    def python(self, code: str) -> str:
        """Run `code` inside this site's Django and return what it prints."""
        return self.manage("shell", "--no-imports", "-c", code).stdout

    def log(self, name: str) -> str:
        """Return what the service `name` has printed."""
        path = self.directory / "logs" / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def client(self) -> "Browserless":
        """Return a client without script, with cookies of its own."""
        return Browserless(self.url)


class Browserless:
    """A browser without JavaScript: follows links, fills forms, keeps cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self.address = url
        self.page = ""

    def get(self, path: str) -> str:
        """Fetch a page."""
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.address, path)))

    def post(self, path: str, **fields: str) -> str:
        """Post a form of the current page: its CSRF token is taken along."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        assert token, "the page holds no form"
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        url = urllib.parse.urljoin(self.address, path)
        return self._open(urllib.request.Request(url, data=body, headers={"Referer": self.address}))

    def sign_in(self, address: str, password: str) -> str:
        """Sign in and return the first page."""
        self.get(f"{self._url}/sign-in")
        return self.post("/sign-in", address=address, password=password, next="/")

    def _open(self, request: urllib.request.Request) -> str:
        with self._opener.open(request, timeout=40) as answer:
            self.address = answer.geturl()
            self.page = answer.read().decode("utf-8", "replace")
        return self.page


def wait_for[T](what: str, probe: Callable[[], T | None], *, seconds: float = 30.0) -> T:
    """Return the first true answer of `probe`; fail with `what` when there is none in time."""
    until = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > until:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def _valkey(directory: Path) -> Service:
    socket = directory / "v.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    return Service(name="valkey", command=[valkey_binary(), *options], ready_socket=socket)


def start_site(directory: Path, *, only: frozenset[str] = frozenset(), **variables: str) -> Site:
    """Start a site in `directory` (`only`: these services of it); the caller stops its supervisor."""
    (port,) = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")},
        "SIGNET_DATA_DIR": str(directory),
        "SIGNET_CONFIG": os.environ["SIGNET_CONFIG"],
        "SIGNET_REDIS_URL": f"unix://{directory / 'v.sock'}",
        "SIGNET_LOG_LEVEL": "INFO",
        "SIGNET_UNDO_SEND_SECONDS": "2",
        "SIGNET_UNDO_MOVE_SECONDS": "1",
        "SIGNET_PERSONAL_ANCHORS": "yes",
        **variables,
    }
    supervisor = Supervisor(log_directory=directory / "logs", say=print)
    site = Site(f"http://127.0.0.1:{port}", directory, environment, supervisor)
    site.manage("migrate", "--verbosity", "0")
    services = [_valkey(directory), *signet_services(web_port=port)]
    for service in services:
        if only and service.name not in only:
            continue
        own = Service(
            name=service.name,
            command=service.command,
            environment=environment,
            ready_socket=service.ready_socket,
            ready_port=service.ready_port,
            ready_within=60.0,
            grace=service.grace,
        )
        site.services[service.name] = own
        supervisor.start([own])
    return site


@pytest.fixture(scope="session")
def site(mail_servers: MailServers) -> Iterator[Site]:
    """Signet over the private Dovecot and Postfix; example.test is set up, nobody has signed in."""
    directory = Path(tempfile.mkdtemp(prefix="site-"))
    running = start_site(directory)
    try:
        ca = directory / "ca.pem"
        ca.write_text(mail_servers.ca_pem)
        running.manage(
            "mailserver", "add", mail_servers.domain,
            "--imap", f"localhost:{mail_servers.imap_port}", "--imap-security", "starttls",
            "--submission", f"localhost:{mail_servers.submission_port}",
            "--submission-security", "starttls", "--ca-file", str(ca),
        )  # fmt: skip
        yield running
    finally:
        running.supervisor.stop()
        remove(directory)
