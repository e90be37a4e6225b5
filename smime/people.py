"""Certificates of the people mail is exchanged with: learned from verified mail, or imported."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal

from asn1crypto import core as asn1
from cryptography import x509
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts import audit
from accounts.models import User
from smime import revocation_hints, signals
from smime.certificate_rows import CertificateFileError, fields_of, load, read_certificates
from smime.facts import Facts
from smime.models import Intermediate, OwnKey, PersonCertificate
from smime.pki.addresses import canonical_address
from smime.pki.certificates import (
    DamagedCertificateError,
    addresses,
    allows_mail,
    fingerprint,
    is_self_issued,
    may_encrypt,
)
from smime.pki.paths import issued
from smime.verdict import Verdict
from smime.withdrawn import Withdrawal, Withdrawn
from smime.writable import is_writable

CERTIFICATES_A_PERSON = 20  # kept of one address; the longest unseen go first
# aes128-GCM, aes192-GCM, aes256-GCM (RFC 5084 §3.2) among the capabilities (RFC 8551 §2.5.2).
_GCM = frozenset(f"2.16.840.1.101.3.4.1.{arc}" for arc in (6, 26, 46))

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecipientState:
    """Whether mail to an address can be encrypted; `certificate` may also be one's own key's."""

    code: Literal["ok", "none", "expired", "withdrawn"]
    certificate: PersonCertificate | OwnKey | None = None
    gcm_capable: bool = False
    withdrawal: Withdrawal | None = None  # of "withdrawn"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the person behind an address, for a verdict."""

    certificates: tuple[x509.Certificate, ...] = ()
    pinned: tuple[x509.Certificate, ...] = ()
    bound_addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)


def certificates_for(user: User, address: str) -> list[PersonCertificate]:
    """Return what is known for an address, the organisation's included; valid longest first."""
    return list(_rows(user, [canonical_address(address)]))


def certificates_at_hand(user: User, address: str) -> tuple[x509.Certificate, ...]:
    """Return certificates that may help to check a signature without certificates in it."""
    return tuple(load(row) for row in certificates_for(user, address))


def known_for_all(user: User, addresses: Collection[str]) -> dict[str, Known]:
    """Return what verdicts on mail from these addresses may build on, in one query."""
    asked = {address: canonical_address(address) for address in addresses}
    found: dict[str, list[PersonCertificate]] = {}
    for row in _rows(user, set(asked.values())):
        found.setdefault(row.address, []).append(row)
    return {address: _known(found.get(canonical, [])) for address, canonical in asked.items()}


def _known(rows: Sequence[PersonCertificate]) -> Known:
    bound: dict[str, set[str]] = {}
    for row in rows:
        if row.is_bound_by_user:
            bound.setdefault(row.fingerprint, set()).add(row.address)
    return Known(
        certificates=tuple(load(row) for row in rows),
        pinned=tuple(load(row) for row in rows if row.is_pinned),
        bound_addresses={name: frozenset(found) for name, found in bound.items()},
    )


def recipient_states(
    user: User, addresses: Sequence[str], now: datetime
) -> dict[str, RecipientState]:
    """Say for each address (as given) whether mail to it can be encrypted now.

    A fixed number of queries, however many addresses there are.
    """
    asked = {address: canonical_address(address) for address in addresses}
    found: dict[str, list[PersonCertificate | OwnKey]] = {}
    for row in _rows(user, set(asked.values())):
        found.setdefault(row.address, []).append(row)
    own = OwnKey.objects.filter(user_id=user.pk, can_encrypt=True, is_current=True)
    for key in own.order_by("-not_after"):
        for address in key.addresses:
            found.setdefault(address, []).append(key)
    withdrawn = Withdrawn.load()
    return {
        address: _state(found.get(canonical, []), now, withdrawn)
        for address, canonical in asked.items()
    }


def harvest(user: User, facts: Facts, verdict: Verdict, *, message_date: datetime) -> None:
    """Learn from a message whose verdict is ok: the sender's certificates and capabilities."""
    lead = verdict.signature.lead
    if verdict.level != "ok" or lead is None or lead.certificate is None:
        return
    address = canonical_address(verdict.shown_from[0].address) if verdict.shown_from else ""
    if not address or not _fits(lead.certificate, address):
        return
    path = lead.path.certificates if lead.path is not None else (lead.certificate,)
    capabilities = _capability_oids(lead.facts.capabilities)
    with transaction.atomic():
        learned = [
            _learn(user, address, certificate, capabilities, message_date)
            for certificate in _certificates_of(facts, path, address)
        ]
        if not lead.trusted_for:  # what only this person trusts is nobody else's link
            keep_issuers(path[1:])
        if any(learned):
            _announce(user, address)


def import_certificate(
    user: User, address: str, content: bytes, *, request: HttpRequest | None = None
) -> PersonCertificate:
    """Keep the certificate of a file for `address`; raises CertificateFileError.

    A certificate that names another address is refused: mail must not be encrypted to a stranger.
    """
    wanted = canonical_address(address)
    if not wanted:
        raise CertificateFileError("Enter an address like name@example.org.")
    fitting = [each for each in read_certificates(content) if _fits(each, wanted)]
    if not fitting:
        raise CertificateFileError(f"No certificate in this file names {wanted}.")
    certificate = max(fitting, key=lambda each: each.not_valid_after_utc)
    row, _ = PersonCertificate.objects.update_or_create(
        user=user,
        address=wanted,
        fingerprint=fingerprint(certificate),
        defaults=_columns(certificate),
        create_defaults=_columns(certificate) | {"source": PersonCertificate.Source.IMPORT},
    )
    _announce(user, wanted)
    audit.record(
        "certificate-imported",
        actor=user,
        target=f"{wanted} {row.fingerprint[:16]}",
        request=request,
    )
    return row


