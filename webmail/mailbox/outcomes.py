"""What becomes of a change: done, or taken back as if it had never been asked.

Callers hold the account's lock.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import batched

from django.db.models import Q
from django.utils import timezone

from webmail.mailbox import blobs, conversations, plans
from webmail.mailbox.changes import announce
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Blob, PendingChange, Placement

_Operation = PendingChange.Operation
_State = PendingChange.State
ACTIVE = (_State.PENDING, _State.RUNNING)
_AT_ONCE = 1_000
# How long the target's sync may take to fill a landing whose UID the server did not tell.
LANDING_GRACE = timedelta(minutes=30)


def finish(
    changes: Collection[PendingChange], *, state: PendingChange.State, error: str = ""
) -> None:
    """End changes in a final state."""
    now = timezone.now()
    for change in changes:
        change.state, change.error, change.finished_at = state, error[:500], now
        change.lease_until = None
    PendingChange.objects.bulk_update(
        changes, ["state", "error", "finished_at", "lease_until"], batch_size=_AT_ONCE
    )


def take_back(
    changes: Collection[PendingChange], *, state: PendingChange.State, error: str = ""
) -> set[int]:
    """Undo the optimistic effect of changes and of what was built on them; returns folder ids.

    state: what they end in (cancelled, conflict, failed).
    """
    changes = _with_dependents(changes)
    if not changes:
        return set()
    finish(changes, state=state, error=error)
    hiding = {
        one.placement_id
        for one in changes
        if one.operation in {_Operation.MOVE, _Operation.DELETE} and one.placement_id is not None
    }
    landings = {one.args["landing"] for one in changes if one.operation == _Operation.MOVE}
    flagged = {one.placement_id for one in changes if one.placement_id is not None}
    thread_ids = _threads_of(hiding | landings | flagged)
    for some in batched(hiding, _AT_ONCE, strict=False):
        Placement.objects.filter(pk__in=some).update(is_leaving=False)
    for some in batched(landings, _AT_ONCE, strict=False):
        # A landing that the server has filled meanwhile is a message there, not a plan any more.
        Placement.objects.filter(pk__in=some, uid=None).delete()
    recompute_overlays(flagged)
    waiting = [one.args["blob"] for one in changes if one.operation == _Operation.APPEND]
    if waiting:
        blobs.drop_rows(Blob.objects.filter(pk__in=waiting))
    touched = conversations.refresh(thread_ids)
    if touched:
        announce(next(iter(changes)).account, folder_ids=touched, kind="folder")
    return touched


def _with_dependents(changes: Collection[PendingChange]) -> list[PendingChange]:
    """Add what was asked of the landings of these moves: it has nothing to apply to any more."""
    found = {one.pk: one for one in changes}
    fresh = list(changes)
    while fresh:
        landings = [one.args["landing"] for one in fresh if one.operation == _Operation.MOVE]
        fresh = [
            one
            for one in PendingChange.objects.filter(placement_id__in=landings, state__in=ACTIVE)
            if one.pk not in found
        ]
        found |= {one.pk: one for one in fresh}
    return list(found.values())


def drop_stray_landings(account_id: int) -> None:
    """Delete landings that no sync filled after their move was done: nothing arrived there."""
    with mirror_lock(account_id):
        rows = Placement.objects.filter(folder__account_id=account_id, uid=None)
        landings = list(rows.values_list("id", "message__thread_id")[:_AT_ONCE])
        if not landings:
            return
        recent = timezone.now() - LANDING_GRACE
        moves = PendingChange.objects.filter(account_id=account_id, operation=_Operation.MOVE)
        moves = moves.filter(Q(state__in=ACTIVE) | Q(finished_at__gt=recent))
        expected = {args["landing"] for args in moves.values_list("args", flat=True)}
        stray = {pk: thread_id for pk, thread_id in landings if pk not in expected}
        Placement.objects.filter(pk__in=stray).delete()
        conversations.refresh(set(stray.values()))


def recompute_overlays(placement_ids: Collection[int]) -> None:
    """Rebuild what lies on top of the server's flags from the changes that are still waiting."""
    for some in batched(sorted(placement_ids), _AT_ONCE, strict=False):
        pending: dict[int | None, tuple[int, int]] = defaultdict(lambda: (0, 0))
        rows = PendingChange.objects.filter(
            placement_id__in=some, operation=_Operation.FLAGS, state__in=ACTIVE
        ).order_by("id")
        for pk, args in rows.values_list("placement_id", "args"):
            pending[pk] = plans.overlay(pending[pk], add=args["add"], remove=args["remove"])
        places = list(Placement.objects.filter(pk__in=some))
        for place in places:
            place.pending_add, place.pending_remove = pending[place.pk]
        save_overlays(places)


def save_overlays(places: Iterable[Placement]) -> None:
    """Write the overlays of placements; one statement for each pair of values."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place in places:
        groups[place.pending_add, place.pending_remove].append(place.pk)
    for (added, removed), ids in groups.items():
        for some in batched(ids, _AT_ONCE, strict=False):
            Placement.objects.filter(pk__in=some).update(pending_add=added, pending_remove=removed)


def _threads_of(placement_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for some in batched(sorted(placement_ids), _AT_ONCE, strict=False):
        rows = Placement.objects.filter(pk__in=some)
        found |= set(rows.values_list("message__thread_id", flat=True))
    return found
