"""Which lists of withdrawals count, and what they say."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from smime.pki.authority import Authority, Revocation, crl, new_intermediate
from smime.pki.locations import Locations
from smime.pki.revocation import check_revocation, load_crls
from tests.smime.pki.people import DAY, NOW, YEAR, fresh_crl, key, person, world


def status(crls, pair=None, now=NOW):
    subject = pair or world().alice
    return check_revocation(subject.certificate, world().inter.certificate, crls=crls, now=now)


def test_good_revoked_unknown():
    reason = x509.ReasonFlags.key_compromise
    revoked = fresh_crl((world().alice, NOW - DAY, reason))
    assert status([]).state == "unknown"
    assert status([fresh_crl()]).state == "good"
    found = status([fresh_crl(), revoked])
    assert (found.state, found.at, found.reason) == ("revoked", NOW - DAY, reason)
    assert status([revoked], world().bob).state == "good"


@pytest.mark.parametrize(
    ("issued", "until", "state"),
    [
        (NOW - DAY, NOW + DAY, "good"),
        (NOW - 3 * DAY, NOW - DAY, "unknown"),  # stale
        (NOW + DAY, NOW + 2 * DAY, "unknown"),  # from the future
    ],
)
def test_only_a_fresh_list_counts(issued, until, state):
    encoded = crl(world().inter, this_update=issued, next_update=until)
    assert status(load_crls([encoded])).state == state


def test_a_list_of_the_last_day_counts_for_an_expired_certificate():
    old = person("a@example.org", "Old", not_before=NOW - YEAR, not_after=NOW - 30 * DAY)
    entry = Revocation(old.certificate.serial_number, NOW - 40 * DAY)
    encoded = crl(world().inter, [entry], this_update=NOW - 31 * DAY, next_update=NOW - 24 * DAY)
    assert status(load_crls([encoded]), old).state == "revoked"


def test_a_list_of_another_issuer_or_key_counts_as_none():
    entry = Revocation(world().alice.certificate.serial_number, NOW - DAY)
    other = crl(world().root, [entry], this_update=NOW - DAY, next_update=NOW + DAY)
    forged = crl(
        Authority(key("p256", "forger"), world().inter.certificate),
        [entry],
        this_update=NOW - DAY,
        next_update=NOW + DAY,
    )
    assert status(load_crls([other])).state == "unknown"
    assert status(load_crls([forged])).state == "unknown"
    assert load_crls([b"nothing", b"-----BEGIN X509 CRL-----\nx"]) == ()


def _scoped(extension, critical=True):
    inter = world().inter
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(inter.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_extension(extension, critical)
        .add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(world().alice.certificate.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
    )
    return builder.sign(inter.key, hashes.SHA256())


def _scope(**changes):
    fields = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | changes))


@pytest.mark.parametrize(
    ("extension", "state"),
    [
        (_scope(only_contains_user_certs=True), "revoked"),
        (_scope(only_contains_ca_certs=True), "unknown"),
        (_scope(only_contains_attribute_certs=True), "unknown"),
        (_scope(indirect_crl=True), "unknown"),
        (
            _scope(full_name=[x509.UniformResourceIdentifier("http://x.example/other.crl")]),
            "unknown",
        ),
        (x509.DeltaCRLIndicator(1), "unknown"),
        # For some reasons only: may withdraw …
        (_scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), "revoked"),
        (
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"0\0"),
            "unknown",
        ),
    ],
)
def test_scope(extension, state):
    assert status([_scoped(extension)]).state == state


def test_a_list_for_some_reasons_clears_nobody():
    some = _scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
    assert status([_scoped(some)], world().bob).state == "unknown"


def test_a_list_of_its_own_point_counts_for_who_names_that_point():
    url = "http://pki.example/point.crl"
    named = person("p@example.org", "Pointed", published=Locations(lists=(url,)))
    scope = _scope(full_name=[x509.UniformResourceIdentifier(url)])
    assert status([_scoped(scope)], named).state == "good"
    assert status([_scoped(scope)], world().bob).state == "unknown"


def test_an_entry_of_another_issuer_or_not_understood_spoils_the_list():
    inter = world().inter
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(world().alice.certificate.serial_number)
        .revocation_date(NOW - DAY)
        .add_extension(x509.CertificateIssuer([x509.DNSName("other")]), critical=True)
        .build()
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(inter.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
        .add_revoked_certificate(entry)
    )
    assert status([builder.sign(inter.key, hashes.SHA256())]).state == "unknown"


def test_of_the_expired_only_a_list_of_their_life_praises():
    ended = NOW - 30 * DAY
    old = person("a@example.org", "Old", not_before=NOW - YEAR, not_after=ended)
    assert status([fresh_crl()], old).state == "unknown"
    assert status([fresh_crl((old, ended - DAY, None))], old).state == "revoked"
    last = crl(world().inter, this_update=ended - DAY, next_update=ended + DAY)
    assert status(load_crls([last]), old).state == "good"


def test_a_weakly_signed_list_is_said_to_be_weak():
    weak = new_intermediate(world().root, "Weak", NOW - YEAR, key="rsa1024")
    leaf = person("a@example.org", "Under Weak", weak)
    found = check_revocation(
        leaf.certificate, weak.certificate, crls=[fresh_crl(issuer=weak)], now=NOW
    )
    assert (found.state, found.is_weak) == ("good", True)
