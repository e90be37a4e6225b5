"""Write SignedData (RFC 5652 §5, RFC 8551 §2.5).

RSA signs with v1.5 and SHA-256, or PSS when the certificate's key says so; elliptic curves with the
hash of their size; Ed25519 as RFC 8419 fixes it. Signed attributes: content type, digest, time,
capabilities, and the signing certificate.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import algorithms, asn1
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
from smime.pki.pkcs12 import KeyPair


class CannotSignError(Exception):
    """The key is of a kind that mail is not signed with."""


@dataclass(frozen=True, slots=True)
class _Method:
    hash_name: str
    digest_algorithm: asn1.Algorithm
    signature_algorithm: asn1.Algorithm


# In order of preference and grouped (RFC 8551 §2.5.2): what this reader opens.
_CAPABILITIES = asn1.Capabilities(
    [
        algorithm(algorithms.AES_256_GCM.oid),
        algorithm(algorithms.AES_128_GCM.oid),
        algorithm(algorithms.AES_256_CBC.oid),
        algorithm(algorithms.AES_128_CBC.oid),
        algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
        algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
        algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
        algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
    ]
).dump()
_SIGNED_ATTRIBUTES, _CERTIFICATES = 0xA0, 0xA0  # [0] IMPLICIT, each in its own structure


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
    return "sha-" + _method(signer).hash_name.removeprefix("sha")


def signed_data(
    content: Sequence[Octets], signer: KeyPair, *, signed_at: datetime, is_detached: bool
) -> list[Octets]:
    """Give a SignedData over `content`, which comes in pieces, as pieces: content is not copied.

    Raises CannotSignError.
    """
    method = _method(signer)
    attributes = _attributes(content, signer, method, signed_at)
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
    content: Sequence[Octets], signer: KeyPair, method: _Method, signed_at: datetime
) -> list[bytes]:
    certificate_hash = hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).digest()
    digest = hashlib.new(method.hash_name)
    for piece in content:
        digest.update(piece)
    # RFC 5035 §4: the certificate by its SHA-256, which is what an absent algorithm means.
    named = sequence(sequence(sequence(octet_string(certificate_hash))))
    values = (
        (algorithms.CONTENT_TYPE, object_identifier(algorithms.DATA)),
        (algorithms.SIGNING_TIME, time(signed_at)),
        (algorithms.MESSAGE_DIGEST, octet_string(digest.digest())),
        (algorithms.SMIME_CAPABILITIES, _CAPABILITIES),
        (algorithms.SIGNING_CERTIFICATE_V2, named),
    )
    return [sequence(object_identifier(oid), set_of([value])) for oid, value in values]


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
        case ed25519.Ed25519PrivateKey() as key:
            return key.sign(message)
        case _:
            raise CannotSignError("this kind of key does not sign mail")


def _enclosed(signer: KeyPair) -> Sequence[x509.Certificate]:
    """Give the certificates to send: the signer's and the chain without a root (RFC 8550 §2.3)."""
    chain = [each for each in signer.chain if not is_self_signed(each)]
    return (signer.certificate, *chain)
