"""Signet without its web: a database, Valkey, and send workers that a test may kill."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]

_SET_UP = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, skip_checks=True)
from accounts.credentials import sealed_password_for
from accounts.models import Identity, MailAccount, MailServer, User
server = MailServer.objects.create(
    domain="example.test", imap_host="localhost", imap_port=1, submission_host="localhost",
    submission_port={port}, submission_security="tls", ca_pem={ca!r})
user = User.objects.create_user("alice@example.test")
account = MailAccount.objects.create(
    user=user, server=server, address=user.address, login_name=user.address, sealed_password=b"")
account.sealed_password = sealed_password_for(account, "correct horse")
account.save()
Identity.objects.create(user=user, account=account, address=user.address, is_default=True)
"""
_QUEUE = """
import django, uuid
django.setup()
from accounts.models import User
from webmail.composer import drafts, outbox, preparing
from webmail.composer.content import DraftContent
from webmail.composer.recipients import parse
user = User.objects.get()
for subject in {subjects!r}:
    draft = drafts.new(
        user, content=DraftContent(to=parse({to!r}), subject=subject, text="words\\n"))
    mail = outbox.queue(user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(mail.pk, "")
    print(mail.pk)
"""


@dataclass(slots=True)
class Standing:
    """Where a mail stands, read from the tables."""

    state: str
    phase: str
    attempts: int
    last_reply: str
    is_leased: bool
    draft_failure: str | None
    deliveries: dict[str, str] = field(default_factory=dict)


class SendSite:
    """See the module docstring."""

    def __init__(self, directory: Path, valkey: Valkey) -> None:
        self.directory = directory
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")},
            "SIGNET_DATA_DIR": str(directory),
            "SIGNET_CONFIG": os.environ["SIGNET_CONFIG"],
            "SIGNET_REDIS_URL": valkey.url,
            "DJANGO_SETTINGS_MODULE": "tests.live.short_leases",
        }

    def python(self, code: str) -> str:
        """Run `code` in a process of this site and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_up(self, *, port: int, ca_pem: str) -> None:
        """Make the tables, and Alice with an account at a submission server."""
        self.python(_SET_UP.format(port=port, ca=ca_pem))

    def queue(self, to: str, *subjects: str) -> list[int]:
        """Queue mails that are due; return their ids."""
        return [
            int(line)
            for line in self.python(_QUEUE.format(to=to, subjects=subjects or ("Offer",))).split()
        ]

    def state(self, outgoing_id: int) -> Standing:
        """Where a mail stands."""
        path = self.directory / "signet.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            row = database.execute(
                "SELECT m.state, phase, attempts, last_reply, lease_until IS NOT NULL, failure"
                " FROM composer_outgoingmail m LEFT JOIN composer_draft d ON d.id = m.draft_id WHERE m.id = ?",
                [outgoing_id],
            ).fetchone()
            deliveries = database.execute(
                "SELECT recipient, y.state FROM composer_delivery y JOIN composer_variant v"
                " ON v.id = y.variant_id WHERE v.outgoing_id = ?",
                [outgoing_id],
            ).fetchall()
        return Standing(row[0], row[1], row[2], row[3], bool(row[4]), row[5], dict(deliveries))

    def wait(self, outgoing_id: int, *states: str, seconds: float = 100) -> Standing:
        """Return the mail once it is in one of `states`."""
        until = time.monotonic() + seconds
        while (found := self.state(outgoing_id)).state not in states:
            assert time.monotonic() < until, f"{found}\n{self.log()}"
            time.sleep(0.1)
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker of the lanes send and scan with the scheduler inside, a process group."""
        with (self.directory / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "celery", "-A", "webmail.celery", "worker",
                    "-Q", "send,scan", "-P", "threads", "-c", "4", "--without-gossip",
                    "--without-mingle", "-l", "WARNING",
                ],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            finally:
                kill(process)

    def log(self) -> str:
        """The end of the workers' log."""
        path = self.directory / "worker.log"
        return path.read_text("utf-8", "replace")[-4000:] if path.exists() else ""


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of our own worker and its scheduler."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
