"""Whether a certificate was withdrawn, from the lists and answers at hand (RFC 5280 §5, RFC 6960).

A list or an OCSP answer counts if who may speak for the issuer signed it, it is fresh at the time
asked about, and its scope covers the certificate; whether the certificate names a distribution
point does not matter. What does not count says nothing: the status stays unknown.

Reading one (`smime.pki.crl`, `smime.pki.ocsp`) is apart from asking whether it counts *at a time*,
so that an answer is read once and judged often.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509

from smime.pki.crl import load_crls, read_crl
from smime.pki.revocation_answers import RevocationAnswer

__all__ = [
    "COMPROMISE",
    "RevocationAnswer",
    "RevocationStatus",
    "check_revocation",
    "counts_at",
    "load_crls",
]

CLOCK_TOLERANCE = timedelta(minutes=5)
# Reasons that throw doubt on what was signed before the withdrawal, too.
COMPROMISE = frozenset(
    {
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    }
)


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """What the lists and answers say about one certificate."""

    state: Literal["good", "revoked", "unknown"]
    at: datetime | None = None  # of "revoked": since when
    reason: x509.ReasonFlags | None = None
    is_weak: bool = False  # what is relied on is signed with an outdated method


_UNKNOWN = RevocationStatus("unknown")


def check_revocation(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    crls: Sequence[x509.CertificateRevocationList] = (),
    answers: Iterable[RevocationAnswer] = (),
    now: datetime,
) -> RevocationStatus:
    """Say what is known of `certificate` at `now`; a withdrawal wins over any other answer.

    `answers` must have been read for this very certificate. Never raises.
    """
    read = [
        answer
        for crl in crls
        if crl.issuer == certificate.issuer
        and (answer := read_crl(crl, certificate, issuer)) is not None
    ]
    best = _UNKNOWN
    for answer in (*read, *answers):
        if not counts_at(answer, certificate, now):
            continue
        status = RevocationStatus(answer.state, answer.at, answer.reason, answer.is_weak)
        if status.state == "revoked":
            return status
        if best.state == "unknown" or best.is_weak:
            best = status
    return best


def counts_at(answer: RevocationAnswer, certificate: x509.Certificate, now: datetime) -> bool:
    """Say whether an answer speaks of `now`, or of the certificate's last day if it has expired.

    Of an expired certificate only what was said while it lived praises it: lists drop the expired
    (RFC 5280 §3.3), so that "not named" means nothing afterwards. A final withdrawal that Signet
    itself found fresh once (`is_kept`) needs no repetition: nothing takes it back.
    """
    if answer.issued > now + CLOCK_TOLERANCE:
        return False
    if answer.is_kept and answer.is_final:
        return True
    ended = certificate.not_valid_after_utc
    if now <= answer.until and (answer.state == "revoked" or answer.issued <= ended):
        return True
    return answer.issued <= ended <= min(now, answer.until)
