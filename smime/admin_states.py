"""How certificates stand, for the panel's tables: one word, a date, whose it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin_parts import State, day
from accounts.models import User
from smime.certificate_rows import load
from smime.models import Certificate, OwnKey
from smime.withdrawn import Withdrawn

ENDS_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate's state, and until when it is valid ("" without one)."""

    state: State
    until: str = ""


def none_yet() -> Standing:
    """Return how somebody without a certificate stands."""
    return Standing(State("none", "seal-none", _("None yet")))


def standing(
    *, not_before: datetime, not_after: datetime, is_withdrawn: bool, now: datetime
) -> Standing:
    """Return how a certificate stands at `now`. Pure but for the language."""
    until = day(not_after)
    if is_withdrawn:
        return Standing(State("bad", "circle-x", _("Revoked")), until)
    if not_after <= now:
        return Standing(State("bad", "circle-x", _("Expired")), until)
    if not_before > now:
        return Standing(State("none", "hourglass", _("Not valid yet")), until)
    left = not_after - now
    if left <= ENDS_SOON:
        words = ngettext("Expires in {days} day", "Expires in {days} days", left.days)
        if left.days == 0:
            words = _("Expires today")
        return Standing(State("warn", "clock-alert", words.format(days=left.days)), until)
    return Standing(State("ok", "check", _("Valid")), until)


def standing_of(row: Certificate, *, withdrawn: Withdrawn, now: datetime) -> Standing:
    """Return how a row's certificate stands."""
    return standing(
        not_before=row.not_before,
        not_after=row.not_after,
        is_withdrawn=withdrawn.has(load(row), now),
        now=now,
    )


def standings(rows: Iterable[Certificate], *, now: datetime) -> list[Standing]:
    """Return how certificates stand; the state of trust is loaded once for all."""
    withdrawn = Withdrawn.load()
    return [standing_of(row, withdrawn=withdrawn, now=now) for row in rows]


def standings_of_people(users: Sequence[User], *, now: datetime) -> dict[int, Standing]:
    """Return how each person stands, by id: of keys in use, the one that needs attention first."""
    keys = OwnKey.objects.filter(user__in=users, is_current=True).order_by("not_after")
    withdrawn = Withdrawn.load()
    found: dict[int, Standing] = {}
    for key in keys:
        found.setdefault(key.user_id, standing_of(key, withdrawn=withdrawn, now=now))
    return {user.pk: found.get(user.pk) or none_yet() for user in users}
