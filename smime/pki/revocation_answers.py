"""What a list or responder said about one certificate, its signature and scope checked."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from smime.pki.certificates import key_strength

_WEAK_RSA = 2048  # bits (RFC 8550 §6)
BROKEN_HASHES = frozenset({"md5", "md2"})
# A hold may end; everything else is for ever (RFC 5280 §5.3.1).
_PASSING = frozenset({x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl})


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    """A signed word about a certificate; whether it counts at a time is asked apart."""

    state: Literal["good", "revoked"]
    issued: datetime  # this update
    until: datetime  # next update
    at: datetime | None = None  # of "revoked": since when
    reason: x509.ReasonFlags | None = None
    is_weak: bool = False  # signed with SHA-1, or with RSA below 2048 bits
    is_kept: bool = False  # Signet fetched it itself, found it fresh, and remembers it

    @property
    def is_final(self) -> bool:
        """A withdrawal that nothing takes back."""
        return self.state == "revoked" and self.reason not in _PASSING


@contextmanager
def without_warnings() -> Iterator[None]:
    """Read what is against the rules and still readable: that is nothing to print."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_weakly_signed(used: hashes.HashAlgorithm | None, signer: x509.Certificate) -> bool:
    """Say whether hash or key are outdated; raises DamagedCertificateError."""
    kind, bits = key_strength(signer)
    return (used is not None and used.name == "sha1") or (
        kind in {"rsa", "dsa"} and bits < _WEAK_RSA
    )
