"""Write SignedData (RFC 5652 §5, RFC 8551 §2.5).

RSA signs with v1.5 and SHA-256, or PSS when the certificate's key says so; elliptic curves with the
hash of their size; Ed25519 as RFC 8419 fixes it. Signed attributes: content type, digest, time,
capabilities, and the signing certificate.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import core
from asn1crypto.x509 import Certificate as Asn1Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import algorithms, asn1
from smime.cms.algorithms import algorithm, algorithm_with_null, content_info
from smime.cms.identifiers import issuer_and_serial
from smime.pki.certificates import is_self_signed
from smime.pki.pkcs12 import KeyPair

_UTC_TIME_END = 2050  # RFC 5652 §11.3: UTCTime until 2049


class CannotSignError(Exception):
    """The key is of a kind that mail is not signed with."""


@dataclass(frozen=True, slots=True)
class _Method:
    hash_name: str
    digest_algorithm: asn1.Algorithm
    signature_algorithm: asn1.Algorithm


# In order of preference and grouped (RFC 8551 §2.5.2): what this reader opens.
_CAPABILITIES = (
    algorithm(algorithms.AES_256_GCM.oid),
    algorithm(algorithms.AES_128_GCM.oid),
    algorithm(algorithms.AES_256_CBC.oid),
    algorithm(algorithms.AES_128_CBC.oid),
    algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
    algorithm(algorithms.ECDH_X963_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
    algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[32])),
    algorithm(algorithms.ECDH_HKDF_SHA256, algorithm(algorithms.WRAP_OIDS[16])),
)


def sign_detached(content: bytes, signer: KeyPair, *, signed_at: datetime) -> bytes:
    """Give the DER of a SignedData over `content` without the content.

    `content` is signed as it is: CRLF line ends are the caller's promise. Raises CannotSignError.
    """
    return _signed(content, signer, signed_at=signed_at, detached=True)


def sign_opaque(content: bytes, signer: KeyPair, *, signed_at: datetime) -> bytes:
    """Give the DER of a SignedData that carries `content`. Raises CannotSignError."""
    return _signed(content, signer, signed_at=signed_at, detached=False)


def micalg(signer: KeyPair) -> str:
    """Give the `micalg` parameter for multipart/signed (RFC 8551 §3.5.3.2)."""
    return "sha-" + _method(signer).hash_name.removeprefix("sha")


def _signed(content: bytes, signer: KeyPair, *, signed_at: datetime, detached: bool) -> bytes:
    method = _method(signer)
    attributes = _attributes(content, signer, method, signed_at)
    signature = _sign(signer, method, attributes.dump())
    encapsulated: dict[str, object] = {"content_type": algorithms.DATA}
    if not detached:
        encapsulated["content"] = content
    signed = asn1.SignedData(
        {
            "version": 1,
            "digest_algorithms": [method.digest_algorithm],
            "encap_content_info": encapsulated,
            "certificates": [_asn1(each) for each in _enclosed(signer)],
            "signer_infos": [
                {
                    "version": 1,
                    "sid": asn1.SignerIdentifier(
                        "issuer_and_serial_number", issuer_and_serial(signer.certificate)
                    ),
                    "digest_algorithm": method.digest_algorithm,
                    "signed_attrs": attributes,
                    "signature_algorithm": method.signature_algorithm,
                    "signature": signature,
                }
            ],
        }
    )
    return content_info(algorithms.SIGNED_DATA, signed)


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
    content: bytes, signer: KeyPair, method: _Method, signed_at: datetime
) -> asn1.Attributes:
    moment = signed_at.astimezone(UTC).replace(microsecond=0)
    time = core.UTCTime(moment) if moment.year < _UTC_TIME_END else core.GeneralizedTime(moment)
    certificate_hash = hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).digest()
    digest = hashlib.new(method.hash_name, content).digest()
    values: list[tuple[str, core.Asn1Value]] = [
        (algorithms.CONTENT_TYPE, core.ObjectIdentifier(algorithms.DATA)),
        (algorithms.SIGNING_TIME, time),
        (algorithms.MESSAGE_DIGEST, core.OctetString(digest)),
        (algorithms.SMIME_CAPABILITIES, asn1.Capabilities(list(_CAPABILITIES))),
        (
            algorithms.SIGNING_CERTIFICATE_V2,
            asn1.SigningCertificateV2({"certs": [{"hash": certificate_hash}]}),
        ),
    ]
    return asn1.Attributes([{"type": oid, "values": [value]} for oid, value in values])


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


def _asn1(certificate: x509.Certificate) -> Asn1Certificate:
    return Asn1Certificate.load(certificate.public_bytes(Encoding.DER))
