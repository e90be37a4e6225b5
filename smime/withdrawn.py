"""Certificates nobody should encrypt to any more: of blocked issuers, or revoked by a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509

from smime.certificate_rows import load
from smime.models import Intermediate, RevocationList, TrustAnchor
from smime.pki.certificates import fingerprint
from smime.pki.paths import issued
from smime.pki.revocation import check_revocation, load_crls
from smime.revocation_answers import revoked_fingerprints

_INTERMEDIATE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Blocked issuers and revocation lists, loaded once for a whole list of recipients."""

    blocked: tuple[x509.Certificate, ...]
    authorities: tuple[x509.Certificate, ...]  # that may have signed the lists
    crls: tuple[x509.CertificateRevocationList, ...]
    revoked: frozenset[str]  # SHA-256 fingerprints: known from lists and answers fetched

    @classmethod
    def load(cls) -> Self:
        """Read the installation's state of trust."""
        rows = [(row.state, load(row)) for row in TrustAnchor.objects.all()]
        crls = load_crls(
            [bytes(der) for der in RevocationList.objects.values_list("der", flat=True)]
        )
        issuers = Intermediate.objects.order_by("-pk")[:_INTERMEDIATE_LIMIT] if crls else ()
        return cls(
            blocked=tuple(each for state, each in rows if state == TrustAnchor.State.BLOCKED),
            authorities=(*(each for _, each in rows), *(load(row) for row in issuers)),
            crls=crls,
            revoked=revoked_fingerprints(),
        )

    def has(self, certificate: x509.Certificate, now: datetime) -> bool:
        """Say whether the certificate or its issuer is blocked, or a list withdraws it."""
        if fingerprint(certificate) in self.revoked:
            return True
        if any(certificate == each or issued(each, certificate) for each in self.blocked):
            return True
        return any(
            check_revocation(certificate, issuer, crls=self.crls, now=now).state == "revoked"
            for issuer in self.authorities
            if issuer.subject == certificate.issuer
        )
