"""Whom the installation trusts for mail: anchors, blocked issuers, intermediates, revocation lists.

The system's list of web authorities is never used. Each change asks for a reason and is audited.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest

from accounts import audit
from accounts.models import User
from accounts.prepared import Prepared
from smime import people, person_anchors, revocation_hints
from smime.certificate_rows import CertificateFileError, fields_of, load, read_certificates
from smime.models import Intermediate, PersonCertificate, RevocationList, TrustAnchor
from smime.pki.addresses import a_label_domain
from smime.pki.certificates import is_self_signed, readable_key
from smime.pki.path_memory import PathMemory
from smime.pki.paths import may_issue
from smime.pki.revocation import load_crls
from smime.revocation_answers import StoredAnswers
from smime.unlocking import IDLE_MINUTES
from smime.verdict import Context, History, Policy
from smime.verdict_context import OwnAnchor

INTERMEDIATE_LIMIT = 500  # newest ones that take part in path building


@dataclass(frozen=True, slots=True)
class LimitedAnchor:
    """An anchor that counts only for senders in these domains (and below them)."""

    certificate: x509.Certificate
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustState:
    """What the installation trusts, as objects; `stamp` changes when anything of it does."""

    anchors: tuple[x509.Certificate, ...]
    limited: tuple[LimitedAnchor, ...]
    # Links of paths; blocked issuers among them, so that a mail need not carry what it is below.
    intermediates: tuple[x509.Certificate, ...]
    crls: tuple[x509.CertificateRevocationList, ...]
    policy: Policy
    stamp: str
    memory: PathMemory  # paths found under this state
    installation: person_anchors.Installation

    def anchors_for(self, addresses: Iterable[str]) -> tuple[x509.Certificate, ...]:
        """Return the anchors that count for mail of any of these addresses."""
        domains = {a_label_domain(address.rpartition("@")[2]) for address in addresses}
        limited = (
            each.certificate
            for each in self.limited
            if any(_covers(each.domains, domain) for domain in domains)
        )
        return (*self.anchors, *limited)

    def own_for(self, own: Iterable[OwnAnchor], address: str) -> tuple[OwnAnchor, ...]:
        """Return which of a person's own anchors count for mail of this address."""
        domain = a_label_domain(address.rpartition("@")[2])
        return tuple(
            each
            for each in own
            if _covers(each.domains, domain) and not self._overrules(each.certificate)
        )

    def _overrules(self, certificate: x509.Certificate) -> bool:
        key = ("overruled", certificate)
        return self.memory.remember(key, lambda: self.installation.overrules(certificate))


def anchors() -> TrustState:
    """Return the trust in force; parsed once for each change in each process."""
    return _state(_stamp(with_intermediates=True))


def stamp_for(user: User) -> str:
    """Return a mark of everything that may turn an old verdict: trust and the person's decisions.

    Certificates that are only known are left out: they turn mail of their own address at most
    (`smime.signals.person_known`).
    """
    return stamps_for([user.pk])[user.pk]


def _decided(whose: Q) -> QuerySet[PersonCertificate, tuple[Any, ...]]:
    """Return what these people and the installation decided about certificates."""
    rows = PersonCertificate.objects.filter(whose | Q(user=None)).filter(
        Q(is_pinned=True) | Q(is_bound_by_user=True)
    )
    columns = ("fingerprint", "address", "is_pinned", "is_bound_by_user")
    return rows.order_by("pk").values_list("user_id", *columns)


_DECIDED = Prepared(lambda user: _decided(Q(user_id=user)))


def stamps_for(user_ids: Collection[int]) -> dict[int, str]:
    """Return the marks of many people, in a fixed number of queries."""
    decided: dict[int | None, list[tuple[object, ...]]] = defaultdict(list)
    is_one = len(user_ids) == 1
    rows = _DECIDED.rows(*user_ids) if is_one else _decided(Q(user_id__in=user_ids))
    for owner, *row in rows:
        decided[owner].append(tuple(row))
    for owner, mark in person_anchors.marks(user_ids):
        decided[owner].append(mark)
    shared = [_stamp(with_intermediates=False), *decided[None]]
    return {pk: _digest([*shared, *decided[pk]]) for pk in user_ids}


