"""When an address is asked again, and which of two answers is kept: decisions without a clock.

due ─asked─▶ answered ─▶ due at three quarters of its life (10 min … 1 day from now)
             └ failed ─▶ due after 5 min, 10, 20 … a day
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from smime.pki.revocation import RevocationAnswer, check_revocation

SOONEST = timedelta(minutes=10)
LATEST = timedelta(days=1)
ISSUERS_AGAIN = timedelta(days=30)
_FIRST_RETRY = timedelta(minutes=5)
_DOUBLINGS = 9  # 5 min · 2⁹ is more than a day


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a certificate now, and when the clock alone ends that."""

    state: str  # "good", "revoked", "unknown"
    turns_at: datetime | None


def next_time(*, now: datetime, until: datetime) -> datetime:
    """Say when a source with an answer fresh until then is asked again: before it is stale."""
    return now + min(max((until - now) * 3 / 4, SOONEST), LATEST)


def retry_time(*, now: datetime, failures: int) -> datetime:
    """Say when a source that failed `failures` times in a row (1 at least) is asked again."""
    return now + min(_FIRST_RETRY * (1 << min(failures - 1, _DOUBLINGS)), LATEST)


def is_better(new: RevocationAnswer, old: RevocationAnswer | None) -> bool:
    """Say whether a source's new answer takes the place of its old one.

    A final withdrawal stays, whatever is said later; an older answer played again gains nothing.
    """
    if old is None:
        return True
    return not old.is_final and new.issued >= old.issued


def known(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    answers: Iterable[RevocationAnswer],
    now: datetime,
) -> Known:
    """Judge a certificate by the answers kept."""
    kept = tuple(answers)
    status = check_revocation(certificate, issuer, answers=kept, now=now)
    if status.state == "unknown" or any(each.is_final for each in kept):
        return Known(status.state, None)
    ends = [
        each.until
        for each in kept
        if each.state == status.state
        and check_revocation(certificate, issuer, answers=[each], now=now).state == status.state
    ]
    return Known(status.state, max(ends, default=None))
