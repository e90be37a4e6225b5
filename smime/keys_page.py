"""What the keys page draws: plain values, no models, no markup."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from smime import vault
from smime.certificate_rows import load
from smime.models import OwnKey, PersonCertificate, Vault
from smime.pki.certificates import allows_mail, issuer_name, may_encrypt

EXPIRING = 60  # days before the end that the page warns
SHOWN_PEOPLE = 500


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
    state: Literal["in-use", "old", "expired", "next"]
    days_left: int
    is_personal: bool
    can_sign: bool
    # Where its life lies on the page's timeline, in twentieths (0 to 20) of its width.
    starts: int
    ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A certificate of someone else."""

    id: int
    name: str
    address: str
    state: Literal["ready", "expired", "not-usable"]
    not_after: datetime
    fingerprint: str
    is_own_entry: bool  # not the organisation's: may be forgotten

    @property
    def initials(self) -> str:
        """One or two letters for the round picture."""
        words = [word for word in (self.name or self.address).split() if word[:1].isalnum()]
        return "".join(word[0] for word in words[:2]).upper() or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """The whole page."""

    keys: tuple[OwnKeyView, ...]
    people: tuple[PersonView, ...]
    people_count: int
    years: tuple[tuple[int, int], ...]  # (year, its place on the timeline, 0 to 20)
    today: int
    has_vault: bool
    is_unlocked: bool
    idle_minutes: int
    expiring: OwnKeyView | None


def _use(row: OwnKey) -> str:
    if not row.is_current:
        return _("Old key")
    if row.can_sign and row.can_encrypt:
        return _("Signing and encryption")
    return _("Signing") if row.can_sign else _("Encryption")


def _state(row: OwnKey, now: datetime) -> Literal["in-use", "old", "expired", "next"]:
    if row.not_before > now:
        return "next"
    if row.not_after < now:
        return "expired"
    return "in-use" if row.is_current else "old"


def _place(moment: datetime, first: datetime, last: datetime) -> int:
    share = (moment - first) / (last - first)
    return max(0, min(20, round(share * 20)))


def certificates_of(user: User) -> QuerySet[PersonCertificate]:
    """Return the certificates of people that `user` may see: their own and the organisation's."""
    return PersonCertificate.objects.filter(Q(user=user) | Q(user=None))


def _people(user: User, search: str, now: datetime) -> tuple[tuple[PersonView, ...], int]:
    rows = certificates_of(user)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(address__icontains=search))
    count = rows.count()
    views = []
    for row in rows.order_by("name", "address", "-not_after")[:SHOWN_PEOPLE]:
        certificate = load(row)
        usable = may_encrypt(certificate) and allows_mail(certificate)
        state: Literal["ready", "expired", "not-usable"] = "ready" if usable else "not-usable"
        views.append(
            PersonView(
                id=row.pk,
                name=row.name,
                address=row.address,
                state="expired" if row.not_after < now else state,
                not_after=row.not_after,
                fingerprint=row.fingerprint,
                is_own_entry=row.user_id is not None,
            )
        )
    return tuple(views), count


def keys_page(user: User, *, is_unlocked: bool, idle_minutes: int, search: str = "") -> KeysPage:
    """Return the page of `user`; `search` narrows the other people by name or address."""
    now = timezone.now()
    rows = list(vault.own_keys_for(user))
    first = min([row.not_before for row in rows], default=now).replace(month=1, day=1)
    last = max([row.not_after for row in rows], default=now)
    last = last.replace(year=last.year + 1, month=1, day=1)
    people, count = _people(user, search, now)
    keys = tuple(
        OwnKeyView(
            id=row.pk,
            use=_use(row),
            name=row.name,
            addresses=tuple(row.addresses),
            issuer=issuer_name(load(row)),
            serial=row.serial.upper(),
            fingerprint=row.fingerprint,
            algorithm=row.algorithm,
            not_before=row.not_before,
            not_after=row.not_after,
            state=_state(row, now),
            days_left=(row.not_after - now).days,
            is_personal=row.sealing == OwnKey.Sealing.PERSONAL,
            can_sign=row.can_sign,
            starts=_place(row.not_before, first, last),
            ends=_place(row.not_after, first, last),
        )
        for row in rows
    )
    ending = [key for key in keys if key.state == "in-use" and key.days_left <= EXPIRING]
    return KeysPage(
        keys=keys,
        people=people,
        people_count=count,
        years=tuple(
            (year, _place(first.replace(year=year), first, last))
            for year in range(first.year, last.year)
        ),
        today=_place(now, first, last),
        has_vault=Vault.objects.filter(user=user).exists(),
        is_unlocked=is_unlocked,
        idle_minutes=idle_minutes,
        expiring=ending[0] if ending else None,
    )
