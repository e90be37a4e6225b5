"""Composite ML-KEM: a secret that is safe as long as one of its two halves is.

draft-ietf-lamps-pq-composite-kem (object identifiers as IANA assigned them):

    secret = SHA3-256(ML-KEM's ‖ the classical one ‖ classical ciphertext ‖ classical key ‖ label)
    ciphertext, public key and private key (ML-KEM's is its seed) = ML-KEM's ‖ the classical one

The combinations with RSA-OAEP are not known here.
"""

from dataclasses import dataclass
from hashlib import sha3_256

from cryptography.hazmat.primitives.asymmetric import ec, mlkem

from smime.pki.composite_halves import CompositePrivateHalves, CompositePublicHalves
from smime.pki.composite_parts import Classical, agree, public_octets

type MlKemPublicKey = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey
type MlKemPrivateKey = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey

_ARC = "1.3.6.1.5.5.7.6"
_SEED_SIZE = 64  # bytes of an ML-KEM private key


@dataclass(frozen=True, slots=True)
class _MlKem:
    public: type[MlKemPublicKey]
    private: type[MlKemPrivateKey]
    public_size: int  # bytes
    ciphertext_size: int


_ML_KEM = {
    768: _MlKem(mlkem.MLKEM768PublicKey, mlkem.MLKEM768PrivateKey, 1184, 1088),
    1024: _MlKem(mlkem.MLKEM1024PublicKey, mlkem.MLKEM1024PrivateKey, 1568, 1568),
}


@dataclass(frozen=True, slots=True)
class CompositeKem:
    """One of the combinations the draft fixes."""

    oid: str
    name: str  # as the draft has it, without "id-"
    level: int  # the ML-KEM parameter set: 768 or 1024
    classical: Classical
    label: bytes

    @property
    def post_quantum(self) -> _MlKem:
        """The ML-KEM half."""
        return _ML_KEM[self.level]

    def combine(self, secrets: tuple[bytes, bytes], ciphertext: bytes, key: bytes) -> bytes:
        """Make one secret of both, bound to the classical ciphertext and public key."""
        return sha3_256(b"".join((*secrets, ciphertext, key, self.label))).digest()


@dataclass(frozen=True, slots=True)
class CompositeKemPublicKey(CompositePublicHalves[CompositeKem, MlKemPublicKey]):
    """The public key of a composite key encapsulation."""

    @classmethod
    def from_octets(cls, scheme: CompositeKem, octets: bytes) -> "CompositeKemPublicKey":
        """Read it as it stands in a certificate; raises ValueError."""
        size = scheme.post_quantum.public_size
        return cls(
            scheme,
            scheme.post_quantum.public.from_public_bytes(octets[:size]),
            scheme.classical.load_public(octets[size:]),
        )

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Make a fresh secret; give it and the ciphertext that carries it."""
        first, ciphertext = self.post_quantum.encapsulate()
        ephemeral = self.scheme.classical.new_key()
        point = public_octets(ephemeral.public_key())
        second = agree(ephemeral, self.classical)
        secret = self.scheme.combine((first, second), point, public_octets(self.classical))
        return secret, ciphertext + point


@dataclass(frozen=True, slots=True)
class CompositeKemPrivateKey(CompositePrivateHalves[CompositeKem, MlKemPrivateKey]):
    """The private key of a composite key encapsulation."""

    @classmethod
    def generate(cls, scheme: CompositeKem) -> "CompositeKemPrivateKey":
        """Make a key of two fresh halves."""
        return cls(scheme, scheme.post_quantum.private.generate(), scheme.classical.new_key())

    @classmethod
    def from_octets(cls, scheme: CompositeKem, octets: bytes) -> "CompositeKemPrivateKey":
        """Read it as it stands in a OneAsymmetricKey; raises ValueError."""
        return cls(
            scheme,
            scheme.post_quantum.private.from_seed_bytes(octets[:_SEED_SIZE]),
            scheme.classical.load_private(octets[_SEED_SIZE:]),
        )

    def public_key(self) -> CompositeKemPublicKey:
        """Give the public key to it."""
        return CompositeKemPublicKey(
            self.scheme, self.post_quantum.public_key(), self.classical.public_key()
        )

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Give the secret; raises ValueError for a ciphertext of another shape."""
        size = self.scheme.post_quantum.ciphertext_size
        point = ciphertext[size:]
        first = self.post_quantum.decapsulate(ciphertext[:size])
        second = agree(self.classical, self.scheme.classical.load_public(point))
        own = public_octets(self.classical.public_key())
        return self.scheme.combine((first, second), point, own)


def _ecdh(number: int, level: int, curve: ec.EllipticCurve, name: str, label: str) -> CompositeKem:
    return CompositeKem(
        f"{_ARC}.{number}",
        f"MLKEM{level}-ECDH-{name}-SHA3-256",
        level,
        Classical("ecdh", curve=curve),
        f"MLKEM{level}-{label}".encode(),
    )


COMPOSITE_KEMS = {
    scheme.oid: scheme
    for scheme in (
        CompositeKem(
            f"{_ARC}.58", "MLKEM768-X25519-SHA3-256", 768, Classical("x25519"), b"\\.//^\\"
        ),
        _ecdh(59, 768, ec.SECP256R1(), "P256", "P256"),
        _ecdh(60, 768, ec.SECP384R1(), "P384", "P384"),
        _ecdh(61, 768, ec.BrainpoolP256R1(), "brainpoolP256r1", "BP256"),
        _ecdh(63, 1024, ec.SECP384R1(), "P384", "P384"),
        _ecdh(64, 1024, ec.BrainpoolP384R1(), "brainpoolP384r1", "BP384"),
        CompositeKem(
            f"{_ARC}.65", "MLKEM1024-X448-SHA3-256", 1024, Classical("x448"), b"MLKEM1024-X448"
        ),
        _ecdh(66, 1024, ec.SECP521R1(), "P521", "P521"),
    )
}
