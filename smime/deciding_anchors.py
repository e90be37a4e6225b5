"""A person trusts an authority of their own, for mail of domains that they name, or no longer.

Each decision is theirs alone and in the audit log. What counts of it, and when, is
`smime.person_anchors`' to say.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from cryptography import x509
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from smime import person_anchors, trust
from smime.certificate_rows import CertificateFileError, fields_of, load, read_certificates
from smime.deciding import DecisionError
from smime.models import PersonAnchor
from smime.pki.addresses import a_label_domain
from smime.pki.certificates import DamagedCertificateError, allows_mail, extension, key_strength
from smime.pki.paths import KEY_SIZE_LIMIT
from smime.verdict_signer import strength_of_key

FILE_LIMIT = 64 * 1024  # octets of the uploaded file
ANCHORS_LIMIT = 20  # of one person
DOMAINS_LIMIT = 20  # of one authority
_BETWEEN = re.compile(r"[\s,;]+")
# Letters, digits and hyphens, in two labels at least: an authority for all of "com" has no limit.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.(?!\d+$){_LABEL}")
_DOMAIN_LENGTH = 253  # RFC 1035 §2.3.4, without the root's octets

type Standing = Literal["counts", "not-allowed", "blocked", "decided"]


@dataclass(frozen=True, slots=True)
class Offered:
    """An authority that may be trusted, as it is shown before it is."""

    columns: dict[str, Any]  # of `smime.models.Certificate`
    domains: tuple[str, ...]  # lower-case A-labels, each once

    @property
    def fingerprint(self) -> str:
        """SHA-256 in groups of four digits, to be compared aloud."""
        return in_groups(self.columns["fingerprint"])


def in_groups(fingerprint: str) -> str:
    """Return a fingerprint in groups of four digits."""
    digits = fingerprint.upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def examine(user: User, content: bytes, domains: str) -> Offered:
    """Check an authority's certificate (PEM, DER or .p7b) and the domains it is to be limited to.

    domains: separated by commas or spaces. Raises DecisionError with a sentence.
    """
    if not person_anchors.are_allowed():
        raise DecisionError(_("Your administrator does not allow authorities of one's own."))
    certificate = _read(content)
    columns = _checked(certificate)
    limits = read_domains(domains)
    _check_room(user, columns["fingerprint"])
    return Offered(columns, limits)


def add(
    user: User, content: bytes, domains: str, *, request: HttpRequest | None = None
) -> PersonAnchor:
    """Trust an authority, or change the domains of one that is trusted already.

    Raises DecisionError as `examine`.
    """
    offered = examine(user, content, domains)
    columns = dict(offered.columns)
    mark = columns.pop("fingerprint")
    with transaction.atomic():
        # One after the other, so that two requests at once do not pass the limit together.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _check_room(user, mark)
        row, is_new = PersonAnchor.objects.update_or_create(
            user=user, fingerprint=mark, defaults={**columns, "domains": list(offered.domains)}
        )
        action = "person-anchor-added" if is_new else "person-anchor-changed"
        _record(action, row, actor=user, request=request)
    return row


def remove(
    row: PersonAnchor,
    *,
    actor: User | None,
    reason: str = "",
    request: HttpRequest | None = None,
) -> None:
    """Forget an authority: mail that ends at it is no longer vouched for, for this person."""
    with transaction.atomic():
        _record("person-anchor-removed", row, actor=actor, reason=reason, request=request)
        row.delete()


def anchors_of(user: User) -> list[PersonAnchor]:
    """Return a person's own authorities, whether they count or not, by name."""
    return list(PersonAnchor.objects.filter(user=user).order_by("name", "fingerprint"))


def find_anchor(user: User, fingerprint: str) -> PersonAnchor | None:
    """Return the person's anchor whose fingerprint begins so (8 digits at least, only one)."""
    wanted = fingerprint.replace(":", "").lower()
    if len(wanted) < 8:
        return None
    found = list(PersonAnchor.objects.filter(user=user, fingerprint__startswith=wanted)[:2])
    return found[0] if len(found) == 1 else None


def standing_of(row: PersonAnchor) -> Standing:
    """Say whether it counts, or what of the installation's stands against it."""
    certificate, installation = load(row), trust.anchors().installation
    if not person_anchors.are_allowed():
        return "not-allowed"
    if certificate in installation.blocked or installation.blocks(certificate):
        return "blocked"
    return "decided" if installation.has_decided(certificate) else "counts"


