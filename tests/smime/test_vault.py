from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from accounts import rotation, sealing
from accounts.models import AuditEvent, User
from accounts.sealing import SealBroken
from smime import passphrases, vault
from smime.models import OwnKey, Vault
from smime.pki import KeyPair, Pkcs12Error, load_pkcs12
from smime.pki.authority import Authority, to_pkcs12
from smime.vault import VaultError
from tests.smime.conftest import NOW, certify

pytestmark = pytest.mark.django_db
LONG = "a long passphrase of mine"
SIGN = frozenset({"digital_signature"})
ENCRYPT = frozenset({"key_agreement"})


def keep(user: User, pair: KeyPair, **more: str) -> OwnKey:
    choice = {"sealing": "managed", **more}
    (row,) = vault.import_keys(user, to_pkcs12(pair, "word"), "word", **choice)
    return row


def der_of(pair: KeyPair) -> bytes:
    return pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_a_managed_key_opens_without_its_owner(anna: User, authority: Authority) -> None:
    pair = certify(authority, anna.address)
    row = keep(anna, pair)
    opened = vault.open_keys(anna, kek=None)
    assert not opened.locked
    assert opened.has_any
    assert der_of(opened.pairs[0]) == der_of(pair)
    assert opened.pairs[0].chain == (authority.certificate,)
    assert der_of(pair) not in bytes(row.sealed_key)
    assert (row.can_sign, row.can_encrypt, row.is_current) == (True, True, True)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("key-imported", anna)


def test_a_personal_key_opens_with_its_passphrase_only(anna: User, authority: Authority) -> None:
    pair = certify(authority, anna.address)
    keep(anna, pair, sealing="personal", vault_passphrase=LONG)
    locked = vault.open_keys(anna, kek=None)
    assert (locked.pairs, locked.locked, locked.has_any) == ((), True, True)
    held = Vault.objects.get(user=anna)
    assert passphrases.key_of(held, "another one entirely") is None
    kek = passphrases.key_of(held, LONG)
    assert kek is not None
    assert der_of(vault.open_keys(anna, kek=kek).pairs[0]) == der_of(pair)
    assert vault.open_keys(anna, kek=bytes(32)).locked


def test_a_second_personal_key_needs_the_same_passphrase(anna: User, authority: Authority) -> None:
    keep(anna, certify(authority, anna.address), sealing="personal", vault_passphrase=LONG)
    other = certify(authority, anna.address)
    with pytest.raises(VaultError, match="not right"):
        keep(anna, other, sealing="personal", vault_passphrase="another one entirely")
    assert OwnKey.objects.count() == 1
    keep(anna, other, sealing="personal", vault_passphrase=LONG)
    assert OwnKey.objects.count() == 2


@pytest.mark.parametrize("passphrase", ["", "short"])
def test_a_weak_passphrase_makes_no_vault(
    anna: User, authority: Authority, passphrase: str
) -> None:
    with pytest.raises(VaultError) as caught:
        keep(anna, certify(authority, "a@b.test"), sealing="personal", vault_passphrase=passphrase)
    assert caught.value.code == "weak-passphrase"
    assert not Vault.objects.exists()
    assert not OwnKey.objects.exists()


def test_passphrases_compare_in_one_unicode_form(anna: User, authority: Authority) -> None:
    composed, decomposed = "Pa\u00dfw\u00f6rter lang", "Pa\u00dfwo\u0308rter lang"
    keep(anna, certify(authority, "a@b.test"), sealing="personal", vault_passphrase=composed)
    assert passphrases.key_of(Vault.objects.get(), decomposed) is not None


def test_a_key_moved_to_another_person_does_not_open(
    anna: User, ben: User, authority: Authority
) -> None:
    keep(anna, certify(authority, anna.address))
    OwnKey.objects.update(user=ben)
    opened = vault.open_keys(ben, kek=None)
    assert opened.pairs == ()
    assert opened.locked


def test_swapped_seals_of_one_person_do_not_open(anna: User, authority: Authority) -> None:
    one = keep(anna, certify(authority, anna.address))
    two = keep(anna, certify(authority, anna.address))
    OwnKey.objects.filter(pk=one.pk).update(sealed_key=two.sealed_key)
    OwnKey.objects.filter(pk=two.pk).update(sealed_key=one.sealed_key)
    assert vault.open_keys(anna, kek=None).pairs == ()


@pytest.mark.parametrize(
    ("content", "word", "reason"),
    [(b"nothing", "word", "not-pkcs12"), (None, "wrong", "passphrase")],
)
def test_unusable_files_are_refused(
    anna: User, authority: Authority, content: bytes | None, word: str, reason: str
) -> None:
    file = content or to_pkcs12(certify(authority, anna.address), "word")
    with pytest.raises(Pkcs12Error) as caught:
        vault.import_keys(anna, file, word, sealing="managed")
    assert caught.value.reason == reason


def test_pem_files_are_taken_too(anna: User, authority: Authority) -> None:
    pair = certify(authority, anna.address)
    pem = pair.certificate.public_bytes(Encoding.PEM) + pair.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (row,) = vault.import_keys(anna, pem, None, sealing="managed")
    assert row.addresses == [anna.address]


