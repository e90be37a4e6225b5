"""Withdrawals, known ahead of time: which certificates are watched, what was answered.

    verdict with a trusted path ─▶ watch ─▶ sources due ─▶ refresh (lane fetch) ─▶ answers kept
                                                              ▲                        │
                                   look_after (every minute) ─┘      revocation_changed ◄┘

Only certificates on paths that end at a root the *installation* trusts are watched, and only while
it still does. Nobody waits for an answer: until one is here, verdicts say that it is missing.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, lanes
from accounts.models import User
from smime import revocation_plan as plan
from smime.models import TrustAnchor
from smime.pki.addresses import canonical_address
from smime.pki.certificates import (
    DamagedCertificateError,
    addresses,
    display_name,
    fingerprint,
)
from smime.pki.locations import locations
from smime.pki.paths import PATH_LIMIT, Path, may_issue
from smime.pki.revocation import RevocationAnswer
from smime.revocation_answers import answer_of
from smime.revocation_asking import pairs_of
from smime.revocation_models import KeptAnswer, RevocationSource, WatchedCertificate
from smime.signals import withdrawal_known
from smime.verdict import Verdict

WATCHED_LIMIT = 50_000  # certificates; beyond it new ones are not watched
KEPT_FOR = timedelta(days=90)  # since a certificate was last seen in mail
SEEN_AGAIN = timedelta(days=1)  # before that, seeing it again writes nothing

logger = logging.getLogger(__name__)


def revocation_changed(fingerprints: Collection[str]) -> None:
    """Tell whoever keeps verdicts that what is known of these certificates has changed.

    Of an authority only its withdrawal turns anything (the answer about the signer's own
    certificate stands for a path that is well): then those it issued are told.
    """
    concerned = list(WatchedCertificate.objects.filter(fingerprint__in=fingerprints))
    issuers = [row for row in concerned if row.state == WatchedCertificate.State.REVOKED]
    for _ in range(PATH_LIMIT):
        below = WatchedCertificate.objects.filter(issuer_der__in=[row.der for row in issuers])
        known = {row.pk for row in concerned}
        issuers = [row for row in below if row.pk not in known] if issuers else []
        concerned.extend(issuers)
    certificates = [x509.load_der_x509_certificate(bytes(row.der)) for row in concerned]
    signers = [each for each in certificates if not may_issue(each)]
    if not signers:
        return
    named = {address for each in signers for address in _addresses(each)}
    names = [fingerprint(each) for each in signers]
    transaction.on_commit(
        lambda: withdrawal_known.send(
            sender=WatchedCertificate, addresses=sorted(named), fingerprints=names
        )
    )


def _addresses(certificate: x509.Certificate) -> list[str]:
    try:
        return [canonical_address(each.text) for each in addresses(certificate)]
    except DamagedCertificateError:
        return []


def watch(verdicts: Iterable[Verdict], *, now: datetime) -> None:
    """Watch the certificates that verdicts build on, if their path ends at a trusted root.

    Verdicts on framed parts count as any other. Cheap when they are watched already: two queries,
    however many verdicts. New ones are asked about at once, by a worker.
    """
    if not settings.FETCH_REVOCATION:
        return
    signers = (each for verdict in verdicts for each in verdict.signature.signers if each.is_intact)
    # Many messages of one signer have one path.
    watch_paths({each.path for each in signers if each.path is not None}, now=now)


def watch_paths(paths: Iterable[Path], *, now: datetime) -> None:
    """Watch the certificates of those paths that end at a root the installation trusts."""
    ours = {
        fingerprint(certificate): (certificate, issuer, fingerprint(path.certificates[-1]))
        for path in paths
        for certificate, issuer in pairs_of(path)
    }
    trusted = set(
        _trusted_roots()
        .filter(fingerprint__in={root for _, _, root in ours.values()})
        .values_list("fingerprint", flat=True)
    )
    ours = {name: found for name, found in ours.items() if found[2] in trusted}
    if not ours:
        return
    rows = {each.fingerprint: each for each in _rows(ours)}
    asked = False
    for name, (certificate, issuer, root) in ours.items():
        row = rows.get(name)
        if row is None:
            asked = _begin(name, certificate, issuer, root, now) or asked
        elif row.wanted_at < now - SEEN_AGAIN or row.root_fingerprint != root:
            asked = _seen_again(row, root, now) or asked
    if asked:
        lanes.post("smime.fetch_revocation", lane="fetch")


def seen_lately(now: datetime) -> QuerySet[WatchedCertificate, str]:
    """Return the fingerprints of certificates that need not be shown to `watch` again yet."""
    lately = WatchedCertificate.objects.filter(wanted_at__gte=now - SEEN_AGAIN)
    return lately.values_list("fingerprint", flat=True)


def _rows(fingerprints: Iterable[str]) -> QuerySet[WatchedCertificate]:
    return WatchedCertificate.objects.filter(fingerprint__in=list(fingerprints)).defer(
        "der", "issuer_der"
    )


def _trusted_roots() -> QuerySet[TrustAnchor]:
    states = TrustAnchor.State
    return TrustAnchor.objects.filter(state__in=(states.TRUSTED, states.LIMITED))


def _begin(
    name: str,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    root: str,
    now: datetime,
) -> bool:
    """Start to watch a certificate; says whether there is somebody to ask."""
    named = locations(certificate)
    siblings = locations(issuer).issued  # other issuers under the same authority
    kinds = RevocationSource.Kind
    wanted = [
        *((kinds.ISSUERS, url, "") for url in (*named.issuers, *siblings)),
        *((kinds.LIST, url, "") for url in named.lists),
        *((kinds.RESPONDER, url, name) for url in named.responders),
    ]
    if not wanted:
        return False
    if WatchedCertificate.objects.count() >= WATCHED_LIMIT:
        logger.warning("event=too-many-watched-certificates")
        return False
    with transaction.atomic():
        row, _ = WatchedCertificate.objects.get_or_create(
            fingerprint=name,
            defaults={
                "name": display_name(certificate)[:200],
                "der": certificate.public_bytes(Encoding.DER),
                "issuer_der": issuer.public_bytes(Encoding.DER),
                "root_fingerprint": root,
                "not_after": certificate.not_valid_after_utc,
                "wanted_at": now,
            },
        )
        for kind, url, about in wanted:
            source, _ = RevocationSource.objects.get_or_create(
                key=_key(kind, url, about), defaults={"kind": kind, "url": url, "next_at": now}
            )
            KeptAnswer.objects.get_or_create(certificate=row, source=source)
            # A list that is here already has not been asked about this certificate.
            if source.next_at is None or (kind == kinds.LIST and not source.failures):
                RevocationSource.objects.filter(pk=source.pk).update(next_at=now)
    return True


def _key(kind: str, url: str, about: str) -> str:
    return hashlib.sha256(f"{kind}\0{url}\0{about}".encode()).hexdigest()


def _seen_again(row: WatchedCertificate, root: str, now: datetime) -> bool:
    WatchedCertificate.objects.filter(pk=row.pk).update(wanted_at=now, root_fingerprint=root)
    if row.not_after <= now:
        return False
    asleep = RevocationSource.objects.filter(certificates=row.pk, next_at=None)
    return (
        RevocationSource.objects.filter(pk__in=list(asleep.values_list("pk", flat=True))).update(
            next_at=now
        )
        > 0
    )


def keep(row: KeptAnswer, answer: RevocationAnswer) -> None:
    """Keep a source's answer about a certificate, unless the old one says more."""
    if not plan.is_better(answer, answer_of(row)):
        return
    KeptAnswer.objects.filter(pk=row.pk).update(
        state=answer.state,
        issued=answer.issued,
        until=answer.until,
        at=answer.at,
        reason=answer.reason.value if answer.reason is not None else "",
        is_weak=answer.is_weak,
    )


