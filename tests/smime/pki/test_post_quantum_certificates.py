"""Certificates and key files of post-quantum kinds: read, trusted, withdrawn like any other."""

from dataclasses import replace
from functools import cache

import pytest
from asn1crypto import core, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from smime.certificate_rows import CertificateFileError, fields_of
from smime.cms import CannotEncryptError, encrypt
from smime.pki import Pkcs12Error, load_pem, load_pkcs12
from smime.pki.authority import new_intermediate, new_key, new_root, to_pkcs12
from smime.pki.certificates import (
    DamagedCertificateError,
    UnknownKindError,
    is_self_signed,
    key_digest,
    key_strength,
    may_encrypt,
    may_sign,
    public_key,
)
from smime.pki.crl import read_crl
from smime.pki.paths import find_path
from smime.pki.private_keys import encrypted
from smime.problems import key_file_problem
from tests.smime.pki.people import DAY, NOW, YEAR, fresh_crl, person, world

SIGNING = ["mldsa44", "mldsa65", "mldsa87", "MLDSA65-ECDSA-P256-SHA512", "MLDSA44-Ed25519-SHA512"]
ENCIPHERING = ["mlkem768", "mlkem1024", "MLKEM768-X25519-SHA3-256", "MLKEM768-ECDH-P256-SHA3-256"]
KINDS = [*SIGNING, *ENCIPHERING]
AUTHORITIES = ["p384", "rsa2048", "mldsa65", "MLDSA65-ECDSA-P256-SHA512", "MLDSA87-Ed448-SHAKE256"]


def pair_of(kind: str):
    return person(f"{kind.lower()}@example.org", f"Person {kind}", kind=kind)


