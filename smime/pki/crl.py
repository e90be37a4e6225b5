"""Revocation lists (RFC 5280 §5, §6.3): who signed one, what it covers, what it says.

Refused, that is, taken for no list at all: delta lists (they change another list and say nothing by
themselves), indirect lists (of several issuers), lists of attribute certificates, lists with a
critical extension that is not understood, and lists without an end.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from smime.pki.certificates import (
    DamagedCertificateError,
    extension,
    public_key,
    verify_composite,
)
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES
from smime.pki.revocation_answers import (
    BROKEN_HASHES,
    RevocationAnswer,
    is_weakly_signed,
    without_warnings,
)

_KNOWN_EXTENSIONS = x509.CRLNumber | x509.AuthorityKeyIdentifier
_KNOWN_ENTRY_EXTENSIONS = x509.CRLReason | x509.InvalidityDate
_UNREADABLE = (
    DamagedCertificateError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    ValueError,
    TypeError,
    OverflowError,
)


def load_crls(encoded: Sequence[bytes]) -> tuple[x509.CertificateRevocationList, ...]:
    """Load lists given as DER or PEM; those that cannot be read are left out."""
    found: list[x509.CertificateRevocationList] = []
    with without_warnings():
        found.extend(crl for content in encoded if (crl := _load(content)) is not None)
    return tuple(found)


def _load(content: bytes) -> x509.CertificateRevocationList | None:
    is_pem = content.lstrip().startswith(b"-----BEGIN")
    load = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl
    try:
        crl = load(content)
        _ = crl.issuer, crl.last_update_utc, crl.next_update_utc  # read only when asked for
    except (ValueError, TypeError, OverflowError, x509.InvalidVersion):
        return None
    return crl


def read_crl(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate
) -> RevocationAnswer | None:
    """Say what a list says of `certificate`; None if it says nothing that counts. Never raises.

    A list for some reasons only can withdraw, but not clear.
    """
    return ListReader(crl).read(certificate, issuer)


class ListReader:
    """Reads one list for many certificates: its signature is checked once for each issuer."""

    def __init__(self, crl: x509.CertificateRevocationList) -> None:
        self._crl = crl
        self._signed: dict[x509.Certificate, bool] = {}

    def read(
        self, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> RevocationAnswer | None:
        """Say what the list says of `certificate`, as `read_crl`."""
        try:
            with without_warnings():
                if issuer not in self._signed:
                    self._signed[issuer] = _is_signed_by(self._crl, issuer)
                return _read(self._crl, certificate, issuer) if self._signed[issuer] else None
        except _UNREADABLE:
            return None


def _read(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate
) -> RevocationAnswer | None:
    issued, until = crl.last_update_utc, crl.next_update_utc
    covers = _coverage(crl, certificate)
    if until is None or not covers or certificate.issuer != crl.issuer:
        return None
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    is_weak = is_weakly_signed(_hash(crl), issuer)
    reason = _reason(entry) if entry is not None else None
    if entry is not None and reason is not x509.ReasonFlags.remove_from_crl:
        at = entry.revocation_date_utc
        return RevocationAnswer("revoked", issued, until, at, reason, is_weak)
    if covers != "everything":
        return None
    return RevocationAnswer("good", issued, until, is_weak=is_weak)


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if crl.issuer != issuer.subject:
        return False
    usage = extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        return False
    if crl.signature_algorithm_oid.dotted_string in COMPOSITE_SIGNATURES:
        return _is_composite_of(crl, issuer)
    used = crl.signature_hash_algorithm
    if used is not None and used.name in BROKEN_HASHES:
        return False
    key = public_key(issuer)
    return crl.is_signature_valid(key)  # type: ignore[arg-type]  # a key that cannot sign: TypeError


def _is_composite_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        verify_composite(issuer, crl.signature_algorithm_oid, crl.signature, crl.tbs_certlist_bytes)
    except InvalidSignature:
        return False
    return True


def _hash(crl: x509.CertificateRevocationList) -> hashes.HashAlgorithm | None:
    """Give the hash its issuer signed; None where the method fixes one that is strong."""
    if crl.signature_algorithm_oid.dotted_string in COMPOSITE_SIGNATURES:
        return None
    return crl.signature_hash_algorithm


def _coverage(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> str:
    """Say "everything", "some reasons" or "" (nothing) for the list's scope (RFC 5280 §5.2.5)."""
    found = "everything"
    for each in crl.extensions:
        match each.value:
            case x509.DeltaCRLIndicator():
                return ""
            case x509.IssuingDistributionPoint() as scope:
                if not _in_scope(scope, certificate):
                    return ""
                if scope.only_some_reasons:
                    found = "some reasons"
            case _:
                if each.critical and not isinstance(each.value, _KNOWN_EXTENSIONS):
                    return ""
    return found


def _in_scope(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    if scope.indirect_crl or scope.only_contains_attribute_certs:
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


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    """Read an entry's reason; raises ValueError for an entry that is of another issuer."""
    reason = None
    for each in entry.extensions:
        if isinstance(each.value, x509.CRLReason):
            reason = each.value.reason
        elif each.critical and not isinstance(each.value, _KNOWN_ENTRY_EXTENSIONS):
            raise ValueError("an entry that is not understood")
    return reason