def import_certificates(
    user: User, content: bytes, *, request: HttpRequest | None = None
) -> list[PersonCertificate]:
    """Keep every person's certificate of a file under the addresses it names."""
    named = {name for each in read_certificates(content) for name in fields_of(each)["addresses"]}
    if not named:
        raise CertificateFileError("No certificate in this file names an address.")
    with transaction.atomic():
        return [import_certificate(user, name, content, request=request) for name in sorted(named)]


def forget(user: User, certificate_id: int, *, request: HttpRequest | None = None) -> bool:
    """Forget one of the person's own entries; False when it is not theirs."""
    row = PersonCertificate.objects.filter(user=user, pk=certificate_id).first()
    if row is None:
        return False
    with transaction.atomic():
        audit.record(
            "certificate-forgotten",
            actor=user,
            target=f"{row.address} {row.fingerprint[:16]}",
            request=request,
        )
        row.delete()
        _announce(user, row.address)
    return True


def _announce(user: User, address: str) -> None:
    """Say that the address became known, or less known, once that is committed."""
    revocation_hints.watch_held(user.pk)
    transaction.on_commit(
        partial(signals.person_known.send, sender=None, user_id=user.pk, address=address)
    )


def _rows(user: User, canonical: Iterable[str]) -> QuerySet[PersonCertificate]:
    return PersonCertificate.objects.filter(
        Q(user_id=user.pk) | Q(user=None), address__in=[each for each in canonical if each]
    ).order_by("-not_after", "-pk")


def _state(
    rows: Sequence[PersonCertificate | OwnKey], now: datetime, withdrawn: Withdrawn
) -> RecipientState:
    expired: RecipientState | None = None
    gone: RecipientState | None = None
    is_capable = any(
        _GCM & set(row.capabilities) for row in rows if isinstance(row, PersonCertificate)
    )
    for row in rows:
        certificate = load(row)
        if not _can_receive(certificate):
            continue
        withdrawal = withdrawn.find(certificate, now)
        if withdrawal is not None:
            gone = gone or RecipientState("withdrawn", row, withdrawal=withdrawal)
            continue
        if row.not_before <= now <= row.not_after:
            # Mail to oneself is read by this program, which opens GCM.
            return RecipientState("ok", row, is_capable or isinstance(row, OwnKey))
        if row.not_after < now:
            expired = expired or RecipientState("expired", row)
    # A withdrawal is worth more attention than an end that was always known.
    return gone or expired or RecipientState("none")


def _can_receive(certificate: x509.Certificate) -> bool:
    try:
        return may_encrypt(certificate) and allows_mail(certificate) and is_writable(certificate)
    except DamagedCertificateError:
        return False


def _fits(certificate: x509.Certificate, address: str) -> bool:
    try:
        return any(each.fits(address) for each in addresses(certificate))
    except DamagedCertificateError:
        return False


def _certificates_of(
    facts: Facts, path: Sequence[x509.Certificate], address: str
) -> list[x509.Certificate]:
    """Return the signer's certificate, and encryption certificates that travelled with it.

    No signature covers those, so the signer's own issuer must have signed them for the sender.
    """
    found = [path[0]]
    for layer in facts.layers:
        for each in layer.signature.certificates if layer.signature and path[1:] else ():
            is_sibling = each not in found and issued(path[1], each)
            if is_sibling and _fits(each, address) and _can_receive(each):
                found.append(each)
    return found


def _learn(
    user: User,
    address: str,
    certificate: x509.Certificate,
    capabilities: list[str],
    message_date: datetime,
) -> bool:
    row, is_new = PersonCertificate.objects.get_or_create(
        user=user,
        address=address,
        fingerprint=fingerprint(certificate),
        defaults=_columns(certificate)
        | {"source": PersonCertificate.Source.MAIL, "last_seen_at": message_date},
    )
    row.source = PersonCertificate.Source.MAIL
    row.last_seen_at = max(row.last_seen_at, message_date)
    if row.capabilities_at is None or row.capabilities_at <= message_date:
        row.capabilities, row.capabilities_at = capabilities, message_date
    row.save()
    if is_new:
        kept = PersonCertificate.objects.filter(user=user, address=address)
        surplus = kept.filter(is_pinned=False, is_bound_by_user=False).order_by("-last_seen_at")
        gone = list(surplus.values_list("pk", flat=True)[CERTIFICATES_A_PERSON:])
        PersonCertificate.objects.filter(pk__in=gone).delete()
    return is_new


def keep_issuers(issuers: Sequence[x509.Certificate]) -> None:
    """Keep the issuers between signer and root: they complete earlier and later paths."""
    is_any_new = False
    for issuer in issuers:
        if not is_self_issued(issuer):
            _row, is_new = Intermediate.objects.get_or_create(
                fingerprint=fingerprint(issuer), defaults=_columns(issuer)
            )
            is_any_new = is_any_new or is_new
    if is_any_new:
        transaction.on_commit(partial(signals.issuer_known.send, sender=None))


def _columns(certificate: x509.Certificate) -> dict[str, Any]:
    fields = fields_of(certificate)
    del fields["fingerprint"]
    return fields


def _capability_oids(encoded: Sequence[bytes]) -> list[str]:
    found: list[str] = []
    for der in encoded[:64]:
        try:
            first = asn1.Sequence.load(der)[0]
        except (ValueError, TypeError, IndexError, KeyError):
            logger.info("event=capability-not-read")
            continue
        if isinstance(first, asn1.ObjectIdentifier):
            found.append(first.dotted)
    return found
