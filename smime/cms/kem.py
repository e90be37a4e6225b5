"""Recipients with a key encapsulation mechanism: KEMRecipientInfo (RFC 9629), ML-KEM (RFC 9936).

A fresh secret is encapsulated to the recipient's key, a key-encryption key derived from it, and the
content key wrapped with that. Nothing in it says who sent it (RFC 9629 §7).
"""

from dataclasses import dataclass
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from smime.cms import algorithms, asn1
from smime.cms.algorithms import algorithm
from smime.cms.errors import CmsError, reading
from smime.cms.identifiers import CertificateId, certificate_id, issuer_and_serial
from smime.cms.signed import Algorithm, read_algorithm
from smime.pki.composite_kems import CompositeKemPrivateKey, CompositeKemPublicKey
from smime.pki.private_keys import PrivateKey

type EncapsulatingKey = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey | CompositeKemPublicKey

_WRAP_SIZE = 32  # bytes: AES-256 wrap goes with ML-KEM-768 and -1024 (RFC 9936 §2.2.1)


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """A content key wrapped with what was encapsulated to a recipient (RFC 9629 §3)."""

    identifier: CertificateId
    kem: Algorithm
    ciphertext: bytes
    derivation: Algorithm
    key_length: int  # bytes of the key-encryption key, as stated
    ukm: bytes | None
    wrap: Algorithm
    encrypted_key: bytes


def read_encapsulation(info: Any) -> Encapsulation | None:
    """Read an OtherRecipientInfo; None for other kinds and for damage, which concerns one only."""
    try:
        with reading():
            if info["ori_type"].dotted != algorithms.KEM_RECIPIENT:
                return None
            found = asn1.KemRecipientInfo.load(asn1.encoded(info["ori_value"]), strict=True)
            ukm = found["ukm"]
            return Encapsulation(
                identifier=certificate_id(found["rid"]),
                kem=read_algorithm(found["kem"]),
                ciphertext=bytes(found["kem_ciphertext"]),
                derivation=read_algorithm(found["kdf"]),
                key_length=found["kek_length"].native,
                ukm=None if isinstance(ukm, core.Void) else bytes(ukm),
                wrap=read_algorithm(found["wrap"]),
                encrypted_key=bytes(found["encrypted_key"]),
            )
    except CmsError:
        return None


def open_encapsulation(recipient: Encapsulation, key: PrivateKey) -> bytes:
    """Give the content key; raises CmsError, ValueError or InvalidUnwrap."""
    size = algorithms.KEY_WRAPS.get(recipient.wrap.oid)
    # RFC 9629 §3: the stated length must be the one the wrap needs.
    if size is None or size != recipient.key_length or recipient.wrap.parameters is not None:
        raise CmsError("unknown-algorithm")
    if recipient.kem.parameters is not None:
        raise CmsError("unknown-algorithm")
    match key:
        case mlkem.MLKEM768PrivateKey() if recipient.kem.oid == algorithms.ML_KEM_768:
            secret = key.decapsulate(recipient.ciphertext)
        case mlkem.MLKEM1024PrivateKey() if recipient.kem.oid == algorithms.ML_KEM_1024:
            secret = key.decapsulate(recipient.ciphertext)
        case CompositeKemPrivateKey() if recipient.kem.oid == key.scheme.oid:
            secret = key.decapsulate(recipient.ciphertext)
        case _:
            raise CmsError("unknown-algorithm")
    wrapping_key = _derived(secret, recipient.derivation, recipient.wrap.oid, recipient.ukm)
    return aes_key_unwrap(wrapping_key, recipient.encrypted_key)


def encapsulated(
    certificate: x509.Certificate,
    key: EncapsulatingKey,
    content_key: bytes,
    *,
    ukm: bytes | None = None,
    by_key_id: bytes | None = None,
) -> asn1.RecipientInfo:
    """Wrap a content key for one recipient, with a secret that is used for nothing else.

    The certificate is named by issuer and serial number unless `by_key_id` gives its identifier.
    """
    secret, ciphertext = key.encapsulate()
    wrap, derivation = algorithms.WRAP_OIDS[_WRAP_SIZE], Algorithm(algorithms.HKDF_SHA256)
    wrapping_key = _derived(secret, derivation, wrap, ukm)
    rid = (
        asn1.SignerIdentifier("subject_key_identifier", by_key_id)
        if by_key_id is not None
        else asn1.SignerIdentifier.load(issuer_and_serial(certificate))
    )
    fields: dict[str, object] = {
        "version": 0,
        "rid": rid,
        "kem": algorithm(kem_oid(key)),
        "kem_ciphertext": ciphertext,
        "kdf": algorithm(derivation.oid),
        "kek_length": _WRAP_SIZE,
        "wrap": algorithm(wrap),
        "encrypted_key": aes_key_wrap(wrapping_key, content_key),
    }
    if ukm is not None:
        fields["ukm"] = ukm
    value = asn1.KemRecipientInfo(fields)
    other = asn1.OtherRecipientInfo(
        {"ori_type": algorithms.KEM_RECIPIENT, "ori_value": core.Any(value)}
    )
    return asn1.RecipientInfo("ori", other)


def kem_oid(key: EncapsulatingKey) -> str:
    """Give the object identifier of a key's encapsulation mechanism."""
    match key:
        case mlkem.MLKEM768PublicKey():
            return algorithms.ML_KEM_768
        case mlkem.MLKEM1024PublicKey():
            return algorithms.ML_KEM_1024
        case _:
            return key.scheme.oid


def _derived(secret: bytes, derivation: Algorithm, wrap: str, ukm: bytes | None) -> bytes:
    """Derive the key-encryption key (RFC 9629 §5) with HKDF, no salt (RFC 9936 §2.2.1)."""
    hash_name = algorithms.HKDFS.get(derivation.oid)
    if hash_name is None or derivation.parameters is not None:
        raise CmsError("unknown-algorithm")
    used = algorithms.hash_algorithm(hash_name)
    assert used is not None
    size = algorithms.KEY_WRAPS[wrap]
    fields: dict[str, object] = {"wrap": algorithm(wrap), "kek_length": size}
    if ukm is not None:
        fields["ukm"] = ukm
    info = asn1.KemOtherInfo(fields).dump()
    return HKDF(algorithm=used, length=size, salt=None, info=info).derive(secret)