def context_for(
    user: User,
    from_address: str,
    *,
    received_at: datetime | None,
    now: datetime,
    history: History | None = None,
    is_vault_locked: bool = False,
    was_conversation_encrypted: bool = False,
) -> Context:
    """Return what a verdict on mail from `from_address` depends on besides the message."""
    context = contexts_for(user, [from_address], now=now)[from_address]
    return replace(
        context,
        received_at=received_at,
        history=history,
        is_vault_locked=is_vault_locked,
        was_conversation_encrypted=was_conversation_encrypted,
    )


def contexts_for(user: User, addresses: Collection[str], *, now: datetime) -> dict[str, Context]:
    """Return the contexts of mail from these addresses, without what differs by message.

    A fixed number of queries. What `context_for` takes besides is the caller's.
    """
    trusted = anchors()
    known = people.known_for_all(user, addresses)
    own = person_anchors.anchors_of(user)
    answers = StoredAnswers()  # of many messages: each certificate is looked up once
    return {
        address: replace(
            _context(trusted, known[address], address, answers, now),
            own_anchors=trusted.own_for(own, address),
        )
        for address in known
    }


def in_force(context: Context, from_address: str) -> Context:
    """Add the installation's trust for mail from an address to a context that has none.

    For `manage.py inspect`: nothing of what a person decided or learned.
    """
    trusted = anchors()
    return replace(
        context,
        anchors=trusted.anchors_for([from_address]),
        intermediates=(*trusted.intermediates, *context.known_certificates),
        crls=(*trusted.crls, *context.crls),
        policy=trusted.policy,
    )


def is_outdated(context: Context) -> bool:
    """Say whether what a verdict was told of withdrawals is another by now.

    For verdicts that nobody could make due when that became known: they were not kept yet. To be
    asked once they are.
    """
    return isinstance(context.answers, StoredAnswers) and context.answers.are_outdated()


def _context(
    trusted: TrustState,
    known: people.Known,
    address: str,
    answers: StoredAnswers,
    now: datetime,
) -> Context:
    return Context(
        now=now,
        anchors=(*trusted.anchors_for([address]), *known.pinned),
        known_certificates=known.certificates,
        intermediates=trusted.intermediates,
        crls=trusted.crls,
        answers=answers,
        policy=trusted.policy,
        bound_addresses=known.bound_addresses,
        lock_minutes=IDLE_MINUTES,
        memory=trusted.memory,
    )


def add_anchor(
    content: bytes,
    *,
    actor: User | None,
    reason: str,
    state: str = TrustAnchor.State.TRUSTED,
    domains: Iterable[str] = (),
    request: HttpRequest | None = None,
) -> tuple[TrustAnchor, ...]:
    """Trust, limit or block the authorities of a certificate file; returns their rows.

    An authority that is known already gets the new state. Raises CertificateFileError with a
    sentence: no certificate, no authority, no reason, no domains for a limited one.
    """
    limits = _checked_domains(state, domains)
    _need_reason(reason)
    certificates = read_certificates(content)
    for certificate in certificates:
        if not (may_issue(certificate) or is_self_signed(certificate)):
            raise CertificateFileError(
                "This is a person's certificate, not an authority's. Trust its issuer instead."
            )
    with transaction.atomic():
        revocation_hints.watch_held()  # what was a stranger's may be asked about now
        return tuple(
            _save_anchor(each, state, limits, actor=actor, reason=reason, request=request)
            for each in certificates
        )


def change_anchor(
    anchor: TrustAnchor,
    *,
    state: str,
    domains: Iterable[str],
    actor: User | None,
    reason: str,
    request: HttpRequest | None = None,
) -> TrustAnchor:
    """Give an anchor another state; raises CertificateFileError as `add_anchor`."""
    (changed,) = add_anchor(
        bytes(anchor.der),
        actor=actor,
        reason=reason,
        state=state,
        domains=domains,
        request=request,
    )
    return changed


def remove_anchor(
    anchor: TrustAnchor,
    *,
    actor: User | None,
    reason: str,
    request: HttpRequest | None = None,
) -> None:
    """Forget an anchor: mail that ends at it is no longer vouched for."""
    _need_reason(reason)
    with transaction.atomic():
        audit.record(
            "trust-anchor-removed",
            actor=actor,
            target=f"{anchor.name} {anchor.fingerprint[:16]}",
            request=request,
            reason=reason,
            details={"fingerprint": anchor.fingerprint, "state": anchor.state},
        )
        anchor.delete()


def find_anchor(fingerprint: str) -> TrustAnchor | None:
    """Return the anchor whose SHA-256 fingerprint begins so (8 digits at least, only one)."""
    wanted = fingerprint.replace(":", "").lower()
    if len(wanted) < 8:
        return None
    found = list(TrustAnchor.objects.filter(fingerprint__startswith=wanted)[:2])
    return found[0] if len(found) == 1 else None


