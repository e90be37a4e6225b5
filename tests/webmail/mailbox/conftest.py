"""Two people with mailboxes, made by the ORM."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import MailAccount, MailServer, User
from webmail.mailbox import conversations
from webmail.mailbox.models import Folder, Message, Placement, Thread

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with an account and the usual folders."""

    user: User
    account: MailAccount
    folders: dict[str, Folder]

    @property
    def inbox(self) -> Folder:
        return self.folders["inbox"]

    def place(self, *, folder="inbox", uid=None, minutes=0, flags=0, thread=None, **fields):
        """A message in a folder, its conversation not yet refreshed."""
        at = START + timedelta(minutes=minutes)
        thread = thread or Thread.objects.create(account=self.account, last_date=at)
        message = Message.objects.create(
            account=self.account, thread=thread, internal_date=at, date=at, **({
                "content_key": f"{uid}-{minutes}", "subject": f"Letter {minutes}",
                "from_name": "Ada Lovelace", "from_address": "ada@example.org",
            } | fields),
        )  # fmt: skip
        target = self.folders[folder]
        return Placement.objects.create(
            folder=target, message=message, uid=uid, internal_date=at, flags=flags,
            generation=target.generation,
        )  # fmt: skip

    def refresh(self, *placements) -> None:
        """Rebuild the rows of these placements' conversations."""
        conversations.refresh({p.message.thread_id for p in placements})
        for folder in self.folders.values():
            folder.refresh_from_db()


def make_owner(address: str) -> Owner:
    """A person with an account at a server nobody dials."""
    user = User.objects.create(address=address)
    server, _ = MailServer.objects.get_or_create(
        domain=address.rpartition("@")[2],
        defaults={"imap_host": "localhost", "submission_host": "localhost"},
    )
    account = MailAccount.objects.create(
        user=user, server=server, address=address, login_name=address, sealed_password=b"-"
    )
    made = {
        role: Folder.objects.create(
            account=account, path=path, delimiter="/", role=role, uidvalidity=1, is_backfilled=True
        )
        for role, path in (
            ("inbox", "INBOX"), ("archive", "Archive"), ("trash", "Trash"), ("junk", "Junk"),
            ("sent", "Sent"), ("drafts", "Drafts"),
        )
    }  # fmt: skip
    return Owner(user, account, made)


@pytest.fixture
def alice(db) -> Owner:
    return make_owner("alice@example.test")


@pytest.fixture
def mallory(db) -> Owner:
    return make_owner("mallory@example.test")