class TestInUse:
    def test_the_key_valid_longest_is_in_use(self, anna: User, authority: Authority) -> None:
        old = keep(anna, certify(authority, anna.address, ends=30))
        new = keep(anna, certify(authority, anna.address, ends=300))
        older = keep(anna, certify(authority, anna.address, ends=10))
        states = dict(OwnKey.objects.values_list("pk", "is_current"))
        assert states == {old.pk: False, new.pk: True, older.pk: False}
        pairs = vault.open_keys(anna, kek=None).pairs
        assert [pair.is_former for pair in pairs] == [False, True, True]

    def test_keys_for_different_uses_stay_side_by_side(
        self, anna: User, authority: Authority
    ) -> None:
        keep(anna, certify(authority, anna.address, ku=SIGN))
        keep(anna, certify(authority, anna.address, ku=ENCRYPT))
        assert OwnKey.objects.filter(is_current=True).count() == 2

    def test_other_addresses_are_not_displaced(self, anna: User, authority: Authority) -> None:
        keep(anna, certify(authority, anna.address))
        keep(anna, certify(authority, "anna@elsewhere.test", ends=900))
        assert OwnKey.objects.filter(is_current=True).count() == 2

    def test_the_person_decides(self, anna: User, authority: Authority) -> None:
        old = keep(anna, certify(authority, anna.address, ends=30))
        keep(anna, certify(authority, anna.address, ends=300))
        vault.set_current(anna, old.pk)
        assert OwnKey.objects.get(is_current=True).pk == old.pk

    @pytest.mark.parametrize(
        ("address", "begins", "ends", "ku", "found"),
        [
            ("anna@example.test", -5, 5, None, True),
            ("ANNA@Example.TEST", -5, 5, None, True),
            ("ben@example.test", -5, 5, None, False),
            ("anna@example.test", -9, -1, None, False),
            ("anna@example.test", 1, 9, None, False),
            ("anna@example.test", -5, 5, ENCRYPT, False),
        ],
    )
    def test_which_key_signs(
        self,
        anna: User,
        authority: Authority,
        address: str,
        begins: int,
        ends: int,
        ku: frozenset[str] | None,
        found: bool,
    ) -> None:
        keep(anna, certify(authority, "anna@example.test", begins=begins, ends=ends, ku=ku))
        opened = vault.open_keys(anna, kek=None)
        assert (vault.signing_key(anna, address, opened) is not None) is found


def test_export_gives_the_same_key_back(anna: User, authority: Authority) -> None:
    pair = certify(authority, anna.address)
    row = keep(anna, pair)
    (again,) = load_pkcs12(vault.export(anna, row.pk, "for the file", kek=None), "for the file")
    assert der_of(again) == der_of(pair)
    assert AuditEvent.objects.filter(action="key-exported").count() == 1


def test_export_refuses_others_and_locked_keys(anna: User, ben: User, authority: Authority) -> None:
    row = keep(anna, certify(authority, anna.address), sealing="personal", vault_passphrase=LONG)
    for user, code in ((ben, "absent"), (anna, "locked")):
        with pytest.raises(VaultError) as caught:
            vault.export(user, row.pk, "for the file", kek=None)
        assert caught.value.code == code
    with pytest.raises(VaultError):
        vault.delete(ben, row.pk)
    assert OwnKey.objects.exists()
    assert not AuditEvent.objects.filter(action="key-exported").exists()


def test_a_preview_keeps_nothing(anna: User, authority: Authority) -> None:
    content = to_pkcs12(certify(authority, "other@example.test", ku=SIGN), "word")
    (shown,) = vault.preview(anna, content, "word")
    assert shown.addresses == ("other@example.test",)
    assert (shown.can_sign, shown.can_encrypt, shown.has_own_address) == (True, False, False)
    assert shown.not_after == NOW + timedelta(days=300)
    assert not OwnKey.objects.exists()


def test_rotation_renews_managed_keys_and_leaves_personal_ones(
    anna: User, authority: Authority
) -> None:
    managed = keep(anna, certify(authority, anna.address))
    personal = keep(
        anna, certify(authority, "b@example.test"), sealing="personal", vault_passphrase=LONG
    )
    sealing.add_key_to_file()
    outcome = rotation.rotate()
    assert (outcome.renewed, outcome.broken, outcome.remaining) == (1, 0, 0)
    fresh = OwnKey.objects.get(pk=managed.pk)
    assert sealing.is_newest(bytes(fresh.sealed_key))
    unchanged = bytes(OwnKey.objects.get(pk=personal.pk).sealed_key)
    assert unchanged == bytes(personal.sealed_key)
    sealing.drop_old_keys_from_file()
    assert len(vault.open_keys(anna, kek=None).pairs) == 1
    with pytest.raises(SealBroken):
        sealing.open_sealed(
            bytes(managed.sealed_key), purpose=vault.PURPOSE, subject=vault.seal_subject(managed)
        )
