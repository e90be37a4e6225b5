"""The keys page over HTTP: import, unlock, use, delete; refusals say what to do."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import lanes
from accounts.models import AuditEvent, User
from accounts.redis import client as redis_client
from smime import key_files, people, vault
from smime.models import OwnKey, PersonCertificate
from smime.pki import load_pkcs12
from smime.pki.authority import Authority, issue, new_root, to_pkcs12

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)
LONG = "a long passphrase of mine"
_WORK = {
    "smime.preview_key_file": "preview",
    "smime.import_key_file": "import",
    "smime.export_key": "export",
}


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Keys page CA", NOW - timedelta(days=100))


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice@example.test", display_name="Alice")


@pytest.fixture
def crypto_lane(monkeypatch: pytest.MonkeyPatch, valkey: str) -> list[str]:
    """A crypto worker that works at once; gives the names of its tasks."""
    done: list[str] = []

    def run(name: str, *args: int | str, lane: str) -> None:
        if name in _WORK:
            assert lane == "crypto"
            done.append(name)
            key_files.work(_WORK[name], str(args[0]), str(args[1]))

    monkeypatch.setattr(lanes, "post", run)
    return done


@pytest.fixture
def client(alice: User, crypto_lane: list[str]) -> Client:
    made = Client()
    made.force_login(alice)
    session = made.session
    now = int(time.time())  # not NOW: a slow run must not make the sign-in an old one
    session.update({"started-at": now, "seen-at": now, "epoch": 0})
    session.save()
    return made


def p12(
    root: Authority, address: str = "alice@example.test", word: str = "file word"
) -> SimpleUploadedFile:
    pair = issue(
        root,
        address,
        "Alice",
        not_before=NOW - timedelta(days=5),
        not_after=NOW + timedelta(days=90),
        key="p256",
    )
    return SimpleUploadedFile("alice.p12", to_pkcs12(pair, word))


def post(client: Client, name: str, *arguments: int, **fields: object) -> str:
    answer = client.post(reverse(f"smime:{name}", args=arguments), fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def bring_in(client: Client, file: SimpleUploadedFile, **choice: str) -> str:
    """Upload a key file, agree to what is shown, and return the page that follows."""
    shown = client.post(reverse("smime:import"), {"file": file, "passphrase": "file word"})
    assert shown.status_code == 200
    token = shown.context["held"].token
    return post(client, "keep", token=token, **{"sealing": "managed", **choice})


def rewind_sign_in(client: Client) -> None:
    session = client.session
    session["started-at"] -= 3600
    session.save()


def test_nothing_is_kept_before_the_preview_is_agreed_to(
    client: Client, alice: User, root: Authority, crypto_lane: list[str]
) -> None:
    file = {"file": p12(root, "other@example.test"), "passphrase": "file word"}
    shown = client.post(reverse("smime:import"), file)
    page = shown.content.decode()
    assert "Keys page CA" in page
    assert "other@example.test" in page
    assert "not for one of your addresses" in page
    assert not OwnKey.objects.exists()
    assert crypto_lane == ["smime.preview_key_file"]


def test_an_upload_belongs_to_its_session(client: Client, root: Authority) -> None:
    file = {"file": p12(root), "passphrase": "file word"}
    token = client.post(reverse("smime:import"), file).context["held"].token
    bob = Client()
    bob.force_login(User.objects.create_user("bob@example.test"))
    assert "no longer here" in post(bob, "keep", token=token, sealing="managed")
    assert not OwnKey.objects.exists()


def test_uploads_lie_sealed_in_redis(client: Client, root: Authority) -> None:
    file = p12(root)
    content = file.read()
    file.seek(0)
    client.post(reverse("smime:import"), {"file": file, "passphrase": "file word"})
    kept = [redis_client().get(key) or b"" for key in redis_client().scan_iter("sealed:*")]
    assert kept
    assert not any(content[:200] in value or b"file word" in value for value in kept)


def test_a_managed_key_is_imported_and_shown(client: Client, alice: User, root: Authority) -> None:
    page = bring_in(client, p12(root))
    assert "Imported: Alice." in page
    assert "Signing and encryption" in page
    (row,) = vault.own_keys_for(alice)
    assert row.sealing == OwnKey.Sealing.MANAGED
    assert b"PRIVATE" not in bytes(row.sealed_key)
    assert vault.open_keys(alice, kek=None).pairs[0].certificate.serial_number == int(
        row.serial, 16
    )


@pytest.mark.parametrize(
    ("content", "word", "said"),
    [
        (None, "wrong", "password of this file is not right"),
        (b"no key file", "", "not a key file"),
        (b"", "", "not a key file"),
    ],
)
def test_refused_files_get_a_sentence(
    client: Client, alice: User, root: Authority, content: bytes | None, word: str, said: str
) -> None:
    file = p12(root) if content is None else SimpleUploadedFile("x.p12", content or b" ")
    assert said in post(client, "import", file=file, passphrase=word, sealing="managed")
    assert not OwnKey.objects.filter(user=alice).exists()


def test_personal_keys_lock_and_unlock(client: Client, alice: User, root: Authority) -> None:
    bring_in(client, p12(root), sealing="personal", vault_passphrase=LONG)
    assert vault.open_keys(alice, kek=None).locked
    assert "not the passphrase" in post(client, "unlock", passphrase="another one entirely")
    assert "Your keys are unlocked" in post(client, "unlock", passphrase=LONG)
    assert "Unlock your keys" in post(client, "lock")


def test_a_key_is_deleted_only_when_its_fingerprint_is_typed(
    client: Client, alice: User, root: Authority
) -> None:
    bring_in(client, p12(root))
    (row,) = vault.own_keys_for(alice)
    assert "was not deleted" in post(client, "delete", row.pk, confirm="00000000")
    assert "The key is deleted." in post(client, "delete", row.pk, confirm=row.fingerprint[:8])
    assert not OwnKey.objects.filter(user=alice).exists()


def test_other_peoples_keys_and_entries_look_absent(client: Client, root: Authority) -> None:
    bob = User.objects.create_user("bob@example.test")
    (row,) = vault.import_keys(
        bob, p12(root, "bob@example.test").read(), "file word", sealing="managed"
    )
    for name, confirm in (("delete", row.fingerprint[:8]), ("use", "")):
        answer = client.post(reverse(f"smime:{name}", args=[row.pk]), {"confirm": confirm})
        assert answer.status_code == 404
    assert OwnKey.objects.filter(pk=row.pk).exists()


def test_peoples_certificates_come_and_go(client: Client, alice: User, root: Authority) -> None:
    pair = issue(
        root,
        "petra@example.test",
        "Petra",
        not_before=NOW - timedelta(days=5),
        not_after=NOW + timedelta(days=9),
    )
    pem = SimpleUploadedFile("petra.pem", pair.certificate.public_bytes(Encoding.PEM))
    page = post(client, "import-certificate", file=pem)
    assert "Saved for petra@example.test." in page
    assert (
        people.recipient_states(alice, ["petra@example.test"], NOW)["petra@example.test"].code
        == "ok"
    )
    row = PersonCertificate.objects.get(user=alice)
    assert "is forgotten" in post(client, "forget-certificate", row.pk)
    bad = SimpleUploadedFile("x.pem", b"nothing")
    assert "petra" not in post(client, "import-certificate", file=bad)


def test_only_signed_in_people_come_here() -> None:
    answer = Client().get(reverse("smime:keys"))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


@pytest.mark.parametrize("given", ["", "short"])
def test_a_personal_key_needs_a_passphrase(
    client: Client, alice: User, root: Authority, given: str
) -> None:
    shown = client.post(reverse("smime:import"), {"file": p12(root), "passphrase": "file word"})
    fields = {
        "token": shown.context["held"].token,
        "sealing": "personal",
        "vault_passphrase": given,
    }
    answer = client.post(reverse("smime:keep"), fields)
    assert answer.status_code == 422
    assert "passphrase" in answer.context["problem"]
    assert not OwnKey.objects.exists()
    fields["vault_passphrase"] = LONG  # the upload is still here
    assert client.post(reverse("smime:keep"), fields).status_code == 302
    assert OwnKey.objects.get().sealing == OwnKey.Sealing.PERSONAL


def test_wrong_passphrases_are_slowed_down(client: Client, alice: User, root: Authority) -> None:
    bring_in(client, p12(root), sealing="personal", vault_passphrase=LONG)
    for _ in range(5):
        post(client, "unlock", passphrase="another one entirely")
    assert "Too many wrong passphrases" in post(client, "unlock", passphrase=LONG)
    assert vault.open_keys(alice, kek=None).locked


def test_a_key_leaves_as_p12(client: Client, alice: User, root: Authority) -> None:
    bring_in(client, p12(root))
    (row,) = vault.own_keys_for(alice)
    words = {"passphrase": "for the new file", "repeated": "for the new file"}
    answer = client.post(reverse("smime:export", args=[row.pk]), words)
    assert answer["Content-Type"] == "application/x-pkcs12"
    assert "no-store" in answer["Cache-Control"]
    (pair,) = load_pkcs12(answer.content, "for the new file")
    assert f"{pair.certificate.serial_number:x}" == row.serial
    assert AuditEvent.objects.filter(action="key-exported", actor=alice).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"passphrase": "", "repeated": ""}, "Choose a password"),
        ({"passphrase": "short", "repeated": "short"}, "at least 8"),
        ({"passphrase": "long enough 1", "repeated": "long enough 2"}, "not the same"),
    ],
)
def test_export_says_what_is_wrong(
    client: Client, alice: User, root: Authority, words: dict[str, str], said: str
) -> None:
    bring_in(client, p12(root))
    (row,) = vault.own_keys_for(alice)
    answer = client.post(reverse("smime:export", args=[row.pk]), words)
    assert answer.status_code == 422
    assert said in answer.context["problem"]


def test_export_and_delete_ask_for_the_password_again(
    client: Client, alice: User, root: Authority
) -> None:
    bring_in(client, p12(root))
    (row,) = vault.own_keys_for(alice)
    alice.set_password("the local password")
    User.objects.filter(pk=alice.pk).update(password=alice.password)
    client.force_login(alice)
    client.get(reverse("smime:keys"))  # the limits of this session begin
    rewind_sign_in(client)
    words = {"passphrase": "for the new file", "repeated": "for the new file"}
    for name, fields in (("export", words), ("delete", {"confirm": row.fingerprint[:8]})):
        address = reverse(f"smime:{name}", args=[row.pk])
        for password in ("", "wrong"):
            answer = client.post(address, {**fields, "password": password})
            assert answer.status_code == 422
    assert OwnKey.objects.exists()
    assert not AuditEvent.objects.filter(action="key-exported").exists()
    fields = {"confirm": row.fingerprint[:8], "password": "the local password"}
    assert client.post(reverse("smime:delete", args=[row.pk]), fields).status_code == 302
    assert not OwnKey.objects.exists()


def test_a_silent_worker_is_told(
    client: Client, root: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "post", lambda *_, **__: None)
    monkeypatch.setattr(key_files, "PATIENCE", 0.05)
    page = post(client, "import", file=p12(root), passphrase="file word")
    assert "in time" in page


def test_other_peoples_pages_look_absent(client: Client, root: Authority) -> None:
    bob = User.objects.create_user("bob@example.test")
    (key,) = vault.import_keys(
        bob, p12(root, "bob@example.test").read(), "file word", sealing="managed"
    )
    pem = load_pkcs12(p12(root, "petra@example.test").read(), "file word")[0]
    row = people.import_certificate(
        bob, "petra@example.test", pem.certificate.public_bytes(Encoding.PEM)
    )
    for name, pk in (("export", key.pk), ("certificate", row.pk), ("certificate", 10**6)):
        assert client.get(reverse(f"smime:{name}", args=[pk])).status_code == 404
    assert client.post(reverse("smime:export", args=[key.pk]), {}).status_code == 404
