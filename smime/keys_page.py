"""What the keys page draws: plain values, no models, no markup."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from smime import deciding_anchors, person_anchors, vault
from smime.certificate_rows import load
from smime.comparing import Piece, compare
from smime.deciding_anchors import Standing as AnchorStanding
from smime.deciding_anchors import in_groups, standing_of
from smime.models import OwnKey, PersonCertificate, Vault
from smime.pki.addresses import canonical_address
from smime.pki.certificates import allows_mail, is_self_signed, issuer_name, may_encrypt
from smime.timeline import Bar, Timeline, plan_timeline
from smime.withdrawn import Withdrawal, Withdrawn

EXPIRING = 60  # days before the end that the page warns
SHOWN_PEOPLE = 500
_BARS_BEGIN, _BAR_PITCH = 3.125, 2.75  # rem


type KeyState = Literal["in-use", "old", "expired", "next", "withdrawn"]
type PersonState = Literal["ready", "expired", "withdrawn", "not-usable", "self-made", "bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeyView:
    """One of the person's keys."""

    id: int
    use: str  # "Signing and encryption", "Signing", "Encryption", "Old key"
    name: str
    addresses: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str
    algorithm: str
    not_before: datetime
    not_after: datetime
    state: KeyState
    withdrawn_on: datetime | None  # of "withdrawn"; None, too, where the issuer is blocked here
    is_blocked: bool
    days_left: int
    is_personal: bool
    can_sign: bool
    bar: Bar
    bar_top: str  # of the bar in the drawing: "2.875rem"
    bar_words: str  # "Signing, in use"
    bar_short: str  # "In use", for a narrow drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A certificate of someone else."""

    id: int
    name: str
    address: str
    state: PersonState
    withdrawn_on: datetime | None
    not_after: datetime
    fingerprint: str
    is_own_entry: bool  # not the organisation's: may be forgotten

    @property
    def initials(self) -> str:
        """One or two letters for the round picture."""
        words = [word for word in (self.name or self.address).split() if word[:1].isalnum()]
        return "".join(word[0] for word in words[:2]).upper() or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorView:
    """An authority that the person trusts."""

    id: int
    name: str
    domains: tuple[str, ...]
    fingerprint: str  # in groups
    not_after: datetime
    standing: AnchorStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """The whole page."""

    keys: tuple[OwnKeyView, ...]
    people: tuple[PersonView, ...]
    people_count: int
    anchors: tuple[AnchorView, ...]
    may_add_anchors: bool
    timeline: Timeline
    timeline_height: str  # "8.5rem"
    backup: OwnKeyView | None  # the key in use that lasts longest
    has_vault: bool
    is_unlocked: bool
    idle_minutes: int
    expiring: OwnKeyView | None
    withdrawn: OwnKeyView | None  # that was in use, so that a new one is needed


def _use(row: OwnKey) -> str:
    if not row.is_current:
        return _("Old key")
    if row.can_sign and row.can_encrypt:
        return _("Signing and encryption")
    return _("Signing") if row.can_sign else _("Encryption")


def _state(row: OwnKey, withdrawal: Withdrawal | None, now: datetime) -> KeyState:
    if withdrawal is not None:
        return "withdrawn"
    if row.not_before > now:
        return "next"
    if row.not_after < now:
        return "expired"
    return "in-use" if row.is_current else "old"


def _bar_words(row: OwnKey, state: str) -> str:
    if state == "in-use":
        return _("{use}, in use").format(use=_use(row))
    if state == "withdrawn":
        return _("Withdrawn, opens old mail")
    return _("Next") if state == "next" else _("Old key, opens old mail")


def _bar_short(state: str) -> str:
    match state:
        case "in-use":
            return _("In use")
        case "next":
            return _("Next")
        case "withdrawn":
            return _("Withdrawn")
        case _:
            return _("Old key")


def _person_state(
    row: PersonCertificate, withdrawal: Withdrawal | None, now: datetime
) -> PersonState:
    certificate = load(row)
    if withdrawal is not None:
        return "withdrawn"
    if row.not_after < now:
        return "expired"
    if not (may_encrypt(certificate) and allows_mail(certificate)):
        return "not-usable"
    if row.is_bound_by_user:
        return "bound"
    return "self-made" if is_self_signed(certificate) and not row.is_pinned else "ready"


def certificates_of(user: User) -> QuerySet[PersonCertificate]:
    """Return the certificates of people that `user` may see: their own and the organisation's."""
    return PersonCertificate.objects.filter(Q(user=user) | Q(user=None))