def add_crl(
    content: bytes, *, actor: User | None, reason: str, request: HttpRequest | None = None
) -> RevocationList:
    """Keep a revocation list in place of an older one of the same issuer."""
    _need_reason(reason)
    lists = load_crls([content])
    if not lists:
        raise CertificateFileError("There is no revocation list in this file.")
    crl = lists[0]
    issuer = crl.issuer.rfc4514_string()[:500]
    with transaction.atomic():
        RevocationList.objects.filter(issuer=issuer, this_update__lte=crl.last_update_utc).delete()
        row = RevocationList.objects.create(
            issuer=issuer,
            der=crl.public_bytes(Encoding.DER),
            this_update=crl.last_update_utc,
            next_update=crl.next_update_utc,
        )
        audit.record(
            "revocation-list-added", actor=actor, target=issuer, request=request, reason=reason
        )
    return row


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise CertificateFileError("Give a reason: it is kept in the audit log.")


def _save_anchor(
    certificate: x509.Certificate,
    state: str,
    domains: list[str],
    *,
    actor: User | None,
    reason: str,
    request: HttpRequest | None,
) -> TrustAnchor:
    fields = fields_of(certificate)
    fields |= {"state": state, "domains": domains, "added_by": actor, "reason": reason[:400]}
    row, is_new = TrustAnchor.objects.update_or_create(
        fingerprint=fields.pop("fingerprint"), defaults=fields
    )
    audit.record(
        "trust-anchor-added" if is_new else "trust-anchor-changed",
        actor=actor,
        target=f"{row.name} {row.fingerprint[:16]}",
        request=request,
        reason=reason,
        details={"fingerprint": row.fingerprint, "state": state, "domains": domains},
    )
    return row


def _checked_domains(state: str, domains: Iterable[str]) -> list[str]:
    if state not in TrustAnchor.State.values:
        raise CertificateFileError("The state is trusted, limited or blocked.")
    limits = sorted({a_label_domain(each.strip().removeprefix("@")) for each in domains} - {""})
    if state == TrustAnchor.State.LIMITED and not limits:
        raise CertificateFileError("Name the domains that this authority is limited to.")
    return limits if state == TrustAnchor.State.LIMITED else []


def _covers(domains: Sequence[str], domain: str) -> bool:
    return any(domain == each or domain.endswith(f".{each}") for each in domains)


_ANCHORS = Prepared(
    lambda: TrustAnchor.objects.order_by("fingerprint").values_list(
        "fingerprint", "state", "domains"
    )
)
_LISTS = Prepared(lambda: RevocationList.objects.order_by("pk").values_list("pk"))


def _stamp(*, with_intermediates: bool) -> str:
    rows: list[object] = [*_ANCHORS.rows(), *_LISTS.rows(), settings.DEMAND_REVOCATION]
    if with_intermediates:
        rows.append(Intermediate.objects.aggregate(count=Count("pk"), newest=Max("pk")))
    return _digest(rows)


def _digest(rows: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(rows, default=list, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=2)
def _state(stamp: str) -> TrustState:
    rows = list(TrustAnchor.objects.order_by("fingerprint"))
    states = TrustAnchor.State
    trusted = tuple(load(row) for row in rows if row.state == states.TRUSTED)
    intermediates = tuple(
        load(row) for row in Intermediate.objects.order_by("-pk")[:INTERMEDIATE_LIMIT]
    )
    blocked = tuple(load(row) for row in rows if row.state == states.BLOCKED)
    links = (*intermediates, *blocked)
    return TrustState(
        anchors=trusted,
        limited=tuple(
            LimitedAnchor(load(row), tuple(row.domains))
            for row in rows
            if row.state == states.LIMITED
        ),
        intermediates=links,
        crls=load_crls(
            [bytes(der) for der in RevocationList.objects.values_list("der", flat=True)]
        ),
        policy=Policy(
            blocked_issuers=frozenset(
                row.fingerprint for row in rows if row.state == states.BLOCKED
            ),
            blocked_keys=frozenset(filter(None, map(readable_key, blocked))),
            demand_revocation=settings.DEMAND_REVOCATION,
        ),
        stamp=stamp,
        memory=PathMemory(trusted, links),
        installation=person_anchors.Installation(
            known=tuple(load(row) for row in rows), blocked=blocked, intermediates=intermediates
        ),
    )
