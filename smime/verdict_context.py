"""What a verdict depends on besides the message: clock, trust, policy, what is known of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from smime.pki.certificates import DamagedCertificateError, addresses
from smime.pki.path_memory import PathMemory
from smime.pki.revocation import RevocationAnswer


@dataclass(frozen=True, slots=True)
class Policy:
    """What the organisation asks for."""

    blocked_issuers: frozenset[str] = frozenset()  # SHA-256 fingerprints of issuing certificates
    # `key_digest`s of theirs: an issuer is its key, whichever of its certificates a path runs by.
    blocked_keys: frozenset[bytes] = frozenset()
    demand_revocation: bool = False  # an unchecked certificate is a warning


@dataclass(frozen=True, slots=True)
class History:
    """What earlier mail from this From address was like. None in the context: not known."""

    has_signed_before: bool = False  # a verified signature came from this address
    fingerprints: frozenset[str] = frozenset()  # of certificates verified for it before
    new_since: datetime | None = None  # first sight of the certificate now used
    signed_in_a_row: int = 0  # how many of its latest messages were verified, one after the other
    name: str = ""  # from the latest of its certificates


@dataclass(frozen=True, slots=True)
class OwnAnchor:
    """An authority that the reader trusts, beside those of the installation."""

    certificate: x509.Certificate
    domains: tuple[str, ...]  # whose mail it counts for, and that of domains below them


@dataclass(frozen=True, slots=True)
class Context:
    """Everything `judge` knows besides the facts."""

    now: datetime
    received_at: datetime | None = None  # when the message was first seen; stored by Signet itself
    anchors: tuple[x509.Certificate, ...] = ()  # authorities and pinned certificates
    # Of the reader, for mail of this author: asked only where `anchors` do not vouch.
    own_anchors: tuple[OwnAnchor, ...] = ()
    known_certificates: tuple[x509.Certificate, ...] = ()  # of people; prove nothing by themselves
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    # Read from fetched lists and OCSP answers: certificate fingerprint → what was said of it.
    answers: Mapping[str, Sequence[RevocationAnswer]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    history: History | None = None
    bound_addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # ↑ certificate fingerprint → addresses the user said are the same person's
    is_vault_locked: bool = False
    lock_minutes: int = 0  # after which keys lock again, for the sentence
    is_list_change_trusted: bool = False  # fine point 13: trusted results name the list's domain
    was_conversation_encrypted: bool = False
    # Answers under the same trust: `anchors` and `intermediates` begin with the memory's own, and
    # `crls` are the same each time.
    memory: PathMemory | None = None

    def is_known_to_sign(self, address: str) -> bool:
        """Say whether a certificate of this address is kept (ground rule 10, fine point 15)."""
        return any(_names(certificate, address) for certificate in self.known_certificates)


def _names(certificate: x509.Certificate, address: str) -> bool:
    try:
        named = addresses(certificate)
    except DamagedCertificateError:
        return False
    return any(name.fits(address) for name in named)
