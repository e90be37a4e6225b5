"""The classical half of composite keys: how it is written beside a post-quantum key.

Composites concatenate raw encodings (draft-ietf-lamps-pq-composite-sigs §5, draft-ietf-lamps-
pq-composite-kem §4): RSA as PKCS #1, elliptic points uncompressed, their private keys as an
ECPrivateKey (RFC 5915) that names its curve and leaves the public key out, the rest as raw octets.
"""

# mypy: disable-error-code="misc"
# asn1crypto has no types, so its classes look like Any to subclass.

from dataclasses import dataclass
from typing import Literal

from asn1crypto import core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed448,
    ed25519,
    padding,
    rsa,
    x448,
    x25519,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

type ClassicalKind = Literal[
    "ecdsa", "ecdh", "ed25519", "ed448", "x25519", "x448", "rsa", "rsa-pss"
]
type ClassicalPublicKey = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | x25519.X25519PublicKey
    | x448.X448PublicKey
)
type ClassicalPrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | x25519.X25519PrivateKey
    | x448.X448PrivateKey
)

_CURVE_OIDS = {
    "secp256r1": "1.2.840.10045.3.1.7",
    "secp384r1": "1.3.132.0.34",
    "secp521r1": "1.3.132.0.35",
    "brainpoolP256r1": "1.3.36.3.3.2.8.1.1.7",
    "brainpoolP384r1": "1.3.36.3.3.2.8.1.1.11",
}
_PUBLIC_EXPONENT = 65537


class _EcPrivateKey(core.Sequence):
    """RFC 5915 §3."""

    _fields = [
        ("version", core.Integer),
        ("private_key", core.OctetString),
        ("parameters", core.ObjectIdentifier, {"explicit": 0, "optional": True}),
        ("public_key", core.BitString, {"explicit": 1, "optional": True}),
    ]


