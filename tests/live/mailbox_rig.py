"""A mail account of a private server, a second client beside it, and the check that both agree."""

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts import credentials
from accounts.models import MailAccount, MailServer, User
from webmail.imap import Credentials, Endpoint, Session
from webmail.imap.errors import ConnectionLost
from webmail.mailbox import applying, sessions, sync
from webmail.mailbox.flags import bits_of
from webmail.mailbox.models import Folder, PendingChange, Placement

_numbers = itertools.count(1)
# What a server has not, by profile.
PROFILES = {
    "full": set(),
    "no-move": {"MOVE"},
    "no-uidplus": {"MOVE", "UIDPLUS"},
    "poor": {"QRESYNC", "CONDSTORE", "ESEARCH", "LIST-STATUS", "MOVE", "UIDPLUS"},
}


def letter(subject: str, *, message_id: str = "", body: str = "Hello there.", **fields) -> bytes:
    """A small mail; keyword arguments are header fields (in_reply_to=…)."""
    names = {"From": "Ada Lovelace <ada@example.org>", "To": "Alice <alice@example.test>"}
    names |= {name.replace("_", "-").title(): value for name, value in fields.items()}
    names |= {
        "Subject": subject,
        "Message-ID": f"<{message_id or f'{next(_numbers)}@example.org'}>",
    }
    names |= {
        "Date": "Fri, 02 Jan 2026 10:00:00 +0000",
        "Content-Type": "text/plain; charset=utf-8",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in names.items())
    return (head + "\r\n" + body + "\r\n").encode()


@dataclass(slots=True)
class Box:
    """Alice's account in the database and her mailbox on the server."""

    account: MailAccount
    endpoint: Endpoint
    secret: Credentials

    def sync(self) -> None:
        """What a worker does with mailbox.sync_account."""
        sync.sync_account(self.account.pk)
        self.account.refresh_from_db()
        assert self.account.last_error == ""

    def folder(self, role: str) -> Folder:
        return Folder.objects.select_related("account").get(account=self.account, role=role)

    def placements(self, role: str):
        return Placement.objects.filter(
            folder__account=self.account, folder__role=role, gone_at=None, is_leaving=False
        ).select_related("message")

    @contextmanager
    def client(self):
        """A second mail program."""
        with Session.open(self.endpoint, self.secret) as session:
            yield session

    def append(self, *mails: bytes, path="INBOX", flags=(), hours=0) -> list[int]:
        at = datetime(2026, 1, 2, 10, tzinfo=UTC) + timedelta(hours=hours)
        with self.client() as client:
            return [
                client.append(path, mail, flags=flags, internal_date=at + timedelta(minutes=n))
                for n, mail in enumerate(mails)
            ]

    def subjects(self, role: str) -> list[str]:
        rows = self.placements(role).order_by("internal_date", "uid")
        return list(rows.values_list("message__subject", flat=True))

    def sweep(self) -> None:
        """Every folder's UIDs and flags are the server's, and the counters are right."""
        with self.client() as client:
            for folder in Folder.objects.filter(account=self.account, is_selectable=True):
                client.select(bytes(folder.raw_path) or folder.path)
                server = {row.uid: bits_of(row.flags)[0] for row in client.flags((1, None))}
                live = Placement.objects.filter(folder=folder, gone_at=None, uid__isnull=False)
                mirror = dict(live.values_list("uid", "flags"))
                assert mirror == server, folder.path
                shown = [p.shown_flags for p in live if not p.is_leaving]
                assert folder.total_count == len(shown), folder.path
                assert folder.unseen_count == sum(not flags & 1 for flags in shown), folder.path


def make_box(endpoint: Endpoint, secret: Credentials, *, without: set[str] = frozenset()) -> Box:
    """An account for a mailbox that exists; `without`: features Signet must do without."""
    sessions.close_kept()
    sessions._refused.clear()
    user = User.objects.create(address=secret.username)
    server = MailServer.objects.create(
        domain="example.test", imap_host=endpoint.host, imap_port=endpoint.port,
        imap_security=endpoint.security, ca_pem=endpoint.ca_pem, submission_host=endpoint.host,
    )  # fmt: skip
    account = MailAccount.objects.create(
        user=user, server=server, address=secret.username, login_name=secret.username,
        sealed_password=b"",
    )  # fmt: skip
    account.sealed_password = credentials.sealed_password_for(account, secret.password)
    account.save()
    sessions.avoid(server.pk, set(without))
    return Box(account, endpoint, secret)


def ids(box: Box, role: str = "inbox", *subjects: str) -> list[int]:
    """Placements in a folder, oldest first."""
    rows = box.placements(role)
    if subjects:
        rows = rows.filter(message__subject__in=subjects)
    return list(rows.order_by("internal_date").values_list("id", flat=True))


def apply(box: Box) -> None:
    """Carry out what is wished, as the lane does."""
    applying.apply_changes(box.account.pk)


def states() -> set[str]:
    """What became of the wishes."""
    return set(PendingChange.objects.values_list("state", flat=True))


def lose_first_move(monkeypatch, *, when: str) -> None:
    """Cut the connection "before" or "after" the server carries out the first move."""
    move = Session.move
    lost = []

    def lose(session, uids, target):
        if lost:
            return move(session, uids, target)
        lost.append(True)
        if when == "after":
            move(session, uids, target)
        session.abandon()
        raise ConnectionLost("The connection was cut.")

    monkeypatch.setattr(Session, "move", lose)
