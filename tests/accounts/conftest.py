"""People, a mail server that answers from a table, and a worker in the same process."""

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts import lanes, mail_check
from accounts.models import MailServer, Security, User
from webmail.sasl import Credentials


class AnsweringServer:
    """What the mail server says to each (login, password); everything else is wrong."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.down: mail_check.CheckCode | None = None
        self.asked: list[str] = []

    def check(self, server: MailServer, credentials: Credentials) -> mail_check.Check:
        self.asked.append(credentials.username)
        if self.down:
            return mail_check.Check(self.down, "It is down.")
        if self.passwords.get(credentials.username) == credentials.password:
            return mail_check.Check("ok")
        return mail_check.Check("wrong-credentials", "No.")


@pytest.fixture
def server(db: None) -> MailServer:
    return MailServer.objects.create(
        domain="example.test",
        imap_host="imap.example.test",
        imap_port=143,
        imap_security=Security.STARTTLS,
        submission_host="smtp.example.test",
        login_is_local_part=True,
    )


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, server: MailServer, valkey: str) -> AnsweringServer:
    """A worker that runs sign-in checks at once, against the table."""
    table = AnsweringServer()
    table.passwords["anna"] = "correct horse"
    monkeypatch.setattr(mail_check, "check_imap", table.check)

    def run(name: str, *args: int | str, lane: str) -> None:
        if name == "accounts.check_credentials":
            assert lane == "interactive"
            mail_check.answer_ticket(str(args[0]), str(args[1]))

    # Tests run inside a transaction, which never commits: test_lanes.py has the real thing.
    monkeypatch.setattr(lanes, "post", run)
    return table


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("root@localhost", "a long local password")


@pytest.fixture
def browser() -> Iterator[Client]:
    yield Client(enforce_csrf_checks=False)
