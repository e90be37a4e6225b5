"""The embedded mail servers as services: their files, certificates and settings."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from webmail.demo.imap_server import imap_service, write_people
from webmail.demo.letters import DOMAIN
from webmail.demo.supervisor import Service
from webmail.demo.tls import server_tls

PASSWORDS = {"alice": "alice", "bob": "bob", "marta": "marta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Where the embedded servers listen, under which name, and who signed their certificate."""

    imap_port: int
    submission_port: int
    ca_pem: str
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class MailServers:
    """What to start, where it will answer, where mail is kept."""

    services: tuple[Service, ...]
    servers: Embedded
    maildirs: Path


def prepare_servers(
    home: Path,
    *,
    imap_port: int,
    submission_port: int,
    name: str = "localhost",
    listen: str = "127.0.0.1",
) -> MailServers:
    """Write the servers' files under `home` and return what to start.

    `name` is how clients reach them and stands in their certificate.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    tls = server_tls(home / "tls", name=name)
    maildirs = home / "mail"
    if not (maildirs / "pymap-etc-shadow").is_file():
        write_people(maildirs, PASSWORDS)
    path = home / "submission.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(
            {
                "domain": DOMAIN,
                "passwords": PASSWORDS,
                "name": name,
                "listen": listen,
                "port": submission_port,
                "imap_port": imap_port,
                "ca": str(tls.ca),
                "certificate": str(tls.certificate),
                "key": str(tls.key),
            },
            file,
        )
    submission = Service(
        name="submission",
        command=[sys.executable, "-m", "webmail.demo.submission_server", str(path)],
        ready_port=submission_port,
    )
    return MailServers(
        services=(imap_service(maildirs, port=imap_port, tls=tls, listen=listen), submission),
        servers=Embedded(
            imap_port=imap_port,
            submission_port=submission_port,
            ca_pem=tls.ca.read_text("ascii"),
            host=name,
        ),
        maildirs=maildirs,
    )