def settle(certificates: Iterable[WatchedCertificate], *, now: datetime) -> None:
    """Bring the states of certificates up to their answers and the clock; tell what turned."""
    turned: list[str] = []
    with transaction.atomic():
        for row in certificates:
            kept = [answer for each in row.answers.all() if (answer := answer_of(each))]
            found = plan.known(
                x509.load_der_x509_certificate(bytes(row.der)),
                x509.load_der_x509_certificate(bytes(row.issuer_der)),
                kept,
                now,
            )
            if found.state != row.state:
                turned.append(row.fingerprint)
            if (found.state, found.turns_at) != (row.state, row.turns_at):
                WatchedCertificate.objects.filter(pk=row.pk).update(
                    state=found.state, turns_at=found.turns_at
                )
        revocation_changed(turned)
    if turned:
        logger.info("event=revocation-turned certificates=%d", len(turned))


def due(now: datetime) -> QuerySet[RevocationSource]:
    """Return the sources to ask now, lists before responders: those that no one is at, of
    certificates seen lately whose root is still trusted.
    """
    return (
        RevocationSource.objects.filter(next_at__lte=now)
        .filter(Q(busy_until=None) | Q(busy_until__lte=now))
        .filter(
            certificates__wanted_at__gt=now - KEPT_FOR,
            certificates__root_fingerprint__in=_trusted_roots().values("fingerprint"),
        )
        .defer("content")  # up to 16 MiB each
        .distinct()
        .order_by("kind", "next_at", "pk")
    )


def ask_again(
    sources: QuerySet[RevocationSource], *, actor: User, request: HttpRequest | None = None
) -> int:
    """Have the sources asked by a worker now that still are of use; returns how many."""
    needed = RevocationSource.objects.filter(
        pk__in=sources.values("pk"),
        certificates__root_fingerprint__in=_trusted_roots().values("fingerprint"),
    )
    now = timezone.now()
    with transaction.atomic():
        found = list(needed.distinct().values_list("pk", "url"))
        named = WatchedCertificate.objects.filter(sources__in=[pk for pk, _ in found])
        # An administrator's word counts like a new sight of them.
        WatchedCertificate.objects.filter(pk__in=list(named.values_list("pk", flat=True))).update(
            wanted_at=now
        )
        # Without the list at hand it is fetched, though it is not time yet.
        RevocationSource.objects.filter(pk__in=[pk for pk, _ in found]).update(
            next_at=now, content=b""
        )
        for _pk, url in found:
            audit.record("revocation-asked", actor=actor, target=url[:200], request=request)
        if found:
            lanes.post("smime.fetch_revocation", lane="fetch")
    return len(found)


def look_after(*, now: datetime) -> None:
    """Do each minute's chores: what turned by the clock, what is due, what nobody needs."""
    turned = WatchedCertificate.objects.filter(turns_at__lt=now).order_by("pk")[:500]
    settle(turned.prefetch_related("answers"), now=now)
    if settings.FETCH_REVOCATION and due(now).exists():
        lanes.post("smime.fetch_revocation", lane="fetch")
    _forget(now)


def _forget(now: datetime) -> None:
    """Forget certificates not seen for long. A withdrawal is remembered."""
    old = WatchedCertificate.objects.filter(wanted_at__lt=now - KEPT_FOR).exclude(
        state=WatchedCertificate.State.REVOKED
    )
    ids = list(old.values_list("pk", flat=True)[:500])
    if ids:
        WatchedCertificate.objects.filter(pk__in=ids).delete()
        RevocationSource.objects.filter(answers=None).delete()
