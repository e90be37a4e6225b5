"""Where one signer stands: path, validity in time, revocation, purpose, strength, address.

Six independent facts (verdicts.md, ground rule 2); which of them leads is decided in `verdict`.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from smime.cms.verifying import Method
from smime.facts import SenderFacts, SignatureFacts, SignerFacts
from smime.pki.addresses import CertificateAddress, same_address
from smime.pki.certificates import (
    DamagedCertificateError,
    addresses,
    allows_mail,
    display_name,
    fingerprint,
    is_self_signed,
    issuer_name,
    key_strength,
    may_sign,
    purpose_words,
    readable_key,
    signature_hash,
)
from smime.pki.paths import Path, find_path
from smime.pki.revocation import COMPROMISE, RevocationStatus, check_revocation
from smime.verdict_context import Context

_BROKEN_HASHES = frozenset({"md5", "md2"})
_BROKEN_SIGNATURE_OIDS = frozenset({"1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4"})
_WEAK_HASHES = frozenset({"sha1"})
_BROKEN_RSA = 1024  # bits: below that anyone can forge (RFC 8551 §6)
_WEAK_RSA = 2048  # bits (RFC 8550 §6)
_WEAK_EC = 224  # bits

type Bound = Literal["from", "sender", "other", "none"]
type Validity = Literal["valid", "expired-since", "expired", "not-yet-valid"]
type Strength = Literal["good", "weak", "broken"]
type Revocation = Literal["good", "unknown", "revoked", "revoked-later"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One signer, judged fact by fact."""

    facts: SignerFacts
    certificate: x509.Certificate | None
    name: str = ""
    addresses: tuple[CertificateAddress, ...] = ()
    bound: Bound = "none"  # whose address the certificate names; "none": no readable one
    path: Path | None = None
    validity: Validity = "valid"
    validity_date: datetime | None = None  # when it expired, or starts
    revocation: Revocation = "unknown"
    revoked_at: datetime | None = None
    is_revocation_grave: bool = False  # a compromise, or it is not known what came first
    may_sign: bool = True
    wrong_purposes: str | None = None  # in words, when a certificate of the path excludes mail
    strength: Strength = "good"
    trusted_for: tuple[str, ...] = ()  # domains, if it is the reader who trusts the path's end
    is_damaged: bool = False  # extensions that cannot be read: vouches for nothing

    @property
    def address(self) -> str:
        """The first address of the certificate, "" without one."""
        return self.addresses[0].text if self.addresses else ""

    @property
    def is_intact(self) -> bool:
        """The signature holds over the bytes shown."""
        return self.facts.check.integrity == "good"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal digits; "" without one."""
        return fingerprint(self.certificate) if self.certificate is not None else ""

    @property
    def issuer(self) -> str:
        """The issuer's name as it may be shown."""
        return issuer_name(self.certificate) if self.certificate is not None else ""


def assess(
    signer: SignerFacts, signature: SignatureFacts, sender: SenderFacts, context: Context
) -> Standing:
    """Judge one signer fact by fact. Never raises."""
    certificate = signer.check.certificate
    if certificate is None:
        strength = _method_strength(signer.check.method)
        return Standing(signer, None, strength=strength)
    try:
        return _assess(signer, certificate, signature, sender, context)
    except DamagedCertificateError:
        return Standing(
            signer, certificate, name=display_name(certificate), may_sign=False, is_damaged=True
        )


