from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import User
from smime import people, signals, trust, vault
from smime.certificate_rows import CertificateFileError
from smime.models import Intermediate, PersonCertificate
from smime.pki import KeyPair
from smime.pki.authority import Authority, Revocation, crl, new_intermediate, new_root, to_pkcs12
from smime.reading import read_message
from smime.verdict import judge
from smime.writing import protect
from tests.smime.conftest import NOW, certify

pytestmark = pytest.mark.django_db
PETRA = "petra@partner.test"
ENTITY = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n"


def pem(pair: KeyPair) -> bytes:
    return pair.certificate.public_bytes(Encoding.PEM)


def state(user: User, address: str = PETRA) -> people.RecipientState:
    return people.recipient_states(user, [address], NOW)[address]


def receive(user: User, pair: KeyPair, *, sender: str = PETRA, days: int = 0) -> str:
    """Read a message signed with `pair` as the reader does; returns the verdict's code."""
    fields = [("From", sender), ("To", user.address), ("Subject", "Hello")]
    fields.append(("Date", format_datetime(NOW + timedelta(hours=-1))))
    raw = protect(ENTITY, fields, signer=pair, recipients=[], cipher="aes-256-gcm")
    reading = read_message(raw, keys=())
    context = trust.context_for(user, sender, received_at=NOW, now=NOW)
    verdict = judge(reading.facts, context=context)
    people.harvest(user, reading.facts, verdict, message_date=NOW + timedelta(days=days))
    return verdict.signature.code


@pytest.fixture
def trusted(authority: Authority, db: None) -> Authority:
    trust.add_anchor(authority.certificate.public_bytes(Encoding.PEM), actor=None, reason="Ours")
    return authority


class TestRecipients:
    @pytest.mark.parametrize(
        ("begins", "ends", "ku", "code"),
        [
            (-5, 5, None, "ok"),
            (-9, -1, None, "expired"),
            (1, 9, None, "none"),
            (-5, 5, frozenset({"digital_signature"}), "none"),
        ],
    )
    def test_states(
        self,
        anna: User,
        authority: Authority,
        begins: int,
        ends: int,
        ku: frozenset[str] | None,
        code: str,
    ) -> None:
        assert state(anna).code == "none"
        pair = certify(authority, PETRA, begins=begins, ends=ends, ku=ku)
        people.import_certificate(anna, PETRA, pem(pair))
        assert state(anna).code == code

    def test_a_valid_one_wins_over_an_expired_one(self, anna: User, authority: Authority) -> None:
        for ends in (-1, 5):
            pair = certify(authority, PETRA, begins=-9, ends=ends)
            people.import_certificate(anna, PETRA, pem(pair))
        found = state(anna)
        assert found.code == "ok"
        assert found.certificate is not None
        assert found.certificate.not_after > NOW

    def test_answers_under_the_address_as_asked(self, anna: User, authority: Authority) -> None:
        people.import_certificate(anna, PETRA, pem(certify(authority, PETRA)))
        found = people.recipient_states(anna, ["Petra@PARTNER.test", "no address", ""], NOW)
        assert [each.code for each in found.values()] == ["ok", "none", "none"]

    def test_another_persons_entries_do_not_count(
        self, anna: User, ben: User, authority: Authority
    ) -> None:
        row = people.import_certificate(ben, PETRA, pem(certify(authority, PETRA)))
        assert state(anna).code == "none"
        PersonCertificate.objects.filter(pk=row.pk).update(user=None)  # the organisation's
        assert state(anna).code == "ok"
        assert not people.forget(anna, row.pk)

    def test_mail_to_oneself(self, anna: User, authority: Authority) -> None:
        content = to_pkcs12(certify(authority, anna.address), "word")
        vault.import_keys(anna, content, "word", sealing="managed")
        found = state(anna, anna.address)
        assert (found.code, found.gcm_capable) == ("ok", True)

    def test_blocked_and_revoked_ones_are_not_used(self, anna: User, authority: Authority) -> None:
        pair = certify(authority, PETRA)
        people.import_certificate(anna, PETRA, pem(pair))
        root = authority.certificate.public_bytes(Encoding.PEM)
        (row,) = trust.add_anchor(root, actor=None, reason="Broken into", state="blocked")
        assert state(anna).code == "withdrawn"
        trust.change_anchor(row, state="trusted", domains=(), actor=None, reason="Repaired")
        assert state(anna).code == "ok"
        revoked = Revocation(pair.certificate.serial_number, NOW - timedelta(days=1))
        content = crl(
            authority,
            [revoked],
            this_update=NOW - timedelta(hours=1),
            next_update=NOW + timedelta(days=7),
        )
        trust.add_crl(content, actor=None, reason="Lost laptop")
        assert state(anna).code == "withdrawn"

    def test_the_number_of_queries_does_not_grow(
        self, anna: User, authority: Authority, django_assert_max_num_queries: object
    ) -> None:
        addresses = [f"p{number}@partner.test" for number in range(8)]
        for address in addresses:
            people.import_certificate(anna, address, pem(certify(authority, address)))
        with django_assert_max_num_queries(5):  # type: ignore[operator]
            found = people.recipient_states(anna, addresses, NOW)
        assert {each.code for each in found.values()} == {"ok"}


