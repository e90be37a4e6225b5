"""What people's wishes come to, decided without database or server. Pure.

wish ─plan_flags, plan_move, plan_removal─▶ steps for single placements
waiting changes ─plan_batches─▶ commands in order, neighbours merged
a refusal ─plan_refusal─▶ try again later, or give up and take it back
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from webmail.imap import ResponseCode

MOST_ATTEMPTS = 3  # of a command the server refuses without a reason that is final
LONGEST_WAIT = timedelta(hours=24)  # of a change for a placement whose UID is not known yet
# Refusals that no repetition changes (RFC 9051 §7.1, RFC 5530).
_FINAL = frozenset({
    ResponseCode.OVERQUOTA, ResponseCode.NOPERM, ResponseCode.NONEXISTENT, ResponseCode.CANNOT,
    ResponseCode.TRYCREATE, ResponseCode.CONTACTADMIN, ResponseCode.TOOBIG,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A placement as a wish meets it. flags: as shown."""

    id: int
    folder_id: int
    flags: int


@dataclass(frozen=True, slots=True)
class FlagStep:
    """Bits that really change on one placement."""

    placement_id: int
    add: int
    remove: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What a wish to delete comes to: some move to the trash, some go for good."""

    to_trash: tuple[int, ...] = ()
    for_good: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending change. key: what has to be equal for two of them to be one command.

    landing_id: the placement a move makes; what is asked of that one must wait for the move.
    """

    id: int
    key: tuple[object, ...]
    placement_id: int | None
    landing_id: int | None = None
    is_due: bool = True


@dataclass(slots=True)
class Batch:
    """Changes that are one command."""

    key: tuple[object, ...]
    change_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `delay`; None: give up and take the change back."""

    delay: timedelta | None


def plan_flags(places: Iterable[Place], *, add: int, remove: int) -> list[FlagStep]:
    """Return the steps that change something; a bit to add and to remove is added."""
    remove &= ~add
    steps = (FlagStep(one.id, add & ~one.flags, remove & one.flags) for one in places)
    return [step for step in steps if step.add or step.remove]


def plan_move(places: Iterable[Place], *, target_id: int) -> list[int]:
    """Return the placements that are not in the target already."""
    return [one.id for one in places if one.folder_id != target_id]


def plan_removal(places: Iterable[Place], *, trash_id: int) -> Removal:
    """Return what is moved to the trash, and what is there already and goes for good."""
    seen = list(places)
    return Removal(
        to_trash=tuple(one.id for one in seen if one.folder_id != trash_id),
        for_good=tuple(one.id for one in seen if one.folder_id == trash_id),
    )


def overlay(pending: tuple[int, int], *, add: int, remove: int) -> tuple[int, int]:
    """Return (bits added, bits removed) on top of the server's flags after one more change."""
    added, removed = pending
    return (added & ~remove) | add, (removed & ~add) | remove


def plan_batches(waiting: Sequence[Waiting]) -> list[Batch]:
    """Put changes into commands, in the order they were asked, for each message.

    Order holds for each placement, not for the account: a change that cannot run yet holds up what
    came after it on the same placement, and nothing else. Equal changes become one command unless
    that would overtake another change of the same placement.
    """
    batches: list[Batch] = []
    # The first batch that may hold the next change of a placement.
    floor: dict[int, int] = {}
    blocked: set[int] = set()
    for change in waiting:
        touched = {pk for pk in (change.placement_id, change.landing_id) if pk is not None}
        if not change.is_due or change.placement_id in blocked:
            blocked |= touched
            continue
        lowest = max((floor.get(pk, 0) for pk in touched), default=0)
        index = next(
            (n for n in range(lowest, len(batches)) if batches[n].key == change.key), len(batches)
        )
        if index == len(batches):
            batches.append(Batch(change.key))
        batches[index].change_ids.append(change.id)
        for pk in touched:
            floor[pk] = index + 1
    return batches


def plan_refusal(code: ResponseCode | None, *, attempts: int) -> Retry:
    """Decide after a NO or BAD. attempts: how often it was tried, this one included."""
    if code in _FINAL or attempts >= MOST_ATTEMPTS:
        return Retry(None)
    return Retry(timedelta(seconds=5 * 3 ** (attempts - 1)))


def plan_rest(waited: timedelta) -> timedelta:
    """Return how long to leave a server alone that something has waited for so long already."""
    return min(max(waited / 2, timedelta(seconds=10)), timedelta(minutes=10))


def plan_reconnect(attempts: int) -> timedelta:
    """Return how long to wait after the connection was lost: the wish is kept for ever."""
    return min(timedelta(seconds=10 * 2 ** min(attempts, 10)), timedelta(minutes=10))
