"""What a person decides about others' certificates: over HTTP, audited, theirs alone."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from smime import people, trust
from smime.models import PersonCertificate
from smime.pki.authority import issue, new_root
from smime.pki.certificates import fingerprint

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)
LIFE = {"not_before": NOW - timedelta(days=5), "not_after": NOW + timedelta(days=90)}


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice@example.test")


@pytest.fixture
def browser(alice: User) -> Client:
    made = Client()
    made.force_login(alice)
    return made


def self_signed(address: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Petra")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LIFE["not_before"])
        .not_valid_after(LIFE["not_after"])
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .sign(key, hashes.SHA256())
    )


def entry(user: User | None, *, self_made: bool = False) -> PersonCertificate:
    """Petra's certificate in the list of `user`."""
    address = "petra@example.test"
    if self_made:
        certificate = self_signed(address)
    else:
        root = new_root("Deciding CA", NOW - timedelta(days=100))
        certificate = issue(root, address, "Petra", **LIFE).certificate
    row = people.import_certificate(
        User.objects.get_or_create(address="owner@example.test")[0] if user is None else user,
        address,
        certificate.public_bytes(Encoding.PEM),
    )
    if user is None:
        PersonCertificate.objects.filter(pk=row.pk).update(user=None)
        row.refresh_from_db()
    assert row.fingerprint == fingerprint(certificate)
    return row


def post(browser: Client, name: str, row: PersonCertificate, **fields: str) -> tuple[int, str]:
    answer = browser.post(reverse(f"smime:{name}", args=[row.pk]), fields, follow=True)
    return answer.status_code, answer.content.decode()


def test_a_self_made_certificate_is_trusted_after_comparing(browser: Client, alice: User) -> None:
    row = entry(alice, self_made=True)
    assert "Self-made, compare it" in browser.get(reverse("smime:keys")).content.decode()
    page = browser.get(reverse("smime:certificate", args=[row.pk])).content.decode()
    mark = row.fingerprint.upper()
    assert " ".join(mark[at : at + 4] for at in range(0, 64, 4)) in page
    before = trust.stamp_for(alice)
    assert (
        "You trust this certificate now." in post(browser, "pin-certificate", row, pinned="yes")[1]
    )
    assert people.certificates_for(alice, row.address)[0].is_pinned
    assert trust.stamp_for(alice) != before  # old verdicts are looked at again
    assert "no longer trusted" in post(browser, "pin-certificate", row, pinned="no")[1]
    assert trust.stamp_for(alice) == before
    done = AuditEvent.objects.filter(actor=alice, action__startswith="certificate-")
    assert set(done.values_list("action", flat=True)) >= {
        "certificate-pinned", "certificate-unpinned",
    }  # fmt: skip


def test_what_an_issuer_made_is_not_pinned(browser: Client, alice: User) -> None:
    row = entry(alice)
    status, page = post(browser, "pin-certificate", row, pinned="yes")
    assert (status, "self-made" in page) == (422, True)
    assert not PersonCertificate.objects.filter(is_pinned=True).exists()


def test_the_organisations_entry_is_not_pinned_by_one_person(browser: Client, alice: User) -> None:
    row = entry(None, self_made=True)
    assert post(browser, "pin-certificate", row, pinned="yes")[0] == 422
    assert not PersonCertificate.objects.filter(is_pinned=True).exists()


def test_another_address_of_the_same_person(browser: Client, alice: User) -> None:
    row = entry(alice)
    link = reverse("smime:certificate", args=[row.pk]) + "?address=petra@examp1e.test"
    page = browser.get(link).content.decode()
    assert "petra@examp<mark>1</mark>e.test" in page
    assert "petra@examp<mark>l</mark>e.test" in page
    status, page = post(browser, "bind-certificate", row, address="petra@home.test")
    assert (status, "counts as the same person" in page) == (200, True)
    bound = PersonCertificate.objects.get(user=alice, address="petra@home.test")
    assert bound.is_bound_by_user
    assert not PersonCertificate.objects.get(pk=row.pk).is_bound_by_user
    known = people.known_for_all(alice, ["petra@home.test"])["petra@home.test"]
    assert known.bound_addresses == {row.fingerprint: frozenset({"petra@home.test"})}
    assert AuditEvent.objects.filter(actor=alice, action="certificate-bound").exists()
    assert post(browser, "forget-certificate", bound)[0] == 200
    assert not people.known_for_all(alice, ["petra@home.test"])["petra@home.test"].bound_addresses


def test_what_is_no_address_is_refused(browser: Client, alice: User) -> None:
    row = entry(alice)
    status, page = post(browser, "bind-certificate", row, address="petra")
    assert (status, "Enter an address like" in page) == (422, True)
    assert PersonCertificate.objects.count() == 1


def test_others_entries_look_absent(browser: Client) -> None:
    row = entry(User.objects.create_user("bob@example.test"), self_made=True)
    for name in ("pin-certificate", "bind-certificate"):
        fields = {"pinned": "yes", "address": "x@example.test"}
        assert post(browser, name, row, **fields)[0] == 404
    assert not PersonCertificate.objects.filter(is_pinned=True).exists()
    assert PersonCertificate.objects.count() == 1


def test_the_keys_page_draws_years_and_offers_a_backup(browser: Client, alice: User) -> None:
    page = browser.get(reverse("smime:keys")).content.decode()
    assert "You have no certificate yet" in page
    assert "Back up" not in page
