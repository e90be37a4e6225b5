"""ML-DSA, ML-KEM and their composites in CMS: written, read, and refused by the RFCs' rules."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from hypothesis import given, settings
from hypothesis import strategies as st

from smime.cms import (
    AES_128_CBC,
    AES_128_GCM,
    AES_256_CBC,
    AES_256_GCM,
    CannotEncryptError,
    CannotSignError,
    algorithms,
    asn1,
    encrypt,
    enveloped,
    micalg,
    sign_detached,
    sign_opaque,
)
from smime.cms.algorithm_protection import algorithm_protection
from smime.cms.algorithms import algorithm, algorithm_with_null
from smime.cms.content import open_content
from smime.cms.encrypting import _auth_enveloped, _enveloped
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.identifiers import issuer_and_serial, key_identifier
from smime.cms.kem import encapsulated
from smime.cms.signed import capabilities, read_signed
from smime.cms.signing import signed_data
from smime.cms.verifying import check_signature, load_certificates
from smime.pki.certificates import public_key
from tests.smime.pki.people import NOW, person, world

CONTENT = b"Content-Type: text/plain\r\n\r\nHello\r\n"
SHA256, SHA512, SHA1 = (algorithms.DIGEST_OIDS[name] for name in ("sha256", "sha512", "sha1"))
SIGNING = {
    "mldsa44": "sha-512",
    "mldsa65": "sha-512",
    "mldsa87": "sha-512",
    "MLDSA44-ECDSA-P256-SHA256": "sha-256",
    "MLDSA44-Ed25519-SHA512": "sha-512",
    "MLDSA65-Ed25519-SHA512": "sha-512",
    "MLDSA65-ECDSA-P256-SHA512": "sha-512",
    "MLDSA65-RSA3072-PSS-SHA512": "sha-512",
    "MLDSA87-Ed448-SHAKE256": "shake256",
}
READING = [
    "mlkem768",
    "mlkem1024",
    "MLKEM768-X25519-SHA3-256",
    "MLKEM768-ECDH-P256-SHA3-256",
    "MLKEM768-ECDH-P384-SHA3-256",
    "MLKEM1024-X448-SHA3-256",
]
CIPHERS = [AES_128_CBC, AES_256_CBC, AES_128_GCM, AES_256_GCM]


@cache
def pair_of(kind: str):
    return person(f"{kind.lower()}@example.org", f"Person {kind}", kind=kind)


def checked(der: bytes, content: bytes = CONTENT):
    signed = read_signed(open_content(der))
    (signer,) = signed.signers
    known = (*load_certificates(signed.certificates), *(pair_of(k).certificate for k in SIGNING))
    return signer, check_signature(signer, signed, content=content, candidates=known)


@pytest.mark.parametrize("kind", SIGNING)
@pytest.mark.parametrize("sign", [sign_detached, sign_opaque])
def test_signature_verifies(kind, sign):
    pair = pair_of(kind)
    signer, check = checked(sign(CONTENT, pair, signed_at=NOW))
    assert (check.integrity, check.certificate) == ("good", pair.certificate)
    assert check.method.name == kind.lower().replace("mldsa", "ml-dsa-", kind.islower())
    assert micalg(pair) == SIGNING[kind]
    assert signer.digest.parameters is signer.algorithm.parameters is None
    assert algorithms.ALGORITHM_PROTECTION in signer.attributes
    assert checked(sign(CONTENT, pair, signed_at=NOW), CONTENT + b" ")[1].integrity == "altered"


def test_ml_dsa_is_digested_with_sha512():
    """RFC 9882 §3.3: SHA-512 must be supported, and is strong enough for every parameter set."""
    for kind in ("mldsa44", "mldsa65", "mldsa87"):
        assert checked(sign_opaque(CONTENT, pair_of(kind), signed_at=NOW))[0].digest.oid == SHA512


def by_hand(
    kind: str,
    *,
    digest=SHA512,
    parameters=None,
    protection=None,
    has_attributes=True,
    signature_oid: str | None = None,
) -> bytes:
    """A SignedData as somebody else might write it."""
    pair = pair_of(kind)
    named = next(oid for oid, (scheme, _) in algorithms.SIGNATURES.items() if scheme in {
        kind.lower(), kind.replace("mldsa", "ml-dsa-")
    })  # fmt: skip
    name = algorithms.DIGESTS.get(digest, "sha512")
    fields: dict[str, object] = {
        "version": 1,
        "sid": asn1.SignerIdentifier.load(issuer_and_serial(pair.certificate)),
        "digest_algorithm": algorithm(digest),
        "signature_algorithm": algorithm(signature_oid or named, parameters),
    }
    if has_attributes:
        values = [
            (algorithms.CONTENT_TYPE, asn1.ObjectIdentifier(algorithms.DATA)),
            (algorithms.MESSAGE_DIGEST, asn1.OctetString(algorithms.digest(name, CONTENT))),
        ]
        if protection is not None:
            loaded = [asn1.Any.load(each) for each in protection]
            values.append((algorithms.ALGORITHM_PROTECTION, *loaded))
        attributes = asn1.Attributes(
            [{"type": oid, "values": list(found)} for oid, *found in values]
        )
        fields["signed_attrs"] = attributes
        fields["signature"] = pair.key.sign(attributes.dump())
    else:
        fields["signature"] = pair.key.sign(CONTENT)
    signed = asn1.SignedData(
        {
            "version": 1,
            "digest_algorithms": [algorithm(digest)],
            "encap_content_info": {"content_type": algorithms.DATA, "content": CONTENT},
            "signer_infos": [fields],
        }
    )
    return asn1.ContentInfo({"content_type": algorithms.SIGNED_DATA, "content": signed}).dump()


COMPOSITE = "MLDSA65-ECDSA-P256-SHA512"
NULL = asn1.Any.load(b"\x05\x00")


@pytest.mark.parametrize("kind", ["mldsa44", "mldsa65", "mldsa87", COMPOSITE])
def test_signed_attributes_may_be_absent(kind):
    """RFC 9882 §3.2: signed over the content; the stated digest is ignored, known or not."""
    for digest in (SHA512, SHA1, "1.2.3.4"):
        _, check = checked(by_hand(kind, digest=digest, has_attributes=False))
        assert check.integrity == "good"


@pytest.mark.parametrize("kind", ["mldsa65", COMPOSITE])
def test_parameters_are_refused(kind):
    _, check = checked(by_hand(kind, parameters=NULL))
    assert (check.integrity, check.reason) == ("uncheckable", "unknown-algorithm")


@pytest.mark.parametrize(
    ("kind", "digest", "integrity"),
    [
        ("mldsa44", SHA256, "good"),
        ("mldsa87", SHA256, "good"),
        ("mldsa65", SHA1, "uncheckable"),
        (COMPOSITE, SHA512, "good"),
        (COMPOSITE, SHA256, "uncheckable"),
        ("MLDSA44-ECDSA-P256-SHA256", SHA512, "uncheckable"),
    ],
)
def test_digests_are_held_to_the_algorithm(kind, digest, integrity):
    assert checked(by_hand(kind, digest=digest))[1].integrity == integrity


ML_DSA_65 = algorithm(algorithms.ML_DSA_65)
RIGHT = algorithm_protection(algorithm(SHA512), ML_DSA_65)


@pytest.mark.parametrize(
    ("protection", "integrity"),
    [
        ((RIGHT,), "good"),
        ((algorithm_protection(algorithm_with_null(SHA512), ML_DSA_65),), "good"),
        ((algorithm_protection(algorithm(SHA256), ML_DSA_65),), "uncheckable"),
        ((algorithm_protection(algorithm(SHA512), algorithm(SHA512)),), "uncheckable"),
        ((RIGHT, RIGHT), "uncheckable"),
        ((), "uncheckable"),
        ((b"\x30\x00",), "uncheckable"),
    ],
)
def test_protected_algorithms_must_be_the_ones_used(protection, integrity):
    """RFC 6211 §2."""
    assert checked(by_hand("mldsa65", protection=protection))[1].integrity == integrity


def test_a_signature_under_the_name_of_another_algorithm_is_forged():
    assert checked(by_hand("mldsa65", signature_oid=algorithms.ML_DSA_87))[1].integrity == "forged"
    other = "1.3.6.1.5.5.7.6.48"  # MLDSA65-Ed25519-SHA512
    assert checked(by_hand(COMPOSITE, signature_oid=other))[1].integrity == "forged"


def test_ml_dsa_signs_with_the_empty_context():
    pair = pair_of("mldsa65")
    key = pair.key
    assert isinstance(key, mldsa.MLDSA65PrivateKey)
    signer, _ = checked(sign_opaque(CONTENT, pair, signed_at=NOW))
    key.public_key().verify(signer.signature, signer.signed[0], b"")


@pytest.mark.parametrize("cipher", CIPHERS, ids=lambda cipher: cipher.name)
@pytest.mark.parametrize("kind", READING)
def test_encrypted_opens(kind, cipher):
    pair = pair_of(kind)
    der = encrypt(CONTENT, [world().bob.certificate, pair.certificate], cipher=cipher)
    read = read_enveloped(open_content(der))
    assert read.recipient_count == 2
    for reader in (pair, world().bob):
        assert open_enveloped(read, [reader]).content == CONTENT
    assert open_enveloped(read, [world().mallory]).failure == "key-missing"
    version = open_content(der).value["version"].native
    assert version == (0 if cipher.is_authenticated else 3)  # RFC 5652 §6.1: 3 for `ori`


def sealed(infos, cipher=AES_256_GCM, key: bytes = bytes(32)) -> bytes:
    write = _auth_enveloped if cipher.is_authenticated else _enveloped
    return b"".join(write([CONTENT], key, infos, cipher))


def opened(info, pair, cipher=AES_256_GCM):
    return open_enveloped(read_enveloped(open_content(sealed([info], cipher))), [pair])


@pytest.mark.parametrize("kind", READING)
def test_both_names_of_a_recipient_and_user_keying_material(kind):
    """RFC 9629 §3: readers must know both forms of rid, and derive with ukm where there is one."""
    pair = pair_of(kind)
    key = public_key(pair.certificate)
    for by_key_id in (None, key_identifier(pair.certificate)):
        for ukm in (None, b"", b"material"):
            info = encapsulated(pair.certificate, key, bytes(32), ukm=ukm, by_key_id=by_key_id)
            assert opened(info, pair).content == CONTENT


def changed(info, **changes):
    """The same recipient with fields replaced, encoded anew."""
    value = asn1.KemRecipientInfo.load(info.chosen["ori_value"].dump())
    for name, field in changes.items():
        value[name] = field(value[name]) if callable(field) else field
    other = asn1.OtherRecipientInfo(
        {
            "ori_type": algorithms.KEM_RECIPIENT,
            "ori_value": asn1.Any.load(value.dump(force=True)),
        }
    )
    return asn1.RecipientInfo("ori", other)


def first_bit(octets) -> bytes:
    found = bytearray(bytes(octets))
    found[0] ^= 1
    return bytes(found)


DAMAGE = {
    "ciphertext": {"kem_ciphertext": first_bit},
    "ciphertext-cut": {"kem_ciphertext": lambda octets: bytes(octets)[:-1]},
    "wrapped-key": {"encrypted_key": first_bit},
    "wrapped-key-cut": {"encrypted_key": b"x"},
    "length": {"kek_length": 16},
    "length-huge": {"kek_length": 65535},
    "derivation": {"kdf": algorithm("1.2.3")},
    "derivation-parameters": {"kdf": algorithm_with_null(algorithms.HKDF_SHA256)},
    "wrap": {"wrap": algorithm("1.2.3")},
    "mechanism": {"kem": algorithm(algorithms.ML_KEM_1024)},
    "mechanism-parameters": {"kem": algorithm_with_null(algorithms.ML_KEM_768)},
    "material": {"ukm": b"added"},
}


@pytest.mark.parametrize("cipher", [AES_256_GCM, AES_256_CBC], ids=lambda cipher: cipher.name)
@pytest.mark.parametrize("damage", DAMAGE)
def test_every_failure_looks_like_a_wrong_key(damage, cipher, monkeypatch):
    """verdicts.md, ground rule 9: the same words, and the whole content deciphered each time."""
    work: list[int] = []
    real = enveloped.unseal

    def counted(content, key):
        work.append(sum(map(len, content.ciphertext)))
        return real(content, key)

    monkeypatch.setattr(enveloped, "unseal", counted)
    pair = pair_of("mlkem768")
    whole = encapsulated(pair.certificate, public_key(pair.certificate), bytes(32))
    wrong_key = encapsulated(pair.certificate, public_key(pair.certificate), b"\1" * 32)
    expected = {"tampered"} if cipher.is_authenticated else {"damaged", None}
    for info in (wrong_key, changed(whole, **DAMAGE[damage])):
        outcome = opened(info, pair, cipher)
        assert outcome.failure in expected
        assert outcome.content != CONTENT
        assert outcome.key == pair
    assert len(work) == 2
    assert work[0] == work[1] > 0


def test_other_kinds_of_other_recipients_are_counted_and_stop_nothing():
    pair = pair_of("mlkem768")
    whole = encapsulated(pair.certificate, public_key(pair.certificate), bytes(32))
    unknown = asn1.RecipientInfo(
        "ori", asn1.OtherRecipientInfo({"ori_type": "1.2.3", "ori_value": NULL})
    )
    broken = asn1.RecipientInfo(
        "ori",
        asn1.OtherRecipientInfo({"ori_type": algorithms.KEM_RECIPIENT, "ori_value": NULL}),
    )
    read = read_enveloped(open_content(sealed([unknown, broken, whole])))
    assert (read.recipient_count, len(read.recipients)) == (3, 1)
    assert open_enveloped(read, [pair]).content == CONTENT


def test_keys_that_must_not_be_used_are_refused():
    for kind in ("mldsa65", COMPOSITE):
        with pytest.raises(CannotEncryptError):
            encrypt(CONTENT, [pair_of(kind).certificate])
    for kind in ("mlkem768", "MLKEM768-X25519-SHA3-256"):
        with pytest.raises(CannotSignError):
            sign_opaque(CONTENT, pair_of(kind), signed_at=NOW)
        agreeing = person("a@example.org", "A", kind=kind, ku={"key_agreement"})
        with pytest.raises(CannotEncryptError):
            encrypt(CONTENT, [agreeing.certificate])


def test_capabilities_are_identifiers_alone():
    """RFC 9936 §2.4; announced only where such mail is wanted."""
    found = {}
    for announces in (False, True):
        pieces = signed_data(
            [CONTENT], world().alice, signed_at=NOW, is_detached=True, announces_kems=announces
        )
        signer, _ = checked(b"".join(pieces))
        found[announces] = set(capabilities(signer))
    added = found[True] - found[False]
    expected = {algorithm(oid).dump() for oid in (algorithms.ML_KEM_768, algorithms.ML_KEM_1024)}
    assert expected < added
    assert all(asn1.Algorithm.load(each)["parameters"].native is None for each in added)
    assert bytes.fromhex("300b0609608648016503040402") in added


@settings(max_examples=25)
@given(st.binary(max_size=300), st.sampled_from(sorted(SIGNING)), st.sampled_from(READING))
def test_any_content_comes_back(content, signing, reading):
    _, check = checked(sign_opaque(content, pair_of(signing), signed_at=NOW), content)
    assert check.integrity == "good"
    reader = pair_of(reading)
    der = encrypt(content, [reader.certificate], cipher=AES_256_CBC)
    assert open_enveloped(read_enveloped(open_content(der)), [reader]).content == content
