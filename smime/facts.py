"""What is true of a message's protection, before anybody is trusted and without a clock.

`smime.reading` finds these facts; `smime.verdict` judges them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography import x509

from smime.cms.errors import Reason
from smime.cms.identifiers import CertificateId
from smime.cms.verifying import SignatureCheck
from smime.list_mail import ListMail
from webmail.mime import Address

type LayerKind = Literal["clear-signed", "signed", "enveloped", "auth-enveloped", "compressed"]
type EncryptionState = Literal[
    "opened", "key-missing", "damaged", "tampered", "obsolete", "too-large", "too-nested"
]


@dataclass(frozen=True, slots=True)
class SignerFacts:
    """One signature of a layer."""

    check: SignatureCheck
    identifier: CertificateId
    signed_at: datetime | None  # the signer's claim
    has_attributes: bool
    capabilities: tuple[bytes, ...]  # DER of each, in the signer's order of preference


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """A layer that is a signature. Without signers and without `reason`: certificates only."""

    signers: tuple[SignerFacts, ...]
    certificates: tuple[x509.Certificate, ...] = ()  # that travel with it
    reason: Reason | None = None  # why the layer as a whole cannot be checked
    micalg_differs: bool = False


@dataclass(frozen=True, slots=True)
class EncryptionFacts:
    """A layer that is packed: encrypted or compressed."""

    state: EncryptionState
    cipher: str = ""  # "aes-256-gcm"; "" when unknown
    is_authenticated: bool = False
    is_obsolete: bool = False
    recipient_count: int = 0
    recipients: tuple[CertificateId, ...] = ()
    opened_by: x509.Certificate | None = None  # the own certificate it was encrypted for
    is_former_key: bool = False


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer, outermost first in `Facts.layers`."""

    kind: LayerKind
    part: str  # section number in the message of the layer outside
    signature: SignatureFacts | None = None
    encryption: EncryptionFacts | None = None

    @property
    def is_encryption(self) -> bool:
        """It hides its content."""
        return self.kind in {"enveloped", "auth-enveloped"}

    @property
    def is_ok(self) -> bool:
        """It was opened, or every signature of it is good."""
        if self.encryption is not None:
            return self.encryption.state == "opened"
        signature = self.signature
        return (
            signature is not None
            and signature.reason is None
            and bool(signature.signers)
            and all(signer.check.integrity == "good" for signer in signature.signers)
        )


@dataclass(frozen=True, slots=True)
class SenderFacts:
    """Who the message says it is from."""

    from_: tuple[Address, ...]  # protected if there is a protected one, else as transported
    sender: tuple[Address, ...]
    outer_from: tuple[Address, ...]
    is_malformed: bool
    is_protected: bool  # From is the protected one
    date: datetime | None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything `judge` needs to know about one message (or one framed part of it)."""

    layers: tuple[LayerFacts, ...]
    sender: SenderFacts
    header_protection: Literal["clear", "cipher", "wrapped"] | None = None
    framed_signed: bool = False  # a part below the root is signed
    framed_encrypted: bool = False
    nested_signed: bool = False  # a forwarded message inside is signed
    nested_encrypted: bool = False
    is_structure_unusual: bool = False
    has_own_keys: bool = False
    is_list_mail: bool = False
    list_mail: ListMail | None = None  # of signed mail that a list passed on
    attachment_count: int = 0
    has_text: bool = True
    limits_hit: tuple[str, ...] = field(default=())

    @property
    def encryptions(self) -> tuple[EncryptionFacts, ...]:
        """The packed layers that decide the encryption's code, outermost first."""
        return tuple(
            layer.encryption
            for layer in self.layers
            if layer.encryption is not None
            and (layer.is_encryption or layer.encryption.state != "opened")
        )

    @property
    def is_opened(self) -> bool:
        """Every packed layer was opened; what is inside is known."""
        return all(each.state == "opened" for each in self.encryptions)
