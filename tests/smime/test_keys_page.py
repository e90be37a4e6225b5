"""The keys page over HTTP: import, unlock, use, delete; refusals say what to do."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from smime import people, vault
from smime.models import OwnKey, PersonCertificate
from smime.pki.authority import Authority, issue, new_root, to_pkcs12

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)
LONG = "a long passphrase of mine"


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Keys page CA", NOW - timedelta(days=100))


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice@example.test", display_name="Alice")


@pytest.fixture
def client(alice: User, valkey: str) -> Client:
    made = Client()
    made.force_login(alice)
    session = made.session
    session.update(
        {"started-at": int(NOW.timestamp()), "seen-at": int(NOW.timestamp()), "epoch": 0}
    )
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


def test_a_managed_key_is_imported_and_shown(client: Client, alice: User, root: Authority) -> None:
    page = post(client, "import", file=p12(root), passphrase="file word", sealing="managed")
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
    post(
        client,
        "import",
        file=p12(root),
        passphrase="file word",
        sealing="personal",
        vault_passphrase=LONG,
    )
    assert vault.open_keys(alice, kek=None).locked
    assert "not the passphrase" in post(client, "unlock", passphrase="another one entirely")
    assert "Your keys are unlocked" in post(client, "unlock", passphrase=LONG)
    assert "Unlock your keys" in post(client, "lock")


def test_a_key_is_deleted_only_when_its_fingerprint_is_typed(
    client: Client, alice: User, root: Authority
) -> None:
    post(client, "import", file=p12(root), passphrase="file word", sealing="managed")
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
