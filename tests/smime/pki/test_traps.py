"""The traps of smime.md, measured when libraries were chosen, and the test that keeps each shut.

`COVERED` names tests elsewhere, which must exist; those below are of this file.
"""

from importlib import import_module

import pytest
from asn1crypto.core import UTF8String
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from smime.pki import KeyPair
from smime.pki.authority import Authority, crl, new_root
from smime.pki.certificates import SMTP_UTF8_MAILBOX, addresses
from smime.pki.paths import Path, find_path
from smime.pki.revocation import check_revocation, load_crls
from smime.verdict import judge
from tests.smime.cms.messages import mail
from tests.smime.pki.people import DAY, NOW, YEAR, context, fresh_crl, key, person, world

COVERED = {
    # paths
    "a stranger's path is never trusted, nor that of the system's roots": "pki.test_paths.test_nobody_trusted",
    "no subject alternative name": "test_verdict_table.test_from",
    "SmtpUTF8Mailbox": "test_verdict_layers.test_smtputf8_mailbox",
    "internationalised domains": "pki.test_addresses.test_fits",
    "name constraints against rfc822Name": "pki.test_paths.test_a_rule_of_the_path_is_broken",
    "path length": "pki.test_paths.test_path_length",
    "an issuer that is no authority": "pki.test_paths.test_a_rule_of_the_path_is_broken",
    "an expired authority": "test_verdict_table.test_an_expired_intermediate_is_like_an_expired_leaf",
    "anyExtendedKeyUsage counts as mail": "test_verdict_table.test_purpose_of_the_leaf",
    "an authority for web servers alone": "test_verdict_table.test_purpose_of_an_authority",
    "a key that may encipher alone": "test_verdict_table.test_key_usage",
    "RSA 1024, SHA-1, MD5": "test_verdict_table.test_weak_and_broken_keys",
    "circles of certificates": "pki.test_paths.test_certificates_that_issue_each_other_cost_little",
    "a pinned certificate": "test_verdict_table.test_a_pinned_certificate_is_signed_and_vouches_for_itself",
    "a blocked issuer": "test_verdict_table.test_blocked_issuer",
    "an authority limited to domains": "test_trust.test_a_limited_anchor_counts_in_its_domains_only",
    # withdrawals
    "freshness of a list": "pki.test_revocation.test_only_a_fresh_list_counts",
    "signature of a list": "pki.test_revocation.test_a_list_of_another_issuer_or_key_counts_as_none",
    "scope; delta and indirect lists": "pki.test_revocation.test_scope",
    "a weakly signed list": "pki.test_revocation.test_a_weakly_signed_list_is_said_to_be_weak",
    "a delegated responder": "pki.test_ocsp.test_a_delegate_may_answer",
    "a delegate that may be withdrawn": "pki.test_ocsp.test_a_delegate_without_nocheck_counts_when_a_list_clears_it",
    "the nonce": "pki.test_ocsp.test_the_nonce_is_compared",
    "freshness of an answer": "pki.test_ocsp.test_an_answer_counts_while_it_is_fresh",
    "the date of a withdrawal against receipt": "test_verdict_table.test_revocation",
    "the signing time does not help a withdrawn signer":
        "test_verdict_table.test_a_message_that_claims_to_be_older_than_the_withdrawal_is_looked_at",
    "hard and soft policy": "test_verdict_table.test_history_and_policy",
    "final withdrawals and holds": "test_revocation.test_a_hold_may_end",
    # decryption and key files
    "all failures to decrypt are one": "cms.test_tampering.test_all_failures_to_decrypt_say_the_same",
    "short tags": "cms.test_tampering.test_tag_lengths",
    "BER, other recipients, OAEP": "cms.test_round_trip.test_we_open_openssl_mail",
    "several keys in one .p12": "pki.test_pkcs12.test_every_key_of_a_file_is_found",
    "keys the library refuses": "pki.test_pkcs12.test_a_key_the_library_does_not_know_here_is_read",
    "armoured .p12": "pki.test_pkcs12.test_armoured_opens",
    "iterations": "pki.test_pkcs12.test_refusals",
}  # fmt: skip


@pytest.mark.parametrize("name", COVERED.values(), ids=COVERED)
def test_the_named_test_is_there(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(import_module(f"tests.smime.{module}"), function))


def path_of(pair: KeyPair, *links: x509.Certificate) -> Path:
    return find_path(
        pair.certificate,
        anchors=[world().root.certificate],
        others=[*links, *pair.chain],
        moments=[NOW],
    )


# --- name constraints reach every address that a certificate names --------------------------------


def written(address: str) -> x509.RFC822Name:
    """A name exactly so, as hostile certificates hold it."""
    return x509.RFC822Name._init_without_validation(address)


