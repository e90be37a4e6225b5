"""Write PKCS #12 (RFC 7292): by the library, or by hand for kinds of keys it refuses to write.

By hand: one safe with the certificates as they are, one with the shrouded key, both bound to the
passphrase by an HMAC. Certificates are no secret; the key is under PBES2 (see `private_keys`).
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Any

from asn1crypto import core
from asn1crypto import pkcs12 as asn1_pkcs12
from asn1crypto.keys import EncryptedPrivateKeyInfo
from asn1crypto.x509 import Certificate as Asn1Certificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)

from smime.pki.certificates import display_name
from smime.pki.pkcs12 import KeyPair
from smime.pki.private_keys import encrypted

MAC_ITERATIONS = 10_000
_MAC_KEY = 3  # RFC 7292 App. B.3: what the derived octets are for
_BLOCK = 64  # bytes of SHA-256
_SALT_SIZE = 16
_BY_LIBRARY = (
    rsa.RSAPrivateKey,
    dsa.DSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)


def to_pkcs12(pair: KeyPair, passphrase: str | None, *, friendly_name: str | None = None) -> bytes:
    """Write key, certificate and chain as PKCS #12; AES-256 unless `passphrase` is None.

    Raises ValueError without a passphrase for kinds of keys that are written by hand.
    """
    name = friendly_name or display_name(pair.certificate)
    if not isinstance(pair.key, _BY_LIBRARY):
        if passphrase is None:
            raise ValueError("this kind of key is written under a passphrase only")
        return _by_hand(pair, passphrase, name)
    encryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase is not None else NoEncryption()
    )
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        pair.key,
        pair.certificate,
        pair.chain,
        encryption,
    )


def _by_hand(pair: KeyPair, passphrase: str, name: str) -> bytes:
    own = pair.certificate.public_bytes(Encoding.DER)
    mark = _attributes(name, hashlib.sha1(own, usedforsecurity=False).digest())
    shrouded = EncryptedPrivateKeyInfo.load(encrypted(pair.key, passphrase.encode()))
    certificates = [_certificate_bag(pair.certificate, mark)]
    certificates += [_certificate_bag(each, None) for each in pair.chain]
    key = {"bag_id": "pkcs8_shrouded_key_bag", "bag_value": shrouded, "bag_attributes": mark}
    safes = asn1_pkcs12.AuthenticatedSafe([_safe(certificates), _safe([key])]).dump()
    salt = os.urandom(_SALT_SIZE)
    secret = _mac_key(passphrase, salt)
    return bytes(
        asn1_pkcs12.Pfx(
            {
                "version": "v3",
                "auth_safe": {"content_type": "data", "content": safes},
                "mac_data": {
                    "mac": {
                        "digest_algorithm": {"algorithm": "sha256"},
                        "digest": hmac.digest(secret, safes, "sha256"),
                    },
                    "mac_salt": salt,
                    "iterations": MAC_ITERATIONS,
                },
            }
        ).dump()
    )


def _safe(bags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    contents = asn1_pkcs12.SafeContents(list(bags)).dump()
    return {"content_type": "data", "content": core.OctetString(contents)}


def _certificate_bag(certificate: x509.Certificate, mark: Any) -> dict[str, Any]:
    loaded = Asn1Certificate.load(certificate.public_bytes(Encoding.DER))
    value = asn1_pkcs12.CertBag(
        {"cert_id": "x509", "cert_value": core.ParsableOctetString(loaded.dump())}
    )
    bag: dict[str, Any] = {"bag_id": "cert_bag", "bag_value": value}
    if mark is not None:
        bag["bag_attributes"] = mark
    return bag


def _attributes(name: str, key_id: bytes) -> Any:
    return asn1_pkcs12.Attributes(
        [
            {"type": "friendly_name", "values": [core.BMPString(name)]},
            {"type": "local_key_id", "values": [core.OctetString(key_id)]},
        ]
    )


def _mac_key(passphrase: str, salt: bytes) -> bytes:
    """Derive the MAC's key: RFC 7292 App. B.2, of which SHA-256 needs one round."""
    # RFC 7292 App. B.1: two bytes a character, and a zero character at the end.
    secret = passphrase.encode("utf-16-be") + b"\x00\x00"
    block = bytes([_MAC_KEY]) * _BLOCK + _filled(salt) + _filled(secret)
    for _ in range(MAC_ITERATIONS):
        block = hashlib.sha256(block).digest()
    return block


def _filled(octets: bytes) -> bytes:
    """Repeat octets until they fill whole blocks."""
    size = -(-len(octets) // _BLOCK) * _BLOCK
    return (octets * (size // len(octets) + 1))[:size]
