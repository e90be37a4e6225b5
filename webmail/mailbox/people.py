"""The names a list row shows for a conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

_LONGEST = 300  # characters, the column's width
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody as a header names them."""

    name: str
    address: str

    @property
    def full(self) -> str:
        """The name, else the address."""
        return self.name or self.address

    @property
    def short(self) -> str:
        """The first word of the name, else what is before the @."""
        words = self.name.replace(",", " ").split()
        if "," in self.name and len(words) > 1:  # "Lovelace, Ada"
            return words[-1]
        return words[0] if words else self.address.partition("@")[0] or self.address


def sender_words(senders: Sequence[Name], *, own: Iterable[str]) -> str:
    """Return "Anna, Jonas, me" for senders in the order they wrote; one alone in full."""
    mine = {address.casefold() for address in own}
    people = _distinct(senders)
    if len(people) == 1:
        only = people[0]
        return _("me") if only.address.casefold() in mine else only.full[:_LONGEST]
    shown = people if len(people) <= _MOST_NAMES else [people[0], *people[1 - _MOST_NAMES :]]
    words = [_("me") if one.address.casefold() in mine else one.short for one in shown]
    return ", ".join(words)[:_LONGEST]


def recipient_words(recipients: Sequence[Name]) -> str:
    """Return "To Anna, Jonas" for the lists of mail somebody wrote themselves."""
    people = _distinct(recipients)
    if not people:
        return _("No recipient")
    if len(people) == 1:
        return _("To %(names)s") % {"names": people[0].full[: _LONGEST - 20]}
    names = ", ".join(one.short for one in people[:_MOST_NAMES])
    return (_("To %(names)s") % {"names": names[: _LONGEST - 20]})[:_LONGEST]


def _distinct(people: Iterable[Name]) -> list[Name]:
    seen: dict[str, Name] = {}
    for one in people:
        seen.setdefault(one.address.casefold() or one.name, one)
    return list(seen.values())
