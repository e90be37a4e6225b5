"""What administrators do to mail accounts, their own password, and the audit log's export."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from accounts import audit, lanes
from accounts.models import AuditEvent, MailAccount, MailServer, User
from tests.accounts.admin_clients import client_of, staff_with

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/mailaccount/"


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(lanes, "post", lambda name, *args, lane: sent.append((name, *args, lane)))
    return sent


@pytest.fixture
def boss(valkey: str) -> Client:
    return client_of(User.objects.create_superuser("root@example.test", "a very long password"))


@pytest.fixture
def account(db: None) -> MailAccount:
    server = MailServer.objects.create(domain="example.test", imap_host="i", submission_host="s")
    return MailAccount.objects.create(
        user=User.objects.create_user("anna@example.test"),
        server=server,
        address="anna@example.test",
        login_name="anna",
        sealed_password=b"x",
        state=MailAccount.State.ACTIVE,
    )


def _act(client: Client, account: MailAccount, action: str, reason: str = "") -> str:
    fields = {"action": action, "_selected_action": account.pk, "reason": reason, "index": 0}
    answer = client.post(LIST, fields, follow=True)
    assert answer.status_code == 200
    account.refresh_from_db()
    return answer.content.decode()


def test_a_mail_account_is_synchronised_now(boss: Client, account, posted) -> None:
    assert "1 mail account is being synchronised" in _act(boss, account, "sync_now")
    assert posted == [("mailbox.sync_account", account.pk, "sync")]
    assert AuditEvent.objects.filter(action="mail-account-sync-asked").count() == 1


def test_a_mail_account_is_paused_and_resumed_with_a_reason(boss: Client, account, posted) -> None:
    page = _act(boss, account, "pause")
    assert "Give a reason" in page
    assert account.state == MailAccount.State.ACTIVE
    _act(boss, account, "pause", "she moved")
    assert account.state == MailAccount.State.PAUSED
    assert "not synchronised" in _act(boss, account, "sync_now")
    assert posted == []
    assert "paused already" in _act(boss, account, "pause", "again")
    _act(boss, account, "resume", "she is back")
    assert account.state == MailAccount.State.NEW  # it was never synchronised
    assert posted == [("mailbox.sync_account", account.pk, "sync")]
    reasons = AuditEvent.objects.filter(target=account.address).values_list("action", "reason")
    assert set(reasons) == {
        ("mail-account-paused", "she moved"),
        ("mail-account-resumed", "she is back"),
    }


def test_who_may_only_look_is_offered_no_act(boss: Client, account, posted) -> None:
    looker = client_of(staff_with("accounts.view_mailaccount"))
    own_page = reverse("admin:accounts_mailaccount_change", args=[account.pk])
    for path in (LIST, own_page):
        assert "Pause" in boss.get(path).content.decode().replace("Paused", "")
        assert "Pause" not in looker.get(path).content.decode().replace("Paused", "")
    _act(looker, account, "pause", "curious")
    _act(looker, account, "sync_now")
    assert account.state == MailAccount.State.ACTIVE
    assert posted == []


def test_the_audit_log_is_exported_as_it_is_filtered(boss: Client) -> None:
    person = User.objects.create_user("eve@example.test")
    audit.record("signed-in", actor=person, target="=HYPERLINK(1)")
    audit.record("signed-out", actor=person)
    answer = boss.get(reverse("admin:accounts_auditevent_export"), {"action__exact": "signed-in"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["signed-in"]
    assert rows[0]["target"] == "'=HYPERLINK(1)"  # no formula in a spreadsheet
    assert AuditEvent.objects.filter(action="audit-exported").count() == 1


def test_the_own_password_is_changed_and_other_sessions_end(boss: Client) -> None:
    user = User.objects.get(address="root@example.test")
    other = client_of(user)
    wrong = {"old_password": "no", "new_password1": "x" * 13, "new_password2": "x" * 13}
    assert boss.post("/admin/password_change/", wrong).status_code == 200
    new = "correct horse battery"
    fields = {"old_password": "a very long password", "new_password1": new, "new_password2": new}
    assert boss.post("/admin/password_change/", fields, follow=True).status_code == 200
    user.refresh_from_db()
    assert user.check_password(new)
    assert boss.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302
    assert AuditEvent.objects.filter(action="password-changed", actor=user).count() == 1


def test_a_ca_file_that_holds_no_certificate_is_told_beside_its_field(boss: Client) -> None:
    fields = {
        "domain": "x.test", "imap_host": "i", "imap_port": 993, "imap_security": "tls",
        "submission_host": "s", "submission_port": 70000, "submission_security": "starttls",
        "is_enabled": "on", "reason": "try",
    }  # fmt: skip
    add = reverse("admin:accounts_mailserver_add")
    for pem, words in (
        ("no certificate", "no certificate in PEM"),
        ("-----BEGIN PRIVATE KEY-----", "private key"),
    ):
        page = boss.post(add, {**fields, "ca_pem": pem})
        assert page.status_code == 200
        assert words in page.content.decode()
        assert "65535" in page.content.decode()
    assert not MailServer.objects.exists()
