"""Composite ML-DSA: one key of a post-quantum and a classical half, both of which must sign.

draft-ietf-lamps-pq-composite-sigs (object identifiers as IANA assigned them):

    M' = prefix ‖ label ‖ 0 (no context) ‖ PH(message);  ML-DSA signs M' with the label as context
    signature = ML-DSA's ‖ the classical one;  public key = ML-DSA's ‖ the classical one
    private key = ML-DSA's seed ‖ the classical one
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from smime.pki.composite_halves import CompositePrivateHalves, CompositePublicHalves
from smime.pki.composite_parts import Classical

type MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
type MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
type PreHash = Literal["sha256", "sha512", "shake256"]

_PREFIX = b"CompositeAlgorithmSignatures2025"
_ARC = "1.3.6.1.5.5.7.6"
_SEED_SIZE = 32  # bytes of an ML-DSA private key
_NO_CONTEXT = b"\x00"  # its length
_SHAKE_SIZE = 64  # bytes


@dataclass(frozen=True, slots=True)
class _MlDsa:
    public: type[MlDsaPublicKey]
    private: type[MlDsaPrivateKey]
    public_size: int  # bytes
    signature_size: int


_ML_DSA = {
    44: _MlDsa(mldsa.MLDSA44PublicKey, mldsa.MLDSA44PrivateKey, 1312, 2420),
    65: _MlDsa(mldsa.MLDSA65PublicKey, mldsa.MLDSA65PrivateKey, 1952, 3309),
    87: _MlDsa(mldsa.MLDSA87PublicKey, mldsa.MLDSA87PrivateKey, 2592, 4627),
}


@dataclass(frozen=True, slots=True)
class CompositeScheme:
    """One of the combinations the draft fixes."""

    oid: str
    name: str  # as the draft has it, without "id-"
    level: int  # the ML-DSA parameter set: 44, 65 or 87
    pre_hash: PreHash  # of the message; CMS digests the content with it, too
    classical: Classical
    label: bytes

    @property
    def post_quantum(self) -> _MlDsa:
        """The ML-DSA half."""
        return _ML_DSA[self.level]

    def representative(self, message: bytes) -> bytes:
        """Give M', what both halves sign."""
        return _PREFIX + self.label + _NO_CONTEXT + self._hashed(message)

    def _hashed(self, message: bytes) -> bytes:
        if self.pre_hash == "shake256":
            return hashlib.shake_256(message).digest(_SHAKE_SIZE)
        return hashlib.new(self.pre_hash, message).digest()


