"""When the clock alone may turn a verdict: a certificate begins or ends, a list grows stale."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime

from smime.pki.certificates import fingerprint
from smime.pki.paths import Path
from smime.verdict import Verdict
from smime.verdict_context import Context


def turns_first(verdicts: Iterable[Verdict], context: Context) -> datetime | None:
    """Return the first of the moments at which one of these turns (`turns_at`)."""
    moments = [turns_at(verdict, context) for verdict in verdicts]
    return min((moment for moment in moments if moment is not None), default=None)


def turns_at(verdict: Verdict, context: Context) -> datetime | None:
    """Return the first moment after `context.now` at which to judge again; None: never.

    Nothing else moves with the clock: receipt, signing time and withdrawals stand still.
    """
    moments = [
        moment
        for standing in verdict.signature.signers
        if standing.path is not None
        for moment in _next(standing.path, context)
    ]
    return min(moments, default=None)


def _next(path: Path, context: Context) -> list[datetime]:
    dates = _dates(path, context)
    at = bisect_right(dates, context.now)
    moments = list(dates[at : at + 1])
    for certificate in path.certificates:
        for answer in context.answers.get(fingerprint(certificate), ()):
            moments += [each for each in (answer.issued, answer.until) if each > context.now]
    return moments


def _dates(path: Path, context: Context) -> list[datetime]:
    """Tell when the path's certificates and the lists of their issuers begin and end, rising."""
    if context.memory is None:
        return sorted(_all_dates(path, context))
    # The lists are those of the memory's state of trust.
    return context.memory.remember(("dates", path), lambda: sorted(_all_dates(path, context)))


def _all_dates(path: Path, context: Context) -> Iterator[datetime]:
    for certificate in path.certificates:
        yield certificate.not_valid_before_utc
        yield certificate.not_valid_after_utc
    names = {certificate.issuer for certificate in path.certificates}
    for crl in context.crls:
        if crl.issuer in names:
            yield crl.last_update_utc
            if crl.next_update_utc is not None:
                yield crl.next_update_utc
