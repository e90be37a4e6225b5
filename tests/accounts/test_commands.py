"""`mailserver`, `account`, `rotate_keys`: answers, exit codes, no second path, no secrets."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import lanes, mail_check, sealing
from accounts.credentials import for_account
from accounts.models import AuditEvent, MailAccount, MailServer, User

pytestmark = pytest.mark.django_db
SERVERS = ("--imap", "imap.example.test:143", "--imap-security", "starttls", "--submission", "smtp.example.test:587")  # fmt: skip


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, stdout=StringIO())
    return caught.value


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text("correct horse\nnot this\n")
    return str(path)


@pytest.fixture
def domain() -> MailServer:
    run("mailserver", "add", "example.test", *SERVERS)
    return MailServer.objects.get()


class TestMailServer:
    def test_add_change_list(self, domain: MailServer) -> None:
        assert (domain.imap_host, domain.imap_port) == ("imap.example.test", 143)
        again = run("mailserver", "add", "EXAMPLE.test.", *SERVERS, "--login", "local-part")
        assert (again["status"], again["login"]) == ("changed", "local-part")
        (listed,) = run("mailserver", "list")["servers"]
        assert listed["submission"] == "smtp.example.test:587"
        actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["mail-server-added", "mail-server-changed"]

    @pytest.mark.parametrize(
        ("domain", "imap"),
        [
            ("not a domain", "h:143"),
            ("", "h:143"),
            ("a.test", "h:0"),
            ("a.test", "h:70000"),
            ("a.test", "h:x"),
            ("a.test", ":143"),
            ("a.test", "user@h:143"),
        ],
    )
    def test_wrong_usage(self, domain: str, imap: str) -> None:
        error = refused("mailserver", "add", domain, "--imap", imap, "--submission", "h:587")
        assert error.returncode == 2
        assert not MailServer.objects.exists()

    def test_names_of_authentication_results(self, domain: MailServer) -> None:
        assert domain.authserv_ids == ""  # nobody is trusted by itself
        names = ("--authserv-id", "MX.example.test", "--authserv-id", "mx2.example.test.")
        made = run("mailserver", "add", "example.test", *SERVERS, *names)
        assert made["authserv_ids"] == ["mx.example.test", "mx2.example.test"]
        for wrong in ("a;b", "(a)", "x" * 256):
            error = refused("mailserver", "add", "a.test", *SERVERS, "--authserv-id", wrong)
            assert error.returncode == 2
            assert "Authentication-Results" in str(error)
        many = [word for n in range(21) for word in ("--authserv-id", f"mx{n}.test")]
        assert "At most 20" in str(refused("mailserver", "add", "a.test", *SERVERS, *many))
        assert MailServer.objects.count() == 1

    def test_a_ca_file_must_hold_certificates(self, tmp_path: Path) -> None:
        path = tmp_path / "ca.pem"
        path.write_text("nothing")
        error = refused("mailserver", "add", "a.test", *SERVERS, "--ca-file", str(path))
        assert "CA file" in str(error)
        assert not MailServer.objects.exists()

    def test_ipv6_and_default_ports(self) -> None:
        made = run("mailserver", "add", "a.test", "--imap", "[::1]", "--submission", "[::1]:465")
        server = MailServer.objects.get()
        assert (server.imap_host, server.imap_port) == ("::1", 993)
        assert made["status"] == "added"

    @pytest.mark.parametrize(
        ("code", "with_user", "is_ok"),
        [
            ("wrong-credentials", False, True),
            ("wrong-credentials", True, False),
            ("server-unreachable", False, False),
            ("ok", True, True),
        ],
    )
    def test_test(
        self,
        domain: MailServer,
        secret: str,
        monkeypatch: pytest.MonkeyPatch,
        code: mail_check.CheckCode,
        with_user: bool,
        is_ok: bool,
    ) -> None:
        for name in ("check_imap", "check_submission"):
            monkeypatch.setattr(mail_check, name, lambda *_: mail_check.Check(code, "Because."))
        more = ("--user", "anna@example.test", "--password-file", secret) if with_user else ()
        if is_ok:
            assert all(
                each["ok"] for each in run("mailserver", "test", "example.test", *more)["findings"]
            )
        else:
            assert refused("mailserver", "test", "example.test", *more).returncode == 1


class TestAccount:
    def test_a_checked_account_is_added(
        self, domain: MailServer, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        monkeypatch.setattr(
            mail_check,
            "check_imap",
            lambda server, credentials: (
                asked.append(credentials.password) or mail_check.Check("ok")
            ),
        )
        made = run(
            "account", "add", "Anna@example.test", "--password-file", secret, "--name", "Anna"
        )
        assert made == {"status": "added", "address": "anna@example.test"}
        account = MailAccount.objects.get()
        assert for_account(account).password == "correct horse"
        assert asked == ["correct horse"]
        assert User.objects.get().display_name == "Anna"
        (listed,) = run("account", "list")["accounts"]
        assert listed["state"] == "new"
        assert "correct horse" not in json.dumps(listed)

    def test_a_refused_password_adds_nothing(
        self, domain: MailServer, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            mail_check, "check_imap", lambda *_: mail_check.Check("wrong-credentials", "No.")
        )
        assert str(refused("account", "add", "a@example.test", "--password-file", secret)) == "No."
        assert not User.objects.exists()

    def test_sync_posts_the_task(
        self, domain: MailServer, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("account", "add", "a@example.test", "--password-file", secret, "--no-check")
        posted: list[tuple[object, ...]] = []
        monkeypatch.setattr(
            lanes, "post", lambda name, *args, lane: posted.append((name, *args, lane))
        )
        run("account", "sync", "a@example.test")
        assert posted == [("mailbox.sync_account", MailAccount.objects.get().pk, "sync")]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("sync", "nobody@example.test"), 1),
            (("sync", "no address"), 2),
            (("add", "a@elsewhere.test", "--password-file", "{secret}"), 1),
            (("add", "a@example.test", "--password-file", "/nonexistent"), 1),
        ],
    )
    def test_refusals(
        self, domain: MailServer, secret: str, arguments: tuple[str, ...], code: int
    ) -> None:
        filled = [each.format(secret=secret) for each in arguments]
        assert refused("account", *filled).returncode == code


class TestRotation:
    def test_everything_ends_under_the_newest_key(self, domain: MailServer, secret: str) -> None:
        run("account", "add", "a@example.test", "--password-file", secret, "--no-check")
        before = bytes(MailAccount.objects.get().sealed_password)
        done = run("rotate_keys", "--new-key", "--drop-old")
        assert (done["renewed"], done["broken"], done["remaining"], done["dropped"]) == (1, 0, 0, 1)
        account = MailAccount.objects.get()
        assert for_account(account).password == "correct horse"
        assert bytes(account.sealed_password) != before
        assert run("rotate_keys")["renewed"] == 0

    def test_old_keys_stay_while_something_needs_them(
        self, domain: MailServer, secret: str, settings: Any, tmp_path: Path
    ) -> None:
        settings.BLOB_DIR = tmp_path
        (tmp_path / "blob").write_bytes(sealing.seal(b"text", purpose="blob", subject="blob"))
        error = refused("rotate_keys", "--new-key", "--drop-old")
        assert error.returncode == 1
        sealed = (tmp_path / "blob").read_bytes()
        assert sealing.open_sealed(sealed, purpose="blob", subject="blob") == b"text"

    def test_a_broken_value_is_counted_and_left(self, domain: MailServer, secret: str) -> None:
        run("account", "add", "a@example.test", "--password-file", secret, "--no-check")
        MailAccount.objects.update(sealed_password=b"\x01broken")
        assert run("rotate_keys")["broken"] == 1
        assert bytes(MailAccount.objects.get().sealed_password) == b"\x01broken"
