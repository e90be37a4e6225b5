"""Whom a person writes to and hears from, for the apps that do not know who keeps it."""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from webmail.mailbox import signals

MOST = 2_000  # correspondents that are looked through, the most used


@dataclass(frozen=True, slots=True)
class Correspondent:
    """An address with the newest name seen beside it; mailing lists do not count."""

    address: str  # in lower case
    name: str
    sent: int  # messages the person wrote to it
    received: int


def known(user: User, *, address: str = "") -> tuple[Correspondent, ...]:
    """Return whom `user` knows, most used first, `MOST` at most; with `address` that one alone."""
    answers: list[tuple[Any, Any]] = signals.asked_for_correspondents.send(
        sender=None, user=user, address=address
    )
    return tuple(each for _, found in answers for each in found)
