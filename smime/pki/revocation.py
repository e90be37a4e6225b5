"""Whether a certificate was withdrawn, from the lists at hand (RFC 5280 §5, §6.3).

A list counts if its issuer is the certificate's, its signature is good, it is fresh, and its scope
covers the certificate; whether the certificate names a distribution point does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from smime.pki.certificates import DamagedCertificateError, extension, key_strength, public_key

_CLOCK_TOLERANCE = timedelta(minutes=5)
_WEAK_RSA = 2048  # bits (RFC 8550 §6)
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
    """What the lists say about one certificate."""

    state: Literal["good", "revoked", "unknown"]
    at: datetime | None = None  # of "revoked": since when
    reason: x509.ReasonFlags | None = None
    is_weak: bool = False  # the list relied on is signed with an outdated method


_UNKNOWN = RevocationStatus("unknown")


def load_crls(encoded: Sequence[bytes]) -> tuple[x509.CertificateRevocationList, ...]:
    """Load lists given as DER or PEM; those that cannot be read are left out."""
    found: list[x509.CertificateRevocationList] = []
    for content in encoded:
        is_pem = content.lstrip().startswith(b"-----BEGIN")
        load = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl
        try:
            found.append(load(content))
        except (ValueError, TypeError, x509.InvalidVersion):
            continue
    return tuple(found)


def check_revocation(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    crls: Sequence[x509.CertificateRevocationList],
    now: datetime,
) -> RevocationStatus:
    """Say what the lists know of `certificate`; a withdrawal wins over any other answer."""
    best = _UNKNOWN
    for crl in crls:
        if crl.issuer != certificate.issuer:
            continue
        status = _by_list(certificate, issuer, crl, now)
        if status.state == "revoked":
            return status
        if status.state == "good" and (best.state == "unknown" or best.is_weak):
            best = status
    return best


def _by_list(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    crl: x509.CertificateRevocationList,
    now: datetime,
) -> RevocationStatus:
    try:
        if not (
            _is_fresh(crl, certificate, now)
            and _is_signed_by(crl, issuer)
            and _covers(crl, certificate)
        ):
            return _UNKNOWN
        is_weak = _is_weakly_signed(crl, issuer)
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is None:
            return RevocationStatus("good", is_weak=is_weak)
        reason = _reason(entry)
    except (DamagedCertificateError, UnsupportedAlgorithm, ValueError, TypeError):
        return _UNKNOWN
    if reason is x509.ReasonFlags.remove_from_crl:
        return RevocationStatus("good", is_weak=is_weak)
    return RevocationStatus("revoked", entry.revocation_date_utc, reason, is_weak)


def _is_fresh(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, now: datetime
) -> bool:
    """Say whether the list speaks of now, or of the certificate's last day if it has expired."""
    issued, until = crl.last_update_utc, crl.next_update_utc
    if until is None or issued > now + _CLOCK_TOLERANCE:
        return False
    return now <= until or issued <= certificate.not_valid_after_utc <= min(now, until)


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    usage = extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        return False
    name = crl.signature_hash_algorithm.name if crl.signature_hash_algorithm else ""
    if name in {"md5", "md2"}:
        return False
    key = public_key(issuer)
    return crl.is_signature_valid(key)  # type: ignore[arg-type]  # a key that cannot sign: TypeError


def _covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Say whether the list's scope holds the certificate (RFC 5280 §5.2.5)."""
    for each in crl.extensions:
        match each.value:
            case x509.DeltaCRLIndicator():
                return False
            case x509.IssuingDistributionPoint() as scope:
                if not _in_scope(scope, certificate):
                    return False
            case _:
                known = isinstance(each.value, x509.CRLNumber | x509.AuthorityKeyIdentifier)
                if each.critical and not known:
                    return False
    return True


def _in_scope(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    if scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons:
        return False
    constraints = extension(certificate, x509.BasicConstraints)
    is_authority = constraints is not None and constraints.ca
    if scope.only_contains_user_certs and is_authority:
        return False
    if scope.only_contains_ca_certs and not is_authority:
        return False
    if scope.relative_name is not None:
        return False
    if scope.full_name is None:
        return True
    points = extension(certificate, x509.CRLDistributionPoints)
    named = [name for point in points or () for name in point.full_name or ()]
    return any(name in named for name in scope.full_name)


def _is_weakly_signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    used = crl.signature_hash_algorithm
    kind, bits = key_strength(issuer)
    return (used is not None and used.name == "sha1") or (
        kind in {"rsa", "dsa"} and bits < _WEAK_RSA
    )


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
