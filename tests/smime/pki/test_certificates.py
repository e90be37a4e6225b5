"""Certificates that cannot be read prove nothing and stop nothing."""

import pytest
from asn1crypto import x509 as structures
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms.verifying import load_certificates
from smime.pki.certificates import (
    DamagedCertificateError,
    allows_mail,
    display_name,
    key_strength,
    load_certificate,
    may_encrypt,
    may_sign,
    purpose_words,
)
from tests.smime.pki.people import person, world


def changed(**fields) -> bytes:
    """Alice's certificate with other contents; its signature no longer fits."""
    certificate = structures.Certificate.load(world().alice.certificate.public_bytes(Encoding.DER))
    for name, value in fields.items():
        certificate["tbs_certificate"][name] = value
    return certificate.dump(force=True)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x03\x02\x01\x01",
        changed(serial_number=0),
        changed(serial_number=-5),
        changed().replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1),  # a version to come
        changed().replace(b"\x0c\x05Alice", b"\x0c\x05\xffl\xffce", 1),  # a name that is no UTF-8
    ],
    ids=["empty", "other", "zero", "negative", "version", "name"],
)
def test_damaged(der):
    with pytest.raises(DamagedCertificateError):
        load_certificate(der)
    good = world().alice.certificate
    assert load_certificates([der, good.public_bytes(Encoding.DER)]) == (good,)


def test_what_a_certificate_says():
    alice = world().alice.certificate
    assert display_name(alice) == "Alice"
    assert key_strength(alice) == ("rsa", 2048)
    assert (may_sign(alice), may_encrypt(alice), allows_mail(alice)) == (True, True, True)
    signs = person("a@example.org", "Signs", ku={"digital_signature"}).certificate
    assert (may_sign(signs), may_encrypt(signs)) == (True, False)
    # For elliptic keys it is key agreement that lets others encrypt.
    agrees = person("a@example.org", "Agrees", ku={"key_agreement"}).certificate
    assert (may_sign(agrees), may_encrypt(agrees)) == (False, True)
    assert purpose_words(alice) == "mail"
