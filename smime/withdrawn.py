"""Certificates nobody should encrypt to or sign with any more: withdrawn, or of blocked issuers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509

from smime.certificate_rows import load
from smime.models import Intermediate, RevocationList, TrustAnchor
from smime.pki.certificates import fingerprint
from smime.pki.paths import issued
from smime.pki.revocation import RevocationStatus, check_revocation, load_crls
from smime.revocation_answers import known_withdrawals

_INTERMEDIATE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a certificate is not to be used any more."""

    at: datetime | None  # since when it, or its authority, is withdrawn; None: not known
    is_blocked: bool = False  # its issuer is blocked here; nobody withdrew it


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Blocked issuers and withdrawals, loaded once for many certificates."""

    blocked: tuple[x509.Certificate, ...]
    authorities: tuple[x509.Certificate, ...]  # that may have signed the lists
    crls: tuple[x509.CertificateRevocationList, ...]
    # By SHA-256 fingerprint: known from lists and answers fetched, since when.
    revoked: Mapping[str, datetime | None]
    revoked_authorities: tuple[x509.Certificate, ...]

    @classmethod
    def load(cls) -> Self:
        """Read the installation's state of trust."""
        rows = [(row.state, load(row)) for row in TrustAnchor.objects.all()]
        crls = load_crls(
            [bytes(der) for der in RevocationList.objects.values_list("der", flat=True)]
        )
        issuers = Intermediate.objects.order_by("-pk")[:_INTERMEDIATE_LIMIT] if crls else ()
        revoked = known_withdrawals()
        withdrawn = Intermediate.objects.filter(fingerprint__in=revoked) if revoked else ()
        return cls(
            blocked=tuple(each for state, each in rows if state == TrustAnchor.State.BLOCKED),
            authorities=(*(each for _, each in rows), *(load(row) for row in issuers)),
            crls=crls,
            revoked=revoked,
            revoked_authorities=tuple(load(row) for row in withdrawn),
        )

    def has(self, certificate: x509.Certificate, now: datetime) -> bool:
        """Say whether the certificate or its issuer is blocked or withdrawn."""
        return self.find(certificate, now) is not None

    def find(self, certificate: x509.Certificate, now: datetime) -> Withdrawal | None:
        """Return why the certificate is not to be used any more, if so."""
        name = fingerprint(certificate)
        if name in self.revoked:
            return Withdrawal(self.revoked[name])
        for authority in self.revoked_authorities:
            if issued(authority, certificate):
                return Withdrawal(self.revoked[fingerprint(authority)])
        given = self._by_given_lists(certificate, now)
        if given is not None:
            return Withdrawal(given.at)
        if any(certificate == each or issued(each, certificate) for each in self.blocked):
            return Withdrawal(None, is_blocked=True)
        return None

    def _by_given_lists(
        self, certificate: x509.Certificate, now: datetime
    ) -> RevocationStatus | None:
        """Ask the lists that an administrator gave."""
        for issuer in self.authorities:
            if issuer.subject != certificate.issuer:
                continue
            status = check_revocation(certificate, issuer, crls=self.crls, now=now)
            if status.state == "revoked":
                return status
        return None
