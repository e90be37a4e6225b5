"""Sign certificates and revocation lists, with composite keys, too.

The library's builders know neither composite subjects nor composite issuers. There they build with
a key made for the moment; what they built is given the right key and algorithm and is signed anew.
"""

import hashlib
from typing import cast

from asn1crypto import core, parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import (
    dsa,
    ec,
    ed448,
    ed25519,
    mldsa,
    padding,
    rsa,
)
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smime.pki.composite_kems import CompositeKemPublicKey
from smime.pki.composite_signatures import CompositePrivateKey, CompositePublicKey
from smime.pki.key_info import read_public_key_info
from smime.pki.private_keys import PublicKey

type IssuerKey = CertificateIssuerPrivateKeyTypes | CompositePrivateKey
type SigningHash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

# Where these stand in TBSCertificate and TBSCertList of the second version and above (RFC 5280
# §4.1, §5.1): the version comes first.
_METHOD_IN_CERTIFICATE, _KEY_IN_CERTIFICATE, _METHOD_IN_LIST = 2, 6, 1
_UNIVERSAL, _CONSTRUCTED, _SEQUENCE = 0, 1, 16


def sign_certificate(
    builder: x509.CertificateBuilder,
    public: PublicKey,
    issuer: IssuerKey,
    hash_algorithm: SigningHash | None = None,
) -> x509.Certificate:
    """Give the certificate of `public` that `builder` describes; None fits the hash to the key."""
    used = hash_algorithm or hash_for(issuer)
    is_composite = isinstance(public, CompositePublicKey | CompositeKemPublicKey)
    if not is_composite and not isinstance(issuer, CompositePrivateKey):
        return builder.public_key(cast("CertificatePublicKeyTypes", public)).sign(issuer, used)
    placeholder = ec.generate_private_key(ec.SECP256R1())
    ready = builder.public_key(placeholder.public_key())
    built = ready.sign(*_library_signer(issuer, used))
    body = _members(built.tbs_certificate_bytes)
    body[_KEY_IN_CERTIFICATE] = _info(public)
    return x509.load_der_x509_certificate(_signed(body, _METHOD_IN_CERTIFICATE, issuer, used))


def sign_crl(
    builder: x509.CertificateRevocationListBuilder, issuer: IssuerKey
) -> x509.CertificateRevocationList:
    """Give the revocation list that `builder` describes."""
    used = hash_for(issuer)
    built = builder.sign(*_library_signer(issuer, used))
    if not isinstance(issuer, CompositePrivateKey):
        return built
    body = _members(built.tbs_certlist_bytes)
    return x509.load_der_x509_crl(_signed(body, _METHOD_IN_LIST, issuer, used))


def key_identifier(key: PublicKey) -> x509.SubjectKeyIdentifier:
    """Give the identifier of a public key: the SHA-1 of its octets (RFC 5280 §4.2.1.2)."""
    _, octets = read_public_key_info(_info(key))
    return x509.SubjectKeyIdentifier(hashlib.sha1(octets, usedforsecurity=False).digest())


def hash_for(key: IssuerKey) -> SigningHash | None:
    """Choose the hash of an issuer's signatures; None where the kind of key fixes it."""
    match key:
        case ec.EllipticCurvePrivateKey() if key.key_size > 384:
            return hashes.SHA512()
        case ec.EllipticCurvePrivateKey() if key.key_size > 256:
            return hashes.SHA384()
        case ec.EllipticCurvePrivateKey() | rsa.RSAPrivateKey() | dsa.DSAPrivateKey():
            return hashes.SHA256()
        case _:
            return None


def _library_signer(
    issuer: IssuerKey, used: SigningHash | None
) -> tuple[CertificateIssuerPrivateKeyTypes, SigningHash | None]:
    if isinstance(issuer, CompositePrivateKey):
        return ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    return issuer, used


def _info(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed(body: list[bytes], method: int, issuer: IssuerKey, used: SigningHash | None) -> bytes:
    """Sign a changed body again and give the whole; `method` is where the algorithm stands."""
    if isinstance(issuer, CompositePrivateKey):
        body[method] = _sequence(core.ObjectIdentifier(issuer.scheme.oid).dump())
    octets = _sequence(*body)
    signature = core.OctetBitString(_signature(issuer, octets, used))
    return _sequence(octets, body[method], signature.dump())


def _members(encoded: bytes) -> list[bytes]:
    """Take a SEQUENCE apart without asking what its members mean."""
    contents = parser.parse(encoded)[4]
    found: list[bytes] = []
    while contents:
        length = parser.peek(contents)
        found.append(contents[:length])
        contents = contents[length:]
    return found


def _sequence(*members: bytes) -> bytes:
    return bytes(parser.emit(_UNIVERSAL, _CONSTRUCTED, _SEQUENCE, b"".join(members)))


def _signature(issuer: IssuerKey, octets: bytes, used: SigningHash | None) -> bytes:
    match issuer:
        case ec.EllipticCurvePrivateKey() if used is not None:
            return issuer.sign(octets, ec.ECDSA(used))
        case rsa.RSAPrivateKey() if used is not None:
            return issuer.sign(octets, padding.PKCS1v15(), used)
        case dsa.DSAPrivateKey() if used is not None:
            return issuer.sign(octets, used)
        case (
            ed25519.Ed25519PrivateKey()
            | ed448.Ed448PrivateKey()
            | mldsa.MLDSA44PrivateKey()
            | mldsa.MLDSA65PrivateKey()
            | mldsa.MLDSA87PrivateKey()
            | CompositePrivateKey()
        ):
            return issuer.sign(octets)
        case _:
            raise TypeError("this kind of key issues nothing")
