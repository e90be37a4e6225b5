"""How a person writes, remembered from their last mail: a new one begins that way.

Sign and Encrypt are remembered with the identity, and only when the person moved a switch of a new
mail themselves: a choice of the protection panel is for one mail, and a reply follows its original.
"""

from dataclasses import dataclass

from accounts.models import Identity, User
from webmail.composer.models import WritingHabits


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a new mail begins."""

    shows_cc: bool = False
    shows_bcc: bool = False
    writes_plain: bool = False


def habits_of(user: User) -> Habits:
    """Return how the person wrote last."""
    row = WritingHabits.objects.filter(user=user).first()
    if row is None:
        return Habits()
    return Habits(shows_cc=row.shows_cc, shows_bcc=row.shows_bcc, writes_plain=row.writes_plain)


def remember(user: User, *, shows_cc: bool, shows_bcc: bool, writes_plain: bool | None) -> None:
    """Keep how a mail was written that goes out; None: no script said whether it was plain."""
    before = habits_of(user)
    plain = before.writes_plain if writes_plain is None else writes_plain
    now = Habits(shows_cc=shows_cc, shows_bcc=shows_bcc, writes_plain=plain)
    if now != before:
        WritingHabits.objects.update_or_create(
            user=user,
            defaults={
                "shows_cc": now.shows_cc,
                "shows_bcc": now.shows_bcc,
                "writes_plain": now.writes_plain,
            },
        )


def remember_protection(identity: Identity, *, sign: bool, encrypt: bool) -> None:
    """Keep the switches as what new mails of this identity begin with."""
    Identity.objects.filter(pk=identity.pk).update(sign_by_default=sign, encrypt_by_default=encrypt)
