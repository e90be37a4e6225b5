"""A private pymap over a Maildir: a server with few extensions, as the demo uses it."""

import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.servers.dovecot import PASSWORD
from tests.servers.running import (
    ServerMissing,
    free_ports,
    log_tail,
    new_directory,
    remove,
    stop_process,
    wait_for_port,
)
from tests.servers.tls import Authority
from webmail.sasl import Endpoint

_KEYWORDS = ("$Forwarded", "$Junk", "$NotJunk", "$MDNSent", "$label1")


class Pymap:
    """`with Pymap(authority, users={"alice": "…"}) as server:`; STARTTLS only."""

    host = "localhost"

    def __init__(self, authority: Authority, *, users: dict[str, str] | None = None) -> None:
        self.ca_pem = authority.ca_pem
        self._authority = authority
        self.users = users or {"alice": PASSWORD, "bob": PASSWORD}
        (self.port,) = free_ports(1)
        self.directory = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = Path(sys.executable).with_name("pymap")
        if not program.exists():
            raise ServerMissing("pymap is not installed in this environment")
        self.directory = new_directory("pymap")
        self._write_users()
        cert, key = self._authority.issue().write(self.directory / "tls")
        try:
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    [
                        str(program), "--host", "127.0.0.1", "--port", str(self.port),
                        "--cert", str(cert), "--key", str(key), "maildir",
                        str(self.directory / "mail"),
                    ],
                    stdout=log, stderr=log,
                )  # fmt: skip
            wait_for_port(self.port, log=self.log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            stop_process(self._process)
        remove(self.directory)

    def _write_users(self) -> None:
        from pysasl.hashing import BuiltinHash

        mail = self.directory / "mail"
        mail.mkdir()
        hasher = BuiltinHash(rounds=1000)
        passwd = [f"{name}:x::::{name}:" for name in self.users]
        shadow = [f"{n}:{hasher.hash(p)}:::::::" for n, p in self.users.items()]
        (mail / "pymap-etc-passwd").write_text("\n".join(passwd) + "\n")
        (mail / "pymap-etc-shadow").write_text("\n".join(shadow) + "\n")

    @property
    def log(self) -> Path:
        """What pymap printed."""
        return self.directory / "pymap.log"

    def log_text(self) -> str:
        """The end of the log."""
        return log_tail(self.log)

    def endpoint(self) -> Endpoint:
        """Where to read mail."""
        return Endpoint(self.host, self.port, "starttls", self.ca_pem)
