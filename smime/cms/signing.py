"""Write SignedData (RFC 5652 §5, RFC 8551 §2.5).

RSA signs with v1.5 and SHA-256, or PSS when the certificate's key says so; elliptic curves with the
hash of their size; Ed25519 as RFC 8419 fixes it, ML-DSA as RFC 9882 does, composites with their own
hash (draft-ietf-lamps-cms-composite-sigs). Signed attributes: content type, digest, time,
capabilities, the signing certificate, and for post-quantum keys the algorithms.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import algorithms, asn1
from smime.cms.algorithm_protection import algorithm_protection
from smime.cms.algorithms import algorithm, algorithm_with_null, content_pieces
from smime.cms.elements import (
    EXPLICIT_0,
    OCTET_STRING,
    SEQUENCE,
    Octets,
    integer,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    time,
    wrapped,
)
from smime.cms.identifiers import issuer_and_serial
from smime.pki.certificates import is_self_signed
from smime.pki.composite_kems import COMPOSITE_KEMS
from smime.pki.composite_signatures import CompositePrivateKey
from smime.pki.pkcs12 import KeyPair


class CannotSignError(Exception):
    """The key is of a kind that mail is not signed with."""


@dataclass(frozen=True, slots=True)
class _Method:
    hash_name: str
    digest_algorithm: asn1.Algorithm
    signature_algorithm: asn1.Algorithm


# In order of preference and grouped (RFC 8551 §2.5.2): what this reader opens.
_CLASSICAL_CAPABILITIES = (
    algorithm(algorithms.AES_256_GCM.oid),
    algorithm(algorithms.AES_128_GCM.oid),
    algorithm(algorithms.AES_256_CBC.oid),
    algorithm(algorithms.AES_128_CBC.oid),
    algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
    algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
    algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
    algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
)
# The key encapsulation that is opened here (RFC 9936 §2.4): identifiers alone.
_KEM_CAPABILITIES = tuple(
    algorithm(oid) for oid in (*COMPOSITE_KEMS, algorithms.ML_KEM_1024, algorithms.ML_KEM_768)
)
_SIGNED_ATTRIBUTES, _CERTIFICATES = 0xA0, 0xA0  # [0] IMPLICIT, each in its own structure


@cache
def _capabilities(announces_kems: bool) -> bytes:
    listed = (*_CLASSICAL_CAPABILITIES, *_KEM_CAPABILITIES * announces_kems)
    return bytes(asn1.Capabilities(list(listed)).dump())


def sign_detached(content: bytes, signer: KeyPair, *, signed_at: datetime) -> bytes:
    """Give the DER of a SignedData over `content` without the content.

    `content` is signed as it is: CRLF line ends are the caller's promise. Raises CannotSignError.
    """
    return b"".join(signed_data([content], signer, signed_at=signed_at, is_detached=True))


def sign_opaque(content: bytes, signer: KeyPair, *, signed_at: datetime) -> bytes:
    """Give the DER of a SignedData that carries `content`. Raises CannotSignError."""
    return b"".join(signed_data([content], signer, signed_at=signed_at, is_detached=False))


def micalg(signer: KeyPair) -> str:
    """Give the `micalg` parameter for multipart/signed (RFC 8551 §3.5.3.2)."""
    name = _method(signer).hash_name
    return name if name == "shake256" else "sha-" + name.removeprefix("sha")


def signed_data(
    content: Sequence[Octets],
    signer: KeyPair,
    *,
    signed_at: datetime,
    is_detached: bool,
    announces_kems: bool = False,
) -> list[Octets]:
    """Give a SignedData over `content`, which comes in pieces, as pieces: content is not copied.

    `announces_kems` adds key encapsulation to the capabilities. Raises CannotSignError.
    """
    method = _method(signer)
    attributes = _attributes(content, signer, method, signed_at, _capabilities(announces_kems))
    signature = _sign(signer, method, set_of(attributes))
    digest_algorithm = method.digest_algorithm.dump()
    holder: list[Octets] = [object_identifier(algorithms.DATA)]
    if not is_detached:
        holder += wrapped(EXPLICIT_0, wrapped(OCTET_STRING, content))
    signer_info = sequence(
        integer(1),
        issuer_and_serial(signer.certificate),
        digest_algorithm,
        set_of(attributes, tag=_SIGNED_ATTRIBUTES),
        method.signature_algorithm.dump(),
        octet_string(signature),
    )
    certificates = [each.public_bytes(Encoding.DER) for each in _enclosed(signer)]
    signed: list[Octets] = [
        integer(1),
        set_of([digest_algorithm]),
        *wrapped(SEQUENCE, holder),
        set_of(certificates, tag=_CERTIFICATES),
        set_of([signer_info]),
    ]
    return content_pieces(algorithms.SIGNED_DATA, signed)


def _method(signer: KeyPair) -> _Method:
    match signer.key:
        case rsa.RSAPrivateKey():
            if signer.certificate.public_key_algorithm_oid.dotted_string == algorithms.RSA_PSS:
                return _pss_method()
            return _method_of("sha256", algorithm_with_null(algorithms.RSA_ENCRYPTION))
        case ec.EllipticCurvePrivateKey() as key:
            if key.curve.key_size > 384:
                return _method_of("sha512", algorithm("1.2.840.10045.4.3.4"))
            if key.curve.key_size > 256:
                return _method_of("sha384", algorithm("1.2.840.10045.4.3.3"))
            return _method_of("sha256", algorithm("1.2.840.10045.4.3.2"))
        case ed25519.Ed25519PrivateKey():
            return _method_of("sha512", algorithm(algorithms.ED25519))  # RFC 8419 §3.1
        case mldsa.MLDSA44PrivateKey():
            return _method_of("sha512", algorithm(algorithms.ML_DSA_44))  # RFC 9882 §3.3
        case mldsa.MLDSA65PrivateKey():
            return _method_of("sha512", algorithm(algorithms.ML_DSA_65))
        case mldsa.MLDSA87PrivateKey():
            return _method_of("sha512", algorithm(algorithms.ML_DSA_87))
        case CompositePrivateKey() as key:
            return _method_of(key.scheme.pre_hash, algorithm(key.scheme.oid))
        case _:
            raise CannotSignError("this kind of key does not sign mail")


def _method_of(hash_name: str, signature: asn1.Algorithm) -> _Method:
    return _Method(hash_name, algorithm(algorithms.DIGEST_OIDS[hash_name]), signature)


def _pss_method() -> _Method:
    sha256 = algorithm(algorithms.DIGEST_OIDS["sha256"])
    parameters = asn1.PssParameters(
        {"hash": sha256, "mask": algorithm(algorithms.MGF1, sha256), "salt_length": 32}
    )
    return _Method("sha256", sha256, algorithm(algorithms.RSA_PSS, parameters))


def _attributes(
    content: Sequence[Octets],
    signer: KeyPair,
    method: _Method,
    signed_at: datetime,
    capabilities: bytes,
) -> list[bytes]:
    certificate_hash = hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).digest()
    # RFC 5035 §4: the certificate by its SHA-256, which is what an absent algorithm means.
    named = sequence(sequence(sequence(octet_string(certificate_hash))))
    values = [
        (algorithms.CONTENT_TYPE, object_identifier(algorithms.DATA)),
        (algorithms.SIGNING_TIME, time(signed_at)),
        (algorithms.MESSAGE_DIGEST, octet_string(_digest(method.hash_name, content))),
        (algorithms.SMIME_CAPABILITIES, capabilities),
        (algorithms.SIGNING_CERTIFICATE_V2, named),
    ]
    if method.signature_algorithm["algorithm"].dotted in algorithms.POST_QUANTUM_SIGNATURES:
        protected = algorithm_protection(method.digest_algorithm, method.signature_algorithm)
        values.append((algorithms.ALGORITHM_PROTECTION, protected))
    return [sequence(object_identifier(oid), set_of([value])) for oid, value in values]


def _digest(name: str, content: Sequence[Octets]) -> bytes:
    if name == "shake256":
        shake = hashlib.shake_256()
        for piece in content:
            shake.update(piece)
        return shake.digest(algorithms.SHAKE256_SIZE)
    digest = hashlib.new(name)
    for piece in content:
        digest.update(piece)
    return digest.digest()


def _sign(signer: KeyPair, method: _Method, message: bytes) -> bytes:
    match signer.key:
        case rsa.RSAPrivateKey() as key:
            if method.signature_algorithm["algorithm"].dotted == algorithms.RSA_PSS:
                scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
                return key.sign(message, scheme, hashes.SHA256())
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePrivateKey() as key:
            by_name = {
                "sha256": hashes.SHA256(),
                "sha384": hashes.SHA384(),
                "sha512": hashes.SHA512(),
            }
            return key.sign(message, ec.ECDSA(by_name[method.hash_name]))
        case (
            ed25519.Ed25519PrivateKey()
            | mldsa.MLDSA44PrivateKey()
            | mldsa.MLDSA65PrivateKey()
            | mldsa.MLDSA87PrivateKey()
            | CompositePrivateKey()
        ) as key:
            return key.sign(message)
        case _:
            raise CannotSignError("this kind of key does not sign mail")


def _enclosed(signer: KeyPair) -> Sequence[x509.Certificate]:
    """Give the certificates to send: the signer's and the chain without a root (RFC 8550 §2.3)."""
    chain = [each for each in signer.chain if not is_self_signed(each)]
    return (signer.certificate, *chain)