def _assess(
    signer: SignerFacts,
    certificate: x509.Certificate,
    signature: SignatureFacts,
    sender: SenderFacts,
    context: Context,
) -> Standing:
    about = _remembered(context, ("about", certificate), lambda: _about(certificate))
    path, trusted_for = _path(certificate, signature, context)
    whole = _remembered(context, ("whole", path), lambda: _of_path(path))
    validity, date = _validity(whole, context)
    revocation = (
        _revocation(path, context)
        if path.trust == "trusted"
        else RevocationStatus("good" if path.trust == "pinned" else "unknown")
    )
    return Standing(
        facts=signer,
        certificate=certificate,
        name=about.name,
        addresses=about.addresses,
        bound=_bound(about, sender, context),
        path=path,
        validity=validity,
        validity_date=date,
        revocation=_when(revocation, signer, sender, context),
        revoked_at=revocation.at,
        is_revocation_grave=context.received_at is None or revocation.reason in COMPROMISE,
        may_sign=about.may_sign,
        wrong_purposes=whole.wrong_purposes,
        strength=_weakest(
            whole.strength,
            _method_strength(signer.check.method),
            "weak" if revocation.is_weak else "good",
        ),
        trusted_for=trusted_for,
    )


def _path(
    certificate: x509.Certificate, signature: SignatureFacts, context: Context
) -> tuple[Path, tuple[str, ...]]:
    """Find the path of a signer, and the domains of the reader's own anchor if it ends at one.

    What the installation found stands: an own anchor is asked only where a path ends at nobody it
    knows, so that it hides neither a rule that was broken nor an issuer that is blocked.
    """
    find = context.memory.find if context.memory is not None else find_path
    moments = [context.now, *([context.received_at] if context.received_at else [])]
    others = (*context.intermediates, *signature.certificates, *context.known_certificates)
    path = find(certificate, anchors=context.anchors, others=others, moments=moments)
    own = {each.certificate: each.domains for each in context.own_anchors}
    if not own or path.trust in {"trusted", "pinned", "broken"} or is_blocked(path, context):
        return path, ()
    longer = find(certificate, anchors=(*context.anchors, *own), others=others, moments=moments)
    if not longer.is_trusted:
        return path, ()
    return longer, own.get(longer.certificates[-1], ())


def is_blocked(path: Path, context: Context) -> bool:
    """Say whether the installation accepts no certificates of an issuer on this path."""
    policy = context.policy
    if any(fingerprint(each) in policy.blocked_issuers for each in path.certificates):
        return True
    return bool(policy.blocked_keys) and any(
        _remembered(context, ("key", each), partial(readable_key, each)) in policy.blocked_keys
        for each in path.certificates
    )


@dataclass(frozen=True, slots=True)
class _About:
    """What a signer's certificate says, whoever asks."""

    fingerprint: str
    name: str
    addresses: tuple[CertificateAddress, ...]
    may_sign: bool


@dataclass(frozen=True, slots=True)
class _OfPath:
    """What a path's certificates say together, whenever it is asked."""

    starts: datetime
    ends: datetime
    wrong_purposes: str | None
    strength: Strength


def _about(certificate: x509.Certificate) -> _About:
    return _About(
        fingerprint=fingerprint(certificate),
        name=display_name(certificate),
        addresses=addresses(certificate),
        may_sign=may_sign(certificate),
    )


def _of_path(path: Path) -> _OfPath:
    dated = _dated(path)
    return _OfPath(
        starts=max(each.not_valid_before_utc for each in dated),
        ends=min(each.not_valid_after_utc for each in dated),
        wrong_purposes=_wrong_purposes(path.certificates),
        strength=_path_strength(path),
    )


def _remembered[T](context: Context, key: Hashable, ask: Callable[[], T]) -> T:
    return ask() if context.memory is None else context.memory.remember(key, ask)


def _bound(about: _About, sender: SenderFacts, context: Context) -> Bound:
    named = about.addresses
    by_user = context.bound_addresses.get(about.fingerprint, frozenset())

    def fits(address: str) -> bool:
        return any(name.fits(address) for name in named) or any(
            same_address(each, address) for each in by_user
        )

    if any(fits(each.address) for each in sender.from_):
        return "from"
    if any(fits(each.address) for each in sender.sender):
        return "sender"
    return "other" if named or by_user else "none"