@dataclass(frozen=True, slots=True)
class CompositePublicKey(CompositePublicHalves[CompositeScheme, MlDsaPublicKey]):
    """The public key of a composite signature."""

    @classmethod
    def from_octets(cls, scheme: CompositeScheme, octets: bytes) -> "CompositePublicKey":
        """Read it as it stands in a certificate; raises ValueError."""
        size = scheme.post_quantum.public_size
        return cls(
            scheme,
            scheme.post_quantum.public.from_public_bytes(octets[:size]),
            scheme.classical.load_public(octets[size:]),
        )

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check both halves of a signature; raises InvalidSignature if either is wrong."""
        size = self.scheme.post_quantum.signature_size
        if len(signature) <= size:
            raise InvalidSignature
        representative = self.scheme.representative(message)
        self.post_quantum.verify(signature[:size], representative, self.scheme.label)
        self.scheme.classical.verify(self.classical, signature[size:], representative)


@dataclass(frozen=True, slots=True)
class CompositePrivateKey(CompositePrivateHalves[CompositeScheme, MlDsaPrivateKey]):
    """The private key of a composite signature."""

    @classmethod
    def generate(cls, scheme: CompositeScheme) -> "CompositePrivateKey":
        """Make a key of two fresh halves."""
        return cls(scheme, scheme.post_quantum.private.generate(), scheme.classical.new_key())

    @classmethod
    def from_octets(cls, scheme: CompositeScheme, octets: bytes) -> "CompositePrivateKey":
        """Read it as it stands in a OneAsymmetricKey; raises ValueError."""
        return cls(
            scheme,
            scheme.post_quantum.private.from_seed_bytes(octets[:_SEED_SIZE]),
            scheme.classical.load_private(octets[_SEED_SIZE:]),
        )

    def public_key(self) -> CompositePublicKey:
        """Give the public key to it."""
        return CompositePublicKey(
            self.scheme, self.post_quantum.public_key(), self.classical.public_key()
        )

    def sign(self, message: bytes) -> bytes:
        """Sign with both halves."""
        representative = self.scheme.representative(message)
        return self.post_quantum.sign(
            representative, self.scheme.label
        ) + self.scheme.classical.sign(self.classical, representative)


def _scheme(
    number: int, level: int, classical: Classical, name: str, pre_hash: PreHash, label: str = ""
) -> CompositeScheme:
    suffix = f"{name}-{pre_hash.upper()}"
    return CompositeScheme(
        oid=f"{_ARC}.{number}",
        name=f"MLDSA{level}-{suffix}",
        level=level,
        pre_hash=pre_hash,
        classical=classical,
        label=f"COMPSIG-MLDSA{level}-{label or name}-{pre_hash.upper()}".encode(),
    )


def _ecdsa(
    curve: ec.EllipticCurve, used: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
) -> Classical:
    return Classical("ecdsa", curve=curve, hash=used)


def _rsa(bits: int, *, is_pss: bool) -> Classical:
    used = hashes.SHA384() if bits > 3072 else hashes.SHA256()
    return Classical("rsa-pss" if is_pss else "rsa", hash=used, rsa_bits=bits)


_P256 = _ecdsa(ec.SECP256R1(), hashes.SHA256())
_P384 = _ecdsa(ec.SECP384R1(), hashes.SHA384())
_P521 = _ecdsa(ec.SECP521R1(), hashes.SHA512())
_BP256 = _ecdsa(ec.BrainpoolP256R1(), hashes.SHA256())
_BP384 = _ecdsa(ec.BrainpoolP384R1(), hashes.SHA384())
_ED25519, _ED448 = Classical("ed25519"), Classical("ed448")

COMPOSITE_SIGNATURES = {
    scheme.oid: scheme
    for scheme in (
        _scheme(37, 44, _rsa(2048, is_pss=True), "RSA2048-PSS", "sha256"),
        _scheme(38, 44, _rsa(2048, is_pss=False), "RSA2048-PKCS15", "sha256"),
        _scheme(39, 44, _ED25519, "Ed25519", "sha512"),
        _scheme(40, 44, _P256, "ECDSA-P256", "sha256"),
        _scheme(41, 65, _rsa(3072, is_pss=True), "RSA3072-PSS", "sha512"),
        _scheme(42, 65, _rsa(3072, is_pss=False), "RSA3072-PKCS15", "sha512"),
        _scheme(43, 65, _rsa(4096, is_pss=True), "RSA4096-PSS", "sha512"),
        _scheme(44, 65, _rsa(4096, is_pss=False), "RSA4096-PKCS15", "sha512"),
        _scheme(45, 65, _P256, "ECDSA-P256", "sha512"),
        _scheme(46, 65, _P384, "ECDSA-P384", "sha512"),
        _scheme(47, 65, _BP256, "ECDSA-brainpoolP256r1", "sha512", "ECDSA-BP256"),
        _scheme(48, 65, _ED25519, "Ed25519", "sha512"),
        _scheme(49, 87, _P384, "ECDSA-P384", "sha512"),
        _scheme(50, 87, _BP384, "ECDSA-brainpoolP384r1", "sha512", "ECDSA-BP384"),
        _scheme(51, 87, _ED448, "Ed448", "shake256"),
        _scheme(52, 87, _rsa(3072, is_pss=True), "RSA3072-PSS", "sha512"),
        _scheme(53, 87, _rsa(4096, is_pss=True), "RSA4096-PSS", "sha512"),
        _scheme(54, 87, _P521, "ECDSA-P521", "sha512"),
    )
}