def _people(
    user: User, search: str, withdrawn: Withdrawn, now: datetime
) -> tuple[tuple[PersonView, ...], int]:
    rows = certificates_of(user)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(address__icontains=search))
    count = rows.count()
    shown = list(rows.order_by("name", "address", "-not_after")[:SHOWN_PEOPLE])
    gone = [withdrawn.find(load(row), now) for row in shown]
    views = [
        PersonView(
            id=row.pk,
            name=row.name,
            address=row.address,
            state=_person_state(row, withdrawal, now),
            withdrawn_on=withdrawal.at if withdrawal is not None else None,
            not_after=row.not_after,
            fingerprint=row.fingerprint,
            is_own_entry=row.user_id is not None,
        )
        for row, withdrawal in zip(shown, gone, strict=True)
    ]
    return tuple(views), count


def _anchors(user: User) -> tuple[AnchorView, ...]:
    return tuple(
        AnchorView(
            id=row.pk,
            name=row.name or row.subject,
            domains=tuple(row.domains),
            fingerprint=in_groups(row.fingerprint),
            not_after=row.not_after,
            standing=standing_of(row),
        )
        for row in deciding_anchors.anchors_of(user)
    )


def keys_page(user: User, *, is_unlocked: bool, idle_minutes: int, search: str = "") -> KeysPage:
    """Return the page of `user`; `search` narrows the other people by name or address."""
    now = timezone.now()
    rows = sorted(vault.own_keys_for(user), key=lambda row: (row.not_before, row.pk))
    timeline = plan_timeline([(row.not_before, row.not_after) for row in rows], now=now)
    withdrawn = Withdrawn.load()
    people, count = _people(user, search, withdrawn, now)
    gone = [withdrawn.find(load(row), now) for row in rows]
    keys = tuple(
        OwnKeyView(
            id=row.pk,
            use=_use(row) if row.not_before <= now else _("Next key"),
            name=row.name,
            addresses=tuple(row.addresses),
            issuer=issuer_name(load(row)),
            serial=row.serial.upper(),
            fingerprint=row.fingerprint,
            algorithm=row.algorithm,
            not_before=row.not_before,
            not_after=row.not_after,
            state=_state(row, withdrawal, now),
            withdrawn_on=withdrawal.at if withdrawal is not None else None,
            is_blocked=withdrawal is not None and withdrawal.is_blocked,
            days_left=(row.not_after - now).days,
            is_personal=row.sealing == OwnKey.Sealing.PERSONAL,
            can_sign=row.can_sign,
            bar=bar,
            bar_top=f"{_BARS_BEGIN + number * _BAR_PITCH:.3f}rem",
            bar_words=_bar_words(row, _state(row, withdrawal, now)),
            bar_short=_bar_short(_state(row, withdrawal, now)),
        )
        for number, (row, bar, withdrawal) in enumerate(zip(rows, timeline.bars, gone, strict=True))
    )
    in_use = [key for key in keys if key.state == "in-use"]
    ending = [key for key in in_use if key.days_left <= EXPIRING]
    return KeysPage(
        keys=keys,
        people=people,
        people_count=count,
        anchors=_anchors(user),
        may_add_anchors=person_anchors.are_allowed(),
        timeline=timeline,
        timeline_height=f"{_BARS_BEGIN + len(rows) * _BAR_PITCH:.3f}rem",
        backup=max(in_use, key=lambda key: key.not_after, default=None),
        has_vault=Vault.objects.filter(user=user).exists(),
        is_unlocked=is_unlocked,
        idle_minutes=idle_minutes,
        expiring=ending[0] if ending else None,
        withdrawn=next(
            (key for key, row in zip(keys, rows, strict=True) if _is_missed(key, row)), None
        ),
    )


def _is_missed(key: OwnKeyView, row: OwnKey) -> bool:
    return key.state == "withdrawn" and row.is_current and key.days_left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePage:
    """Someone's certificate in full, and what the person may decide about it."""

    row: PersonCertificate
    withdrawal: Withdrawal | None
    fingerprint: str  # in groups, to be read aloud
    can_pin: bool
    asked_address: str  # an address to compare, from a link; "" if none
    compared: tuple[tuple[Piece, ...], tuple[Piece, ...]] | None  # (writes from, is named)


def certificate_page(user: User, certificate_id: int, *, asked: str = "") -> CertificatePage | None:
    """Return the page of a certificate that `user` sees; None if there is none.

    asked: an address they write from; it is compared with the one the certificate names.
    """
    row = certificates_of(user).filter(pk=certificate_id).first()
    if row is None:
        return None
    asked = canonical_address(asked) or ""
    used = asked or row.address
    is_foreign = bool(row.addresses) and used not in row.addresses
    return CertificatePage(
        row=row,
        withdrawal=Withdrawn.load().find(load(row), timezone.now()),
        fingerprint=in_groups(row.fingerprint),
        can_pin=row.user_id == user.pk and is_self_signed(load(row)),
        asked_address=asked,
        compared=compare(used, row.addresses[0]) if is_foreign else None,
    )
