"""No page of the admin panel shows a password, a private key or mail text.

Secrets are put into every kind of row that holds some, under words that nothing else contains; then
every page that can be reached from the overview is fetched and searched, as text, hex and base64.
"""

import base64
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import Identity, MailAccount, MailServer, User
from smime import trust, vault
from smime.models import Intermediate, OwnKey, PersonCertificate, Vault
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.revocation_models import KeptAnswer, RevocationSource, WatchedCertificate
from tests.accounts.admin_clients import client_of
from webmail.composer.models import Draft
from webmail.mailbox.models import Conversation, Folder, Message, Placement, Thread
from webmail.reader.models import Rendition

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LINK = re.compile(r"""\b(?:href|action)="(/admin/[^"#]*)""")
MOST_PAGES = 400


class Secrets:
    """Words that must not be seen, each by what it stands for."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        self.words[what] = f"zq{len(self.words)}secret{what.replace(' ', '')}"
        return self.words[what]

    def found_in(self, page: bytes) -> list[str]:
        """Name the secrets that a page holds, in whatever spelling."""
        return [
            what
            for what, word in self.words.items()
            if any(
                spelling in page
                for spelling in (
                    word.encode(),
                    word.encode().hex().encode(),
                    # The middle of a base64 text, whatever stands before it.
                    *(base64.b64encode(word[skip:].encode())[4:16] for skip in range(3)),
                )
            )
        ]


@pytest.fixture
def secrets(valkey: str) -> Secrets:
    from cryptography.hazmat.primitives.serialization import Encoding

    secret = Secrets()
    root = new_root("Crawl test CA", NOW - timedelta(days=9))
    (anchor,) = trust.add_anchor(
        root.certificate.public_bytes(Encoding.PEM), actor=None, reason="for the test"
    )
    person = User.objects.create_user("vera@example.test", display_name="<b>Vera</b> & Co")
    User.objects.filter(pk=person.pk).update(password=secret("password hash"))
    pair = issue(
        root,
        person.address,
        "Vera",
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=40),
        key="p256",
    )
    (key,) = vault.import_keys(person, to_pkcs12(pair, "x"), "x", sealing=OwnKey.Sealing.MANAGED)
    OwnKey.objects.filter(pk=key.pk).update(sealed_key=secret("private key").encode())
    Vault.objects.create(
        user=person,
        salt=secret("vault salt").encode(),
        verifier=secret("vault verifier").encode(),
        parameters={"t": 3},
    )
    columns = {
        name: getattr(key, name)
        for name in ("fingerprint", "der", "subject", "name", "issuer", "serial", "addresses",
                     "not_before", "not_after", "algorithm")
    }  # fmt: skip
    PersonCertificate.objects.create(
        user=person, address="v@example.test", source="mail", **columns
    )
    Intermediate.objects.create(**columns)
    source = RevocationSource.objects.create(
        key=secret("source key")[:64], kind="list", url="http://pki.example.test/ca.crl",
        content=secret("list content").encode(), problem="not a revocation list", failures=2,
    )  # fmt: skip
    watched = WatchedCertificate.objects.create(
        fingerprint="f" * 64, name=secret("watched person"), der=secret("watched der").encode(),
        issuer_der=b"", root_fingerprint=anchor.fingerprint, not_after=NOW,
    )  # fmt: skip
    KeptAnswer.objects.create(certificate=watched, source=source)
    server = MailServer.objects.create(domain="example.test", imap_host="i", submission_host="s")
    account = MailAccount.objects.create(
        user=person,
        server=server,
        address=person.address,
        login_name="vera",
        sealed_password=secret("mail password").encode(),
        state=MailAccount.State.AUTH_FAILED,
        last_error="The server refused the password.",
    )
    identity = Identity.objects.create(
        user=person, account=account, address=person.address, signature=secret("signature text")
    )
    Draft.objects.create(
        user=person,
        account=account,
        identity=identity,
        sealed_content=secret("draft text").encode(),
    )
    thread = Thread.objects.create(
        account=account, last_date=NOW, subject_base=secret("base subject")
    )
    message = Message.objects.create(
        account=account,
        thread=thread,
        subject=secret("subject"),
        preview=secret("preview"),
        from_name=secret("sender"),
        message_id=secret("message id"),
        content_key="1" * 64,
        internal_date=NOW,
        date=NOW,
    )
    folder = Folder.objects.create(account=account, path=secret("folder"), delimiter="/")
    Placement.objects.create(folder=folder, message=message, uid=1, internal_date=NOW)
    Conversation.objects.create(
        folder=folder, thread=thread, newest=message, latest_at=NOW, subject=secret("row")
    )
    Rendition.objects.create(
        message=message, pipeline=1, variant="plain", sealed_document=secret("rendition").encode()
    )
    Session.objects.create(
        session_key=secret("session id")[:40],
        session_data=secret("session content"),
        expire_date=NOW + timedelta(days=1),
    )
    audit.record("signed-in", actor=person)
    audit.record("something-new", actor=None, target="<i>x</i>")
    assert anchor.pk
    return secret


def _addresses() -> set[str]:
    """Pages that no link may lead to, beside those that are linked."""
    kinds = ("accounts_user", "accounts_mailserver", "accounts_mailaccount", "accounts_auditevent",
             "smime_ownkey", "smime_personcertificate", "smime_intermediate", "smime_trustanchor",
             "smime_personanchor", "smime_revocationsource")  # fmt: skip
    paths = {"/admin/", "/admin/search/?q=vera", "/admin/search/?q=secret", "/admin/jsi18n/"}
    for kind in kinds:
        paths.add(reverse(f"admin:{kind}_changelist"))
        paths.add(reverse(f"admin:{kind}_changelist") + "?q=secret")
        paths.add(reverse(f"admin:{kind}_history", args=[1]))
        paths.add(reverse(f"admin:{kind}_delete", args=[1]))
    return paths


def _is_new_kind(link: str) -> bool:
    """Leave out other orders of the same rows, and filters upon filters."""
    is_chart = "not_after__gte" in link and link.count("&") == 2
    return "?o=" not in link and "&o=" not in link and (link.count("&") < 1 or is_chart)


def test_no_page_shows_a_secret(secrets: Secrets) -> None:
    boss = client_of(User.objects.create_superuser("root@example.test", "a very long password"))
    waiting, seen, opened = _addresses(), set(), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = boss.get(path, follow=True)
        assert answer.status_code in {200, 403, 404}, path
        page = b"".join(answer) if answer.streaming else answer.content
        assert secrets.found_in(page) == [], path
        assert b"PRIVATE KEY" not in page, path
        assert b"sealed_" not in page, path
        if answer["Content-Type"].startswith("text/html"):
            assert b"<b>Vera</b>" not in page, path
            assert b"<i>x</i>" not in page, path
        if answer.status_code == 200:
            opened.add(path)
            found = {unescape(link) for link in LINK.findall(page.decode())}
            waiting |= {link for link in found if _is_new_kind(link)} - seen
        assert len(seen) < MOST_PAGES, "the panel's pages do not end"
    for needed in (r"ownkey/\d+/change", r"mailaccount/\d+/change", r"user/\d+/change", "export",
                   "history", "user/add", r"trustanchor/\d+/change", r"revocationsource/\d+/change", "not_after__gte",
                   "password_change"):  # fmt: skip
        assert any(re.search(needed, path) for path in opened), needed


def test_the_search_for_secrets_finds_one_that_is_shown(secrets: Secrets) -> None:
    User.objects.filter(address="vera@example.test").update(display_name=secrets.words["subject"])
    boss = client_of(User.objects.create_superuser("root@example.test", "a very long password"))
    assert secrets.found_in(boss.get("/admin/").content) == ["subject"]
    sealed = base64.b64encode(b"00" + secrets.words["private key"].encode() + b"00")
    assert secrets.found_in(b"<td>" + sealed + b"</td>") == ["private key"]
