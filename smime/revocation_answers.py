"""Answers about withdrawals as they were kept: read for verdicts and for encryption."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import override

from cryptography import x509
from django.db.models import F, Min, Q

from smime.pki.revocation import RevocationAnswer
from smime.revocation_models import KeptAnswer, WatchedCertificate


class StoredAnswers(Mapping[str, tuple[RevocationAnswer, ...]]):
    """Answers kept, by a certificate's SHA-256 fingerprint: one query for each asked for."""

    def __init__(self, found: Mapping[str, tuple[RevocationAnswer, ...]] | None = None) -> None:
        self._found = dict(found or {})

    @override
    def __getitem__(self, key: str) -> tuple[RevocationAnswer, ...]:
        if key not in self._found:
            self._found |= answers_for([key])
        return self._found[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    @override
    def __len__(self) -> int:
        return len(self._found)

    def are_outdated(self) -> bool:
        """Say whether the database answers otherwise by now about any certificate asked for."""
        return bool(self._found) and answers_for(tuple(self._found)) != self._found


def answers_for(fingerprints: Collection[str]) -> dict[str, tuple[RevocationAnswer, ...]]:
    """Return the answers kept for many certificates at once; () for those without."""
    found: dict[str, tuple[RevocationAnswer, ...]] = dict.fromkeys(fingerprints, ())
    rows = KeptAnswer.objects.filter(certificate__fingerprint__in=fingerprints).exclude(state="")
    for row in rows.annotate(of=F("certificate__fingerprint")).order_by("pk"):
        answer = answer_of(row)
        if answer is not None:
            found[row.of] = (*found[row.of], answer)
    return found


def answer_of(row: KeptAnswer) -> RevocationAnswer | None:
    """Return what a row keeps; None if its source has not said anything yet."""
    if row.issued is None or row.until is None or not row.state:
        return None
    return RevocationAnswer(
        state="revoked" if row.state == "revoked" else "good",
        issued=row.issued,
        until=row.until,
        at=row.at,
        reason=x509.ReasonFlags(row.reason) if row.reason else None,
        is_weak=row.is_weak,
        is_kept=True,
    )


def known_withdrawals() -> dict[str, datetime | None]:
    """Return the certificates (SHA-256) that are known to be withdrawn now, and since when."""
    rows = WatchedCertificate.objects.filter(state=WatchedCertificate.State.REVOKED)
    since = rows.annotate(since=Min("answers__at", filter=Q(answers__state="revoked")))
    return dict(since.values_list("fingerprint", "since"))