def constrained(*, permitted=None, excluded=None) -> Authority:
    """An authority below the root that may issue for some addresses only."""
    own, root = key("p256", "Constrained"), world().root
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Constrained")]))
        .issuer_name(root.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - YEAR)
        .not_valid_after(NOW + YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.NameConstraints(
                None if permitted is None else [written(permitted)],
                None if excluded is None else [written(excluded)],
            ),
            critical=True,
        )
        .sign(root.key, hashes.SHA256())
    )
    return Authority(own, certificate, (root.certificate,))


def leaf(issuer: Authority, *, in_subject=None, rfc822=None, smtputf8=None) -> KeyPair:
    """A person's certificate that names addresses in the given places."""
    own = key("p256", "Leaf")
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, "Leaf")]
    if in_subject:
        subject.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, in_subject))
    names: list[x509.GeneralName] = [written(rfc822)] if rfc822 else []
    if smtputf8:
        names.append(x509.OtherName(SMTP_UTF8_MAILBOX, UTF8String(smtputf8).dump()))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(issuer.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return KeyPair(own, builder.sign(issuer.key, hashes.SHA256()), (issuer.certificate,))


PLACES = ("in_subject", "rfc822", "smtputf8")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("rule", "domain", "trust"),
    [
        ({"permitted": "example.org"}, "example.org", "trusted"),
        ({"permitted": "example.org"}, "else.example", "broken"),
        ({"permitted": "example.org"}, "sub.example.org", "broken"),  # a host, no more (RFC 5280)
        ({"permitted": ".example.org"}, "sub.example.org", "trusted"),
        ({"excluded": "example.org"}, "example.org", "broken"),
        ({"excluded": "example.org"}, "else.example", "trusted"),
        ({"excluded": "example.org"}, "example.org ", "broken"),  # fits without its blank
        ({"excluded": ""}, "example.org", "broken"),  # all mail
    ],
)
def test_name_constraints_reach_every_place_of_an_address(place, rule, domain, trust):
    """RFC 5280 §4.2.1.10: the subject's emailAddress, too; RFC 9598 §6: SmtpUTF8Mailbox, too."""
    local = "jörg" if place == "smtputf8" else "joerg"
    pair = leaf(constrained(**rule), **{place: f"{local}@{domain}"})
    assert [each.text for each in addresses(pair.certificate)] == [f"{local}@{domain}"]
    assert path_of(pair).trust == trust


def test_a_good_address_does_not_excuse_another():
    issuer = constrained(permitted="example.org")
    pair = leaf(issuer, rfc822="joerg@example.org", smtputf8="jörg@victim.example")
    path = path_of(pair)
    assert path.trust == "broken"
    assert path.broken_rule


# --- what libraries got wrong ---------------------------------------------------------------------


def test_a_given_list_counts_without_a_distribution_point():
    alice = world().alice
    assert not any(
        isinstance(each.value, x509.CRLDistributionPoints) for each in alice.certificate.extensions
    )
    issuer = world().inter.certificate
    crls = [fresh_crl((alice, NOW - DAY, None))]
    assert check_revocation(alice.certificate, issuer, crls=crls, now=NOW).state == "revoked"


def test_a_list_younger_than_the_message_counts():
    """ "CRL is too recent" was said of every list newer than the moment asked about."""
    raw = mail(signing_time=NOW - 90 * DAY, date=NOW - 90 * DAY)
    verdict = judge_at(raw, received_at=NOW - 90 * DAY)
    assert verdict.signature.code == "signed"


def judge_at(raw, **changes):
    from smime.reading import read_message

    return judge(read_message(raw).facts, context=context(**changes))


def test_of_an_expired_certificate_its_last_day_is_asked_about():
    """Not the moment of a past message, for which no answer is ever given."""
    ended = NOW - 30 * DAY
    old = person("alice@example.org", "Ended", not_before=NOW - YEAR, not_after=ended)
    last = load_crls([crl(world().inter, this_update=ended - DAY, next_update=ended + DAY)])
    raw = mail(signer=old, signing_time=ended - 9 * DAY, date=ended - 9 * DAY)
    verdict = judge_at(raw, received_at=ended - 9 * DAY, crls=last)
    assert verdict.signature.code == "signed-expired-since"


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048", "p384"])
def test_authorities_of_every_kind_vouch(kind):
    root = new_root(f"Root {kind}", NOW - YEAR, key=kind)
    pair = person("alice@example.org", f"Under {kind}", root)
    found = find_path(pair.certificate, anchors=[root.certificate], others=(), moments=[NOW])
    assert found.trust == "trusted"


def test_nobody_is_trusted_without_anchors():
    """An empty list of anchors is no invitation to take the system's."""
    found = find_path(
        world().alice.certificate, anchors=[], others=world().alice.chain, moments=[NOW]
    )
    assert not found.is_trusted