def _dated(path: Path) -> tuple[x509.Certificate, ...]:
    """Choose the certificates whose life matters: all but the one that is trusted as it is."""
    if path.trust == "trusted" and len(path.certificates) > 1:
        return path.certificates[:-1]
    return path.certificates[:1] if path.trust == "pinned" else path.certificates


def _validity(whole: _OfPath, context: Context) -> tuple[Validity, datetime | None]:
    """Judge at now; if only expiry stands against it, at the time of receipt (RFC 8550 §6)."""
    starts, ends = whole.starts, whole.ends
    if context.now < starts:
        return "not-yet-valid", starts
    if context.now <= ends:
        return "valid", None
    received = context.received_at
    if received is not None and starts <= received <= ends:
        return "expired-since", ends
    return "expired", ends


def _revocation(path: Path, context: Context) -> RevocationStatus:
    """Ask the lists about every certificate below the trusted one; the leaf's answer stands for
    all unless one above it was withdrawn.
    """
    below, above = path.certificates[:-1], path.certificates[1:]
    given = tuple(tuple(context.answers.get(fingerprint(each), ())) for each in below)

    def ask() -> RevocationStatus:
        found = [
            check_revocation(
                certificate, issuer, crls=context.crls, answers=answers, now=context.now
            )
            for certificate, issuer, answers in zip(below, above, given, strict=True)
        ]
        revoked = [status for status in found if status.state == "revoked"]
        if revoked:
            return min(revoked, key=lambda status: status.at or context.now)
        return found[0] if found else RevocationStatus("good")

    return _remembered(context, ("revoked", path, given, context.now), ask)


def _when(
    status: RevocationStatus, signer: SignerFacts, sender: SenderFacts, context: Context
) -> Revocation:
    if status.state != "revoked" or status.at is None:
        return "unknown" if status.state == "unknown" else "good"
    if context.received_at is not None:
        return "revoked" if status.at <= context.received_at else "revoked-later"
    # Receipt unknown: what the message itself claims can only speak against it.
    claimed = [each for each in (signer.signed_at, sender.date) if each is not None]
    return "revoked" if any(status.at <= each for each in claimed) else "revoked-later"


def _wrong_purposes(certificates: Sequence[x509.Certificate]) -> str | None:
    for certificate in certificates:
        try:
            if not allows_mail(certificate):
                return purpose_words(certificate)
        except DamagedCertificateError:
            return "unreadable purposes"
    return None


def _method_strength(method: Method | None) -> Strength:
    hashes = {method.digest, method.hash} if method is not None else set()
    if hashes & _BROKEN_HASHES:
        return "broken"
    return "weak" if hashes & _WEAK_HASHES else "good"


def _path_strength(path: Path) -> Strength:
    found = [strength_of_key(each) for each in path.certificates]
    found += [_hash_strength(each) for each in path.below_root if not is_self_signed(each)]
    return _weakest(*found)


def _weakest(*found: Strength) -> Strength:
    if "broken" in found:
        return "broken"
    return "weak" if "weak" in found else "good"


def strength_of_key(certificate: x509.Certificate) -> Strength:
    """Say how far a certificate's key can be relied on (RFC 8550 §6, RFC 8551 §6)."""
    try:
        kind, bits = key_strength(certificate)
    except DamagedCertificateError:
        return "weak"
    if kind in {"rsa", "dsa"}:
        if bits < _BROKEN_RSA:
            return "broken"
        return "weak" if bits < _WEAK_RSA else "good"
    return "weak" if kind == "ec" and bits < _WEAK_EC else "good"


def _hash_strength(certificate: x509.Certificate) -> Strength:
    if certificate.signature_algorithm_oid.dotted_string in _BROKEN_SIGNATURE_OIDS:
        return "broken"
    try:
        used = signature_hash(certificate)
    except (UnsupportedAlgorithm, ValueError) as error:
        raise DamagedCertificateError("unknown signature algorithm") from error
    name = used.name if used is not None else ""
    if name in _BROKEN_HASHES:
        return "broken"
    return "weak" if name in _WEAK_HASHES else "good"