@cache
def authorities(kind: str):
    root = new_root(f"Root {kind}", NOW, key=kind)
    return root, new_intermediate(root, f"Issuer {kind}", NOW, key=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_file_brings_the_key_back(kind):
    pair = pair_of(kind)
    (found,) = load_pkcs12(to_pkcs12(pair, "schlüssel"), "schlüssel")
    assert found.certificate == pair.certificate
    assert found.key.public_key() == pair.key.public_key()
    assert found.chain == (world().inter.certificate, world().root.certificate)


@pytest.mark.parametrize("kind", ["mldsa65", "MLDSA65-ECDSA-P256-SHA512", "x25519"])
def test_a_wrong_passphrase_is_said_as_with_any_key(kind):
    content = to_pkcs12(pair_of(kind), "right")
    for passphrase in ("wrong", None, ""):
        with pytest.raises(Pkcs12Error) as caught:
            load_pkcs12(content, passphrase)
        assert caught.value.reason == "passphrase"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("passphrase", [None, "geheim"])
def test_pem_brings_the_key_back(kind, passphrase):
    pair = pair_of(kind)
    if passphrase is None:
        der = pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        block = pem.armor("PRIVATE KEY", der)
    else:
        block = pem.armor("ENCRYPTED PRIVATE KEY", encrypted(pair.key, passphrase.encode()))
    content = block + pair.certificate.public_bytes(Encoding.PEM)
    (found,) = load_pem(content, passphrase)
    assert found.key.public_key() == pair.key.public_key()
    if passphrase is not None:
        with pytest.raises(Pkcs12Error, match="passphrase"):
            load_pem(content, "other")


@pytest.mark.parametrize("kind", AUTHORITIES)
@pytest.mark.parametrize("subject", ["p256", "mldsa44", "mlkem768", "MLDSA65-ECDSA-P256-SHA512"])
def test_paths_lead_to_the_root(kind, subject):
    root, inter = authorities(kind)
    pair = person("a@example.org", "A", inter, kind=subject)
    found = find_path(
        pair.certificate, anchors=[root.certificate], others=[inter.certificate], moments=[NOW]
    )
    assert (found.trust, found.broken_rule) == ("trusted", "")
    assert found.certificates == (pair.certificate, inter.certificate, root.certificate)
    assert is_self_signed(root.certificate)
    assert not is_self_signed(inter.certificate)


def with_signature(certificate: x509.Certificate, signature: bytes) -> x509.Certificate:
    whole = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    whole["signature_value"] = signature
    return x509.load_der_x509_certificate(whole.dump(force=True))


@pytest.mark.parametrize("position", [0, -1], ids=["ml-dsa", "classical"])
def test_a_composite_issuer_must_have_signed_with_both_halves(position):
    root, inter = authorities("MLDSA65-ECDSA-P256-SHA512")
    pair = person("a@example.org", "A", inter)
    signature = bytearray(pair.certificate.signature)
    signature[position] ^= 1
    forged = with_signature(pair.certificate, bytes(signature))
    found = find_path(forged, anchors=[root.certificate], others=[inter.certificate], moments=[NOW])
    assert found.trust == "incomplete"


@pytest.mark.parametrize("years", [0, -30])
def test_a_certificate_of_another_issuer_with_the_same_name_is_not_trusted(years):
    """The library cannot load the true issuer's key: its name alone proves nothing.

    Thirty years ago nothing of the path was valid, so that the validator never came to signatures.
    """
    kind = "MLDSA65-ECDSA-P256-SHA512"
    root, inter = authorities(kind)
    impostor = new_intermediate(new_root(f"Root {kind}", NOW, key=kind), f"Issuer {kind}", NOW)
    begin = NOW + years * YEAR
    pair = person("a@example.org", "A", impostor, not_before=begin, not_after=begin + 30 * DAY)
    found = find_path(
        pair.certificate, anchors=[root.certificate], others=[inter.certificate], moments=[NOW]
    )
    assert not found.is_trusted


@pytest.mark.parametrize("kind", AUTHORITIES)
def test_their_revocation_lists_count(kind):
    _, inter = authorities(kind)
    pair = person("a@example.org", "A", inter)
    crl = fresh_crl((pair, NOW - DAY, None), issuer=inter)
    answer = read_crl(crl, pair.certificate, inter.certificate)
    assert answer is not None
    assert (answer.state, answer.is_weak) == ("revoked", False)
    stranger = new_intermediate(authorities(kind)[0], f"Issuer {kind}", NOW, key=kind)
    assert read_crl(crl, pair.certificate, stranger.certificate) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_has_the_one_purpose_of_its_kind(kind):
    certificate = pair_of(kind).certificate
    assert (may_sign(certificate), may_encrypt(certificate)) == (
        kind in SIGNING,
        kind in ENCIPHERING,
    )
    assert key_strength(certificate) == (kind.lower(), 256)
    stated = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert key_digest(certificate) == stated.value.digest


@pytest.mark.parametrize("kind", ENCIPHERING)
def test_key_usage_decides_whether_a_key_may_be_encrypted_to(kind):
    """RFC 9936 §2.3: keyEncipherment if there is a key usage at all."""
    assert not may_encrypt(
        person("a@example.org", "A", kind=kind, ku={"key_agreement"}).certificate
    )
    assert may_encrypt(person("a@example.org", "A", kind=kind, ku=None).certificate)


def test_a_composite_key_that_is_cut_short_is_damage():
    pair = pair_of("MLDSA65-ECDSA-P256-SHA512")
    whole = asn1_x509.Certificate.load(pair.certificate.public_bytes(Encoding.DER))
    info = whole["tbs_certificate"]["subject_public_key_info"]
    octets = pair.key.public_key().public_bytes(None, None)
    der = whole.dump()
    at = der.index(octets)
    broken = (
        der[: at + len(octets) - 1]
        + bytes([der[at + len(octets) - 1] ^ 1])
        + der[at + len(octets) :]
    )
    assert info is not None
    with pytest.raises(DamagedCertificateError):
        public_key(x509.load_der_x509_certificate(broken))


ML_KEM_512 = "2.16.840.1.101.3.4.4.1"  # the library leaves it out, and so do we


def unknown_kind() -> x509.Certificate:
    certificate = person("a@example.org", "A", kind="MLKEM768-X25519-SHA3-256").certificate
    known = core.ObjectIdentifier("1.3.6.1.5.5.7.6.58").dump()
    der = certificate.public_bytes(Encoding.DER)
    assert der.count(known) == 1
    return x509.load_der_x509_certificate(
        der.replace(known, core.ObjectIdentifier("1.3.6.1.5.5.7.6.99").dump())
    )


def test_a_kind_that_is_not_known_is_said_not_to_be():
    certificate = unknown_kind()
    with pytest.raises(UnknownKindError):
        public_key(certificate)
    with pytest.raises(CannotEncryptError, match="kind of key is not known"):
        encrypt(b"", [certificate])
    with pytest.raises(CertificateFileError, match="does not know"):
        fields_of(certificate)


@pytest.mark.parametrize("passphrase", [None, "geheim"])
def test_a_file_with_such_a_key_says_so(passphrase):
    key = new_key("mlkem768")
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    oid = core.ObjectIdentifier("2.16.840.1.101.3.4.4.2").dump()
    unknown = der.replace(oid, core.ObjectIdentifier(ML_KEM_512).dump())

    class Foreign:
        def private_bytes(self, *_):
            return unknown

    pair = replace(pair_of("mlkem768"), key=Foreign())
    if passphrase is None:
        content = pem.armor("PRIVATE KEY", unknown) + pair.certificate.public_bytes(Encoding.PEM)
        load = load_pem
    else:
        content, load = to_pkcs12(pair, passphrase), load_pkcs12
    with pytest.raises(Pkcs12Error) as caught:
        load(content, passphrase)
    assert caught.value.reason == "unknown-key"
    assert "does not know" in key_file_problem("unknown-key")