class TestImport:
    def test_a_stranger_is_refused(self, anna: User, authority: Authority) -> None:
        with pytest.raises(CertificateFileError, match="names"):
            people.import_certificate(anna, PETRA, pem(certify(authority, "eve@evil.test")))
        assert not PersonCertificate.objects.exists()

    def test_the_same_file_twice_is_one_entry(self, anna: User, authority: Authority) -> None:
        content = pem(certify(authority, PETRA))
        assert people.import_certificates(anna, content) == people.import_certificates(
            anna, content
        )

    @pytest.mark.parametrize("content", [b"", b"nothing", b"x" * (1024 * 1024 + 1)])
    def test_no_certificate(self, anna: User, content: bytes) -> None:
        with pytest.raises(CertificateFileError):
            people.import_certificates(anna, content)


class TestHarvest:
    def test_signed_mail_teaches_its_senders_certificate(
        self, anna: User, trusted: Authority
    ) -> None:
        pair = certify(trusted, PETRA, name="Petra")
        assert receive(anna, pair) == "signed-not-rechecked"
        row = PersonCertificate.objects.get(user=anna)
        assert (row.address, row.source, row.name) == (PETRA, "mail", "Petra")
        assert row.capabilities
        assert state(anna).code == "ok"
        assert receive(anna, pair, days=1) == "signed-not-rechecked"  # there is no list
        assert PersonCertificate.objects.count() == 1

    def test_mail_that_is_not_ok_teaches_nothing(self, anna: User, authority: Authority) -> None:
        receive(anna, certify(authority, PETRA))  # nobody trusts this authority
        assert not PersonCertificate.objects.exists()

    def test_somebody_elses_signature_teaches_nothing(self, anna: User, trusted: Authority) -> None:
        receive(anna, certify(trusted, "eve@evil.test"), sender=PETRA)
        assert not PersonCertificate.objects.exists()

    def test_intermediates_are_learned(self, anna: User, trusted: Authority) -> None:
        below = new_intermediate(trusted, "Issuing CA", NOW - timedelta(days=30))
        receive(anna, certify(below, PETRA))
        assert [row.name for row in Intermediate.objects.all()] == ["Issuing CA"]
        assert len(trust.anchors().intermediates) == 1

    def test_older_mail_does_not_take_capabilities_back(
        self, anna: User, trusted: Authority
    ) -> None:
        pair = certify(trusted, PETRA)
        receive(anna, pair)
        PersonCertificate.objects.update(capabilities=["1.2.3"])
        receive(anna, pair, days=-9)
        assert PersonCertificate.objects.get().capabilities == ["1.2.3"]
        receive(anna, pair, days=9)
        assert PersonCertificate.objects.get().capabilities != ["1.2.3"]

    def test_a_persons_certificates_are_bounded(
        self, anna: User, trusted: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(people, "CERTIFICATES_A_PERSON", 2)
        for day in range(4):
            receive(anna, certify(trusted, PETRA), days=day)
        assert PersonCertificate.objects.count() == 2


def test_a_look_alike_issuer_teaches_no_encryption_certificate(
    anna: User, trusted: Authority
) -> None:
    """Certificates in a signed message are not covered by its signature."""
    false = new_root("Vault test CA", NOW - timedelta(days=400))  # the same name, another key
    planted = certify(false, PETRA).certificate
    pair = certify(trusted, PETRA)
    receive(anna, KeyPair(key=pair.key, certificate=pair.certificate, chain=(planted,)))
    assert [row.fingerprint for row in PersonCertificate.objects.all()] == [
        people.fingerprint(pair.certificate)
    ]


def test_what_becomes_known_is_announced_once_it_is_kept(
    anna: User, trusted: Authority, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[tuple[int, str]] = []

    def hear(sender: object, *, user_id: int, address: str, **_: Any) -> None:
        heard.append((user_id, address))

    signals.person_known.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            receive(anna, certify(trusted, PETRA))
            row = people.import_certificate(anna, PETRA, pem(certify(trusted, PETRA)))
            assert heard == []
        assert heard == [(anna.pk, PETRA)] * 2
        with django_capture_on_commit_callbacks(execute=True):
            assert people.forget(anna, row.pk)
        assert len(heard) == 3
    finally:
        signals.person_known.disconnect(hear)
