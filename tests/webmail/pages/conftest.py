"""A person with a mailbox in the mirror, and pages of their own."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts.models import Identity, MailAccount, MailServer, User
from webmail.mailbox import conversations, search_index
from webmail.mailbox.models import Folder, Message, Placement, Thread

ARRIVED = datetime(2026, 11, 23, 9, 38, tzinfo=UTC)


class Mailbox:
    """Folders and messages as a sync would have left them."""

    def __init__(self, user):
        server, _ = MailServer.objects.get_or_create(
            domain="nordlys.example",
            defaults={
                "imap_host": "imap.nordlys.example",
                "submission_host": "smtp.nordlys.example",
            },
        )
        self.user = user
        self.account = MailAccount.objects.create(
            user=user,
            server=server,
            address=user.address,
            login_name=user.address,
            sealed_password=b"x",
            state=MailAccount.State.ACTIVE,
            last_sync_at=datetime.now(UTC),
        )
        self.identity = Identity.objects.create(
            user=user, account=self.account, name=user.display_name, address=user.address,
            is_default=True,
        )  # fmt: skip
        self.folders = {
            role: Folder.objects.create(
                account=self.account,
                path=role.title(),
                delimiter="/",
                role=role,
                is_backfilled=True,
            )
            for role in ("inbox", "drafts", "sent", "archive", "junk", "trash")
        }
        self.uid = 0

    def receive(self, subject, *, folder="inbox", thread=None, flags=0, age=0, **values):
        """Put a message into a folder and bring its row up to date."""
        self.uid += 1
        at = ARRIVED - timedelta(hours=age)
        thread = thread or Thread.objects.create(account=self.account, last_date=at)
        standing = {
            "from_name": "Anna Lindqvist",
            "from_address": "anna@nordlys.example",
            "recipients": {"to": [["Mira", self.user.address]]},
            "preview": f"About {subject}",
            "date": at,
        }
        message = Message.objects.create(
            account=self.account,
            thread=thread,
            subject=subject,
            message_id=f"{self.uid}@nordlys.example",
            content_key=f"{self.uid:064d}",
            internal_date=at,
            **{**standing, **values},
        )
        place = self.folders[folder]
        Placement.objects.create(
            folder=place, message=message, uid=self.uid, internal_date=at, flags=flags
        )
        conversations.refresh({thread.pk})
        search_index.add([message])
        return message


@pytest.fixture
def mira(db):
    return User.objects.create_user(
        "mira@nordlys.example", "a long passphrase", display_name="Mira Halvorsen"
    )


@pytest.fixture
def mailbox(mira):
    return Mailbox(mira)


@pytest.fixture
def stranger(db):
    return Mailbox(User.objects.create_user("eve@nordlys.example", "a long passphrase"))


@pytest.fixture
def browser(mira):
    client = Client()
    client.force_login(mira)
    return client


@pytest.fixture
def pane():
    """Headers with which script asks for one pane."""

    def headers(target):
        return {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target}

    return headers
