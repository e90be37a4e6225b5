"""The admin panel: who enters, what is shown, what is never shown, what is written down."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, MailAccount, MailServer, User
from smime import vault
from smime.models import TrustAnchor
from smime.pki.authority import Authority, issue, new_root, to_pkcs12

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    session = client.session
    now = int(datetime.now(tz=UTC).timestamp())
    session.update({"started-at": now, "seen-at": now, "epoch": 0})
    session.save()
    return client


@pytest.fixture
def admin(valkey: str) -> Client:
    return _client(User.objects.create_superuser("root@example.test", "a very long password"))


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Admin test CA", NOW - timedelta(days=9))


def _server() -> dict[str, object]:
    return {
        "domain": "Example.test", "imap_host": "imap.example.test", "imap_port": 993, "imap_security": "tls",
        "submission_host": "smtp.example.test", "submission_port": 587, "submission_security": "starttls",
        "ca_pem": "", "sieve": "", "pop": "", "is_enabled": "on", "reason": "first server",
    }  # fmt: skip


def test_strangers_are_sent_to_the_one_sign_in_and_others_refused(valkey: str) -> None:
    answer = Client().get("/admin/", follow=False)
    assert answer.status_code == 302
    login = Client().get(answer["Location"])
    assert login["Location"].startswith("/sign-in?next=")
    plain = _client(User.objects.create_user("plain@example.test"))
    assert plain.get("/admin/", follow=True).status_code == 403


def test_a_mail_server_is_added_with_a_reason_and_audited(admin: Client) -> None:
    add = reverse("admin:accounts_mailserver_add")
    without = admin.post(add, {**_server(), "reason": ""})
    assert without.status_code == 200
    assert not MailServer.objects.exists()
    assert admin.post(add, _server()).status_code == 302
    server = MailServer.objects.get()
    assert server.domain == "example.test"
    event = AuditEvent.objects.filter(action="mail-server-added").get()
    assert (event.reason, event.actor_address) == ("first server", "root@example.test")
    change = reverse("admin:accounts_mailserver_change", args=[server.pk])
    changed = {**_server(), "imap_port": 143, "imap_security": "starttls", "reason": "moved"}
    changed.pop("domain")
    assert admin.post(change, changed).status_code == 302
    server.refresh_from_db()
    assert server.imap_port == 143


def test_names_in_authentication_results_are_offered_and_checked(admin: Client) -> None:
    admin.post(reverse("admin:accounts_mailserver_add"), _server())
    server = MailServer.objects.get()
    assert server.authserv_ids == ""
    change = reverse("admin:accounts_mailserver_change", args=[server.pk])
    assert "perhaps imap.example.test" in admin.get(change).content.decode()
    fields = {key: value for key, value in _server().items() if key != "domain"}
    refused = admin.post(change, {**fields, "authserv_ids": "mx;a"})
    assert "cannot stand at the beginning" in refused.content.decode()
    assert admin.post(change, {**fields, "authserv_ids": "MX.a.test, mx.b.test"}).status_code == 302
    server.refresh_from_db()
    assert server.authserv_ids == "mx.a.test mx.b.test"


def test_closing_a_person_ends_their_sessions(admin: Client) -> None:
    person = User.objects.create_user("anna@example.test")
    open_session = _client(person)
    assert open_session.get(reverse("smime:keys")).status_code == 200
    fields = {
        "address": person.address,
        "display_name": "Anna",
        "language": "",
        "password": "",
        "reason": "left us",
    }
    assert (
        admin.post(reverse("admin:accounts_user_change", args=[person.pk]), fields).status_code
        == 302
    )
    assert open_session.get(reverse("smime:keys")).status_code == 302
    assert AuditEvent.objects.filter(action="user-changed", reason="left us").exists()


def test_trust_is_added_limited_and_removed(admin: Client, root: Authority) -> None:
    pem = root.certificate.public_bytes(Encoding.PEM)
    add = reverse("admin:smime_trustanchor_add")
    fields = {"decision": "trusted", "limits": "", "reason": "our partner"}
    assert admin.post(add, {**fields, "file": SimpleUploadedFile("ca.pem", pem)}).status_code == 302
    anchor = TrustAnchor.objects.get()
    change = reverse("admin:smime_trustanchor_change", args=[anchor.pk])
    limited = {"decision": "limited", "limits": "werkstrom.example", "reason": "only them"}
    assert admin.post(change, limited).status_code == 302
    anchor.refresh_from_db()
    assert (anchor.state, anchor.domains) == ("limited", ["werkstrom.example"])
    gone = {"decision": "remove", "limits": "", "reason": "contract ended"}
    answer = admin.post(change, gone)
    assert answer.status_code == 302, answer.context["errors"]
    assert not TrustAnchor.objects.exists()
    assert {"our partner", "only them", "contract ended"} <= set(
        AuditEvent.objects.values_list("reason", flat=True)
    )


def test_a_file_that_is_no_authority_is_told(admin: Client, root: Authority) -> None:
    person = issue(
        root, "a@example.test", "A", not_before=NOW, not_after=NOW + timedelta(days=2), key="p256"
    )
    file = SimpleUploadedFile("a.pem", person.certificate.public_bytes(Encoding.PEM))
    fields = {"decision": "trusted", "limits": "", "reason": "by mistake", "file": file}
    page = admin.post(reverse("admin:smime_trustanchor_add"), fields, follow=True)
    assert page.status_code == 200
    assert "authority" in page.content.decode()
    assert not TrustAnchor.objects.exists()


def test_every_page_opens_and_none_shows_a_secret(admin: Client, root: Authority) -> None:
    person = User.objects.create_user("anna@example.test")
    pair = issue(
        root, person.address, "Anna", not_before=NOW, not_after=NOW + timedelta(days=2), key="p256"
    )
    (key,) = vault.import_keys(person, to_pkcs12(pair, "x"), "x", sealing="managed")
    server = MailServer.objects.create(domain="example.test", imap_host="i", submission_host="s")
    account = MailAccount.objects.create(
        user=person,
        server=server,
        address=person.address,
        login_name="anna",
        sealed_password=b"SEALED-CANARY",
    )
    paths = [
        "/admin/",
        *(reverse(f"admin:{name}_changelist") for name in (
            "accounts_user", "accounts_mailserver", "accounts_mailaccount", "accounts_auditevent",
            "smime_ownkey", "smime_personcertificate", "smime_intermediate", "smime_trustanchor",
            "smime_personanchor",
        )),
        reverse("admin:accounts_mailaccount_change", args=[account.pk]),
        reverse("admin:smime_ownkey_change", args=[key.pk]),
    ]  # fmt: skip
    for path in paths:
        answer = admin.get(path)
        assert answer.status_code == 200, path
        page = answer.content
        assert b"SEALED-CANARY" not in page
        assert b"PRIVATE KEY" not in page
        assert b"sealed_key" not in page
        assert "script-src 'self'" in answer["Content-Security-Policy"]
    for name, pk in (("accounts_mailaccount", account.pk), ("smime_ownkey", key.pk)):
        assert admin.post(reverse(f"admin:{name}_change", args=[pk]), {}).status_code == 403
        assert (
            admin.post(reverse(f"admin:{name}_delete", args=[pk]), {"post": "yes"}).status_code
            == 403
        )
