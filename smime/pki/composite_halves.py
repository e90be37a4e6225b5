"""What every composite key is: a post-quantum half and a classical one, one after the other."""

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from smime.pki.composite_parts import (
    ClassicalPrivateKey,
    ClassicalPublicKey,
    private_octets,
    public_octets,
)
from smime.pki.key_info import private_key_info, public_key_info


class Scheme(Protocol):
    """One of the combinations that a draft fixes."""

    @property
    def oid(self) -> str:
        """Its object identifier, of the key as of what the key makes."""


class RawPublicKey(Protocol):
    """A post-quantum public key."""

    def public_bytes_raw(self) -> bytes:
        """Give its raw encoding."""


class RawPrivateKey(Protocol):
    """A post-quantum private key."""

    def private_bytes_raw(self) -> bytes:
        """Give its seed."""


@dataclass(frozen=True, slots=True)
class CompositePublicHalves[S: Scheme, P: RawPublicKey]:
    """A public key of two halves."""

    scheme: S
    post_quantum: P
    classical: ClassicalPublicKey

    def octets(self) -> bytes:
        """Give it as it stands in a certificate."""
        return self.post_quantum.public_bytes_raw() + public_octets(self.classical)

    def public_bytes(self, _encoding: Encoding, _format: PublicFormat) -> bytes:
        """Give the DER of the SubjectPublicKeyInfo, the one form there is."""
        return public_key_info(self.scheme.oid, self.octets())


@dataclass(frozen=True, slots=True)
class CompositePrivateHalves[S: Scheme, P: RawPrivateKey]:
    """A private key of two halves."""

    scheme: S
    post_quantum: P
    classical: ClassicalPrivateKey

    def octets(self) -> bytes:
        """Give it as it stands in a OneAsymmetricKey."""
        return self.post_quantum.private_bytes_raw() + private_octets(self.classical)

    def private_bytes(
        self, _encoding: Encoding, _format: PrivateFormat, encryption: KeySerializationEncryption
    ) -> bytes:
        """Give the DER of the OneAsymmetricKey, the one form there is; it is not encrypted."""
        if not isinstance(encryption, NoEncryption):
            raise TypeError("a composite key is encrypted by private_keys.encrypted")
        return private_key_info(self.scheme.oid, self.octets())