@dataclass(frozen=True, slots=True)
class Classical:
    """A classical algorithm as a composite fixes it; what it does not need stays None."""

    kind: ClassicalKind
    curve: ec.EllipticCurve | None = None
    hash: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None
    rsa_bits: int = 0

    def new_key(self) -> ClassicalPrivateKey:
        """Make a fresh key: a component key is never one that is used elsewhere."""
        match self.kind:
            case "ed25519":
                return ed25519.Ed25519PrivateKey.generate()
            case "ed448":
                return ed448.Ed448PrivateKey.generate()
            case "x25519":
                return x25519.X25519PrivateKey.generate()
            case "x448":
                return x448.X448PrivateKey.generate()
            case "ecdsa" | "ecdh":
                return ec.generate_private_key(self._curve())
            case _:
                return rsa.generate_private_key(_PUBLIC_EXPONENT, self.rsa_bits)

    def load_public(self, octets: bytes) -> ClassicalPublicKey:
        """Read a public key; raises ValueError for one of another kind or size."""
        match self.kind:
            case "ed25519":
                return ed25519.Ed25519PublicKey.from_public_bytes(octets)
            case "ed448":
                return ed448.Ed448PublicKey.from_public_bytes(octets)
            case "x25519":
                return x25519.X25519PublicKey.from_public_bytes(octets)
            case "x448":
                return x448.X448PublicKey.from_public_bytes(octets)
            case "ecdsa" | "ecdh":
                if octets[:1] != b"\x04":
                    raise ValueError("a point that is not written uncompressed")
                return ec.EllipticCurvePublicKey.from_encoded_point(self._curve(), octets)
            case _:
                key = load_der_public_key(octets)
                if not isinstance(key, rsa.RSAPublicKey) or key.key_size != self.rsa_bits:
                    raise ValueError("not an RSA key of the size the composite fixes")
                return key

    def load_private(self, octets: bytes) -> ClassicalPrivateKey:
        """Read a private key; raises ValueError for one of another kind or size."""
        match self.kind:
            case "ed25519":
                return ed25519.Ed25519PrivateKey.from_private_bytes(octets)
            case "ed448":
                return ed448.Ed448PrivateKey.from_private_bytes(octets)
            case "x25519":
                return x25519.X25519PrivateKey.from_private_bytes(octets)
            case "x448":
                return x448.X448PrivateKey.from_private_bytes(octets)
            case "ecdsa" | "ecdh":
                return self._load_ec(octets)
            case _:
                key = load_der_private_key(octets, None)
                if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != self.rsa_bits:
                    raise ValueError("not an RSA key of the size the composite fixes")
                return key

    def _load_ec(self, octets: bytes) -> ec.EllipticCurvePrivateKey:
        whole = _EcPrivateKey.load(octets, strict=True)
        named = whole["parameters"]
        curve = self._curve()
        if not isinstance(named, core.Void) and named.dotted != _CURVE_OIDS[curve.name]:
            raise ValueError("a key on another curve than the composite fixes")
        return ec.derive_private_key(int.from_bytes(bytes(whole["private_key"])), curve)

    def _curve(self) -> ec.EllipticCurve:
        assert self.curve is not None
        return self.curve

    def verify(self, key: ClassicalPublicKey, signature: bytes, message: bytes) -> None:
        """Check a signature; raises InvalidSignature."""
        match key:
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, message)
            case ec.EllipticCurvePublicKey() if self.hash is not None:
                key.verify(signature, message, ec.ECDSA(self.hash))
            case rsa.RSAPublicKey() if self.hash is not None:
                key.verify(signature, message, self._padding(), self.hash)
            case _:
                raise InvalidSignature

    def sign(self, key: ClassicalPrivateKey, message: bytes) -> bytes:
        """Sign a message; raises TypeError for a key that only agrees on secrets."""
        match key:
            case ed25519.Ed25519PrivateKey() | ed448.Ed448PrivateKey():
                return key.sign(message)
            case ec.EllipticCurvePrivateKey() if self.hash is not None:
                return key.sign(message, ec.ECDSA(self.hash))
            case rsa.RSAPrivateKey() if self.hash is not None:
                return key.sign(message, self._padding(), self.hash)
            case _:
                raise TypeError("this key does not sign")

    def _padding(self) -> padding.PSS | padding.PKCS1v15:
        assert self.hash is not None
        if self.kind == "rsa-pss":
            return padding.PSS(padding.MGF1(self.hash), self.hash.digest_size)
        return padding.PKCS1v15()


def public_octets(key: ClassicalPublicKey) -> bytes:
    """Give a public key as it stands in a composite."""
    match key:
        case rsa.RSAPublicKey():
            return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        case ec.EllipticCurvePublicKey():
            return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        case _:
            return key.public_bytes_raw()


def private_octets(key: ClassicalPrivateKey) -> bytes:
    """Give a private key as it stands in a composite."""
    match key:
        case rsa.RSAPrivateKey():
            return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        case ec.EllipticCurvePrivateKey():
            secret = key.private_numbers().private_value
            return bytes(
                _EcPrivateKey(
                    {
                        "version": 1,
                        "private_key": secret.to_bytes((key.key_size + 7) // 8),
                        "parameters": _CURVE_OIDS[key.curve.name],
                    }
                ).dump()
            )
        case _:
            return key.private_bytes_raw()


def agree(key: ClassicalPrivateKey, other: ClassicalPublicKey) -> bytes:
    """Give the secret both keys share; raises ValueError for keys that do not fit together."""
    match key, other:
        case ec.EllipticCurvePrivateKey(), ec.EllipticCurvePublicKey():
            return key.exchange(ec.ECDH(), other)
        case x25519.X25519PrivateKey(), x25519.X25519PublicKey():
            return key.exchange(other)
        case x448.X448PrivateKey(), x448.X448PublicKey():
            return key.exchange(other)
        case _:
            raise ValueError("keys that do not agree on a secret")
