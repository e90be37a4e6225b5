"""The fetch lane's work: ask the sources that are due, one after the other, and keep what counts.

A source is claimed in the database before it is asked, so that two workers never ask the same and
a worker that died costs nothing but the time of its claim.
"""

import logging
import time
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from smime import people, revocation, trust
from smime import revocation_plan as plan
from smime.pki.certificates import is_self_issued
from smime.pki.crl import ListReader, load_crls
from smime.pki.paths import find_path, may_issue
from smime.pki.revocation import RevocationAnswer
from smime.revocation_asking import NoAnswerError, ask_issuers, ask_list, ask_responder
from smime.revocation_models import KeptAnswer, RevocationSource
from webmail.remote import Rules

CLAIMED_FOR = timedelta(minutes=2)
WORKERS = 2  # that ask at the same time, in the whole installation
SECONDS = 60.0  # after which a run asks nothing more; the next one goes on
_CERTIFICATES_OF_A_LIST = 5_000  # looked up in one fetched list

logger = logging.getLogger(__name__)


def refresh(*, rules: Rules | None = None) -> int:
    """Ask what is due; returns how many sources were asked."""
    if not settings.FETCH_REVOCATION:
        return 0
    now = timezone.now()
    if RevocationSource.objects.filter(busy_until__gt=now).count() >= WORKERS:
        return 0
    until = time.monotonic() + SECONDS
    asked = 0
    while time.monotonic() < until:
        source = _claim(timezone.now())
        if source is None:
            break
        _ask(source, rules)
        asked += 1
    return asked


def _claim(now: datetime) -> RevocationSource | None:
    for source in revocation.due(now)[:5]:
        free = RevocationSource.objects.filter(pk=source.pk, next_at=source.next_at).filter(
            Q(busy_until=None) | Q(busy_until__lte=now)
        )
        if free.update(busy_until=now + CLAIMED_FOR):
            return source
    return None


def _ask(source: RevocationSource, rules: Rules | None) -> None:
    kinds = RevocationSource.Kind
    work = {kinds.LIST: _list, kinds.RESPONDER: _responder, kinds.ISSUERS: _issuers}
    try:
        again = work[kinds(source.kind)](source, rules)
    except NoAnswerError as problem:
        failures = source.failures + 1
        logger.info("event=no-revocation-answer source=%s why=%s", source.pk, problem)
        RevocationSource.objects.filter(pk=source.pk).update(
            failures=F("failures") + 1,
            problem=str(problem)[:200],
            next_at=plan.retry_time(now=timezone.now(), failures=failures),
            busy_until=None,
        )
        return
    RevocationSource.objects.filter(pk=source.pk).update(
        failures=0, problem="", next_at=again, busy_until=None
    )


def _list(source: RevocationSource, rules: Rules | None) -> datetime | None:
    """Ask for a list and look every certificate up that names it."""
    now = timezone.now()
    crl, fetched_at = _list_at_hand(source, now) or (ask_list(source.url, rules=rules), now)
    reader = ListReader(crl)
    answered: list[KeptAnswer] = []
    best: RevocationAnswer | None = None
    for row in _asked(source)[:_CERTIFICATES_OF_A_LIST]:
        certificate, issuer = _certificates(row)
        answer = reader.read(certificate, issuer)
        # One that was of no use for a certificate's last days is no failure of the list.
        if answer is not None and answer.until > now and answer.issued <= now + plan.SOONEST:
            revocation.keep(row, answer)
            best = answer
        answered.append(row)
    if best is None:
        raise NoAnswerError("a list that does not count: signature, time or scope")
    RevocationSource.objects.filter(pk=source.pk).update(
        content=crl.public_bytes(Encoding.DER), until=best.until, fetched_at=fetched_at
    )
    _settle(source, now)
    if all(row.certificate.not_after <= now for row in answered):
        return None
    return plan.next_time(now=fetched_at, until=best.until)


def _list_at_hand(
    source: RevocationSource, now: datetime
) -> tuple[x509.CertificateRevocationList, datetime] | None:
    """Give the list kept and when it came, if it is not time yet: one more certificate names it."""
    fetched, until = source.fetched_at, source.until
    if fetched is None or until is None or plan.next_time(now=fetched, until=until) <= now:
        return None
    lists = load_crls([bytes(source.content)])
    return (lists[0], fetched) if lists else None


def _responder(source: RevocationSource, rules: Rules | None) -> datetime | None:
    """Ask a responder about its one certificate, unless a list has told already: a list does not
    tell the authority whose mail is read here.
    """
    now = timezone.now()
    row = _asked(source).first()
    if row is None:
        return None
    told = row.certificate.answers.filter(
        source__kind=RevocationSource.Kind.LIST, source__failures=0, until__gt=now
    ).exclude(state="")
    until = told.order_by("-until").values_list("until", flat=True).first()
    if until is not None:
        return plan.next_time(now=now, until=until)
    certificate, issuer = _certificates(row)
    answer = ask_responder(source.url, certificate, issuer, crls=_lists_of(row), rules=rules)
    if answer.until <= now or answer.issued > now + plan.SOONEST:
        raise NoAnswerError("an answer that is not fresh")
    revocation.keep(row, answer)
    RevocationSource.objects.filter(pk=source.pk).update(until=answer.until, fetched_at=now)
    _settle(source, now)
    if row.certificate.not_after <= now:
        return None
    return plan.next_time(now=now, until=answer.until)


def _lists_of(row: KeptAnswer) -> tuple[x509.CertificateRevocationList, ...]:
    """Give the lists at hand that the certificate names: they may clear a responder, too."""
    sources = row.certificate.sources.exclude(content=b"")[:3]
    return load_crls([bytes(each.content) for each in sources])


def _issuers(source: RevocationSource, rules: Rules | None) -> datetime | None:
    """Keep the intermediates of a file that lead to a trusted root: they complete later paths."""
    found = ask_issuers(source.url, rules=rules)
    now = timezone.now()
    trusted = trust.anchors()
    anchors = (*trusted.anchors, *(each.certificate for each in trusted.limited))
    fitting = [
        each
        for each in found
        if not is_self_issued(each)
        and may_issue(each)
        and find_path(each, anchors=anchors, others=found, moments=[now]).trust == "trusted"
    ]
    people.keep_issuers(fitting)
    RevocationSource.objects.filter(pk=source.pk).update(fetched_at=now)
    return now + plan.ISSUERS_AGAIN


def _asked(source: RevocationSource) -> QuerySet[KeptAnswer]:
    return source.answers.select_related("certificate").order_by("-certificate__wanted_at", "pk")


def _certificates(row: KeptAnswer) -> tuple[x509.Certificate, x509.Certificate]:
    watched = row.certificate
    return (
        x509.load_der_x509_certificate(bytes(watched.der)),
        x509.load_der_x509_certificate(bytes(watched.issuer_der)),
    )


def _settle(source: RevocationSource, now: datetime) -> None:
    revocation.settle(source.certificates.prefetch_related("answers"), now=now)