def read_domains(text: str) -> tuple[str, ...]:
    """Read domains as they were typed; raises DecisionError for none, too many or what is none."""
    written = [each for each in _BETWEEN.split(text[:8192].strip()) if each]
    found = tuple(dict.fromkeys(a_label_domain(each.removeprefix("@")) for each in written))
    if not found:
        raise DecisionError(_("Name at least one domain whose mail this authority vouches for."))
    if len(found) > DOMAINS_LIMIT:
        words = _("Name at most {count} domains for one authority.")
        raise DecisionError(words.format(count=DOMAINS_LIMIT))
    for domain in found:
        if len(domain) > _DOMAIN_LENGTH or not _DOMAIN.fullmatch(domain):
            words = _("“{domain}” is no domain like partner.example.")
            raise DecisionError(words.format(domain=domain[:100]))
    return found


def _read(content: bytes) -> x509.Certificate:
    if len(content) > FILE_LIMIT:
        words = _("The file is too large to be a certificate: {size} KiB is the most.")
        raise DecisionError(words.format(size=FILE_LIMIT // 1024))
    try:
        found = read_certificates(content)
    except CertificateFileError as error:
        raise DecisionError(error.reason) from error
    if len(found) > 1:
        raise DecisionError(
            _("There are several certificates in this file. Choose one with the authority's alone.")
        )
    return found[0]


def _checked(certificate: x509.Certificate) -> dict[str, Any]:
    """Return the columns of an authority that can be relied on; raises DecisionError."""
    try:
        columns = fields_of(certificate)
        constraints = extension(certificate, x509.BasicConstraints)
        usage = extension(certificate, x509.KeyUsage)
        is_for_mail = allows_mail(certificate)
        kind, bits = key_strength(certificate)
        strength = strength_of_key(certificate)
    except CertificateFileError as error:
        raise DecisionError(error.reason) from error
    except DamagedCertificateError as error:
        raise DecisionError(_("The certificate is damaged and cannot be read.")) from error
    if constraints is None or not constraints.ca:
        raise DecisionError(
            _(
                "This certificate does not belong to an authority: it may not issue others "
                "(basicConstraints). Ask for the certificate of its issuer."
            )
        )
    if usage is not None and not usage.key_cert_sign:
        raise DecisionError(_("The authority's key may not sign certificates (keyUsage)."))
    if not is_for_mail:
        raise DecisionError(_("This authority is for other purposes than mail."))
    if strength != "good":
        words = _("The authority's key is too short to rely on: {key}.")
        raise DecisionError(words.format(key=columns["algorithm"]))
    if kind in {"rsa", "dsa"} and bits > KEY_SIZE_LIMIT:
        words = _("The authority's key is longer than {bits} bits, which is not checked here.")
        raise DecisionError(words.format(bits=KEY_SIZE_LIMIT))
    if columns["not_after"] < timezone.now():
        words = _("The authority's certificate expired on {day}.")
        raise DecisionError(words.format(day=date_format(columns["not_after"], "j F Y")))
    _check_installation(certificate)
    return columns


def _check_installation(certificate: x509.Certificate) -> None:
    installation = trust.anchors().installation
    if certificate in installation.blocked or installation.blocks(certificate):
        raise DecisionError(_("Your organisation does not accept this authority."))
    if installation.has_decided(certificate):
        raise DecisionError(
            _("Your organisation has decided about this authority already; that stands.")
        )


def _check_room(user: User, fingerprint: str) -> None:
    others = PersonAnchor.objects.filter(user=user).exclude(fingerprint=fingerprint)
    if others.count() >= ANCHORS_LIMIT:
        words = _("You trust {count} authorities already. Remove one before you add another.")
        raise DecisionError(words.format(count=ANCHORS_LIMIT))


def _record(
    action: str,
    row: PersonAnchor,
    *,
    actor: User | None,
    request: HttpRequest | None,
    reason: str = "",
) -> None:
    audit.record(
        action,
        actor=actor,
        target=f"{row.name} {row.fingerprint[:16]}, {row.user.address}",
        request=request,
        reason=reason,
        details={"fingerprint": row.fingerprint, "domains": row.domains, "user": row.user_id},
    )
