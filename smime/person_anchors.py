"""Which authorities of a person's own count: one rule, asked whenever a verdict is judged.

They count for that person's verdicts alone, for mail of the domains they named, where the site lets
it. What the installation decided wins: about a key that it has a word on nobody else decides, and
below a blocked issuer nothing is trusted. Nothing is fetched for paths that end at one
(`smime.revocation` watches paths to the installation's roots only).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from django.conf import settings

from accounts.models import User
from smime.certificate_rows import load
from smime.models import PersonAnchor
from smime.pki.certificates import key_digest
from smime.pki.paths import useful
from smime.verdict_context import OwnAnchor


def are_allowed() -> bool:
    """Return the site's setting, `SIGNET_PERSONAL_ANCHORS`."""
    allowed: bool = settings.PERSONAL_ANCHORS
    return allowed


@dataclass(frozen=True)
class Installation:
    """What the installation decided, as far as it stands above a person's trust."""

    known: tuple[x509.Certificate, ...]  # trusted, limited or blocked
    blocked: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]

    @cached_property
    def _keys(self) -> frozenset[bytes]:
        return frozenset(key_digest(each) for each in self.known)

    def has_decided(self, certificate: x509.Certificate) -> bool:
        """Say whether it has a word on this authority: its key, whatever certificate names it."""
        return key_digest(certificate) in self._keys

    def blocks(self, certificate: x509.Certificate) -> bool:
        """Say whether the authority stands below a blocked one."""
        above = useful(certificate, self.blocked, self.intermediates) if self.blocked else []
        return any(each in self.blocked for each in above)

    def overrules(self, certificate: x509.Certificate) -> bool:
        """Say whether a person's trust in this authority does not count."""
        return self.has_decided(certificate) or self.blocks(certificate)


def anchors_of(user: User) -> tuple[OwnAnchor, ...]:
    """Return what the person trusts, whatever the installation thinks of it; () if not allowed."""
    if not are_allowed():
        return ()
    rows = PersonAnchor.objects.filter(user_id=user.pk).order_by("fingerprint")
    return tuple(OwnAnchor(load(row), tuple(row.domains)) for row in rows)


def marks(user_ids: Collection[int]) -> Iterator[tuple[int, tuple[object, ...]]]:
    """Yield what of the anchors of many people may turn a verdict, each with its owner."""
    if are_allowed():
        rows = PersonAnchor.objects.filter(user_id__in=user_ids).order_by("fingerprint")
        for owner, *row in rows.values_list("user_id", "fingerprint", "domains"):
            yield owner, ("anchor", *row)
