"""People who write: Alice with an account, an identity and a mail server."""

from dataclasses import dataclass

import pytest

from accounts.models import Identity, MailAccount, MailServer, User
from webmail.composer import drafts
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft
from webmail.composer.recipients import parse


@dataclass(frozen=True, slots=True)
class Writer:
    """Someone with everything that writing needs."""

    user: User
    account: MailAccount
    identity: Identity

    def draft(
        self, *, to="bob@example.org", cc="", bcc="", sign=False, encrypt=False, **fields
    ) -> Draft:
        """A saved draft; keyword arguments as in DraftContent."""
        values = {"subject": "Offer", "text": "We go up to 40.\n"} | fields
        content = DraftContent(to=parse(to), cc=parse(cc), bcc=parse(bcc), **values)
        draft = drafts.new(
            self.user, content=content, identity=self.identity, sign=sign, encrypt=encrypt
        )
        Draft.objects.filter(pk=draft.pk).update(revision=1)
        return drafts.draft_for(self.user, draft.pk)


def make_writer(address: str, *, name: str = "") -> Writer:
    """Make a person with one account at their domain's server."""
    domain = address.rpartition("@")[2]
    server, _ = MailServer.objects.get_or_create(
        domain=domain, defaults={"imap_host": "localhost", "submission_host": "localhost"}
    )
    user = User.objects.create_user(address)
    account = MailAccount.objects.create(
        user=user, server=server, address=address, login_name=address, sealed_password=b""
    )
    identity = Identity.objects.create(
        user=user, account=account, address=address, name=name, is_default=True
    )
    return Writer(user, account, identity)


@pytest.fixture
def alice(db) -> Writer:
    """Alice, who writes."""
    return make_writer("alice@example.org", name="Alice Adler")


@pytest.fixture
def mallory(db) -> Writer:
    """Somebody else, with a draft of their own."""
    return make_writer("mallory@example.org")


@pytest.fixture
def posted(monkeypatch) -> list[tuple]:
    """The tasks that were posted: (name, *arguments, lane)."""
    sent: list[tuple] = []

    def record(name, args, lane, **_more):
        sent.append((name, *args, lane))

    monkeypatch.setattr("accounts.lanes._send", record)
    return sent


@pytest.fixture
def site(client, alice):
    """A browser in which Alice is signed in."""
    client.force_login(alice.user)
    return client
