"""What people do with their mail: shown at once, written down, carried out by a worker.

The optimistic effect and the intent (`PendingChange`) are one transaction. Flags lie as an overlay
on the server's (`pending_add`, `pending_remove`). A move hides its placement (`is_leaving`) and
puts a *landing* without a UID into the target; the server's answer or the target's next sync gives
the landing its UID. Destructive changes wait UNDO_MOVE_SECONDS before anything is sent.

Ids are those of placements; ids that are not the user's own are left out, as if absent.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from django.conf import settings
from django.utils import timezone

from accounts.access import accounts_for
from accounts.lanes import post
from accounts.models import MailAccount
from webmail.mailbox import blobs, conversations, outcomes, plans
from webmail.mailbox.access import Person
from webmail.mailbox.changes import announce
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Flag, Folder, PendingChange, Placement
from webmail.mailbox.plans import Place

_Operation = PendingChange.Operation
_State = PendingChange.State
_AT_ONCE = 1_000
_ROLE_PATHS = {
    Folder.Role.ARCHIVE: "Archive",
    Folder.Role.TRASH: "Trash",
    Folder.Role.JUNK: "Junk",
    Folder.Role.DRAFTS: "Drafts",
    Folder.Role.SENT: "Sent",
}


@dataclass(slots=True)
class _Work:
    """One account's part of a wish, under its lock."""

    account: MailAccount
    group: uuid.UUID
    places: dict[int, Placement]
    due_at: datetime
    changes: list[PendingChange] = field(default_factory=list)
    thread_ids: set[int] = field(default_factory=set)

    def seen(self) -> list[Place]:
        """The placements as plans see them."""
        return [Place(one.pk, one.folder_id, one.shown_flags) for one in self.places.values()]

    def change(
        self, placement: Placement, operation: PendingChange.Operation, **args: int
    ) -> PendingChange:
        """Write down one change of a placement."""
        made = PendingChange(
            account=self.account,
            operation=operation,
            group=self.group,
            placement=placement,
            folder_id=placement.folder_id,
            uidvalidity=placement.folder.uidvalidity,
            uid=placement.uid,
            args=args,
            next_try_at=self.due_at,
        )
        self.changes.append(made)
        self.thread_ids.add(placement.message.thread_id)
        return made


def change_flags(
    user: Person, placement_ids: Collection[int], *, add: int = 0, remove: int = 0
) -> uuid.UUID:
    """Add and remove flag bits; returns the group to undo by."""
    return _ask(user, placement_ids, partial(_flags, add=add, remove=remove))


def move(user: Person, placement_ids: Collection[int], *, target: Folder) -> uuid.UUID:
    """Move to a folder of the same account; placements of other accounts stay."""

    def wish(work: _Work) -> None:
        if work.account.pk == target.account_id:
            _move_all(work, target)

    return _ask(user, placement_ids, wish, delay=_undo_window())


def archive(user: Person, placement_ids: Collection[int]) -> uuid.UUID:
    """Move to each account's archive, made on the server when there is none."""

    def wish(work: _Work) -> None:
        _move_all(work, folder_of_role(work.account, Folder.Role.ARCHIVE))

    return _ask(user, placement_ids, wish, delay=_undo_window())


def trash(user: Person, placement_ids: Collection[int]) -> uuid.UUID:
    """Move to the trash; what is in the trash is deleted for good after the undo window."""

    def wish(work: _Work) -> None:
        folder = folder_of_role(work.account, Folder.Role.TRASH)
        plan = plans.plan_removal(work.seen(), trash_id=folder.pk)
        _move(work, plan.to_trash, folder)
        for pk in plan.for_good:
            work.change(work.places[pk], _Operation.DELETE)
        _hide(plan.for_good)

    return _ask(user, placement_ids, wish, delay=_undo_window())


def junk(user: Person, placement_ids: Collection[int], *, is_junk: bool) -> uuid.UUID:
    """Move to spam with its keyword, or back to the inbox with the opposite one."""
    role = Folder.Role.JUNK if is_junk else Folder.Role.INBOX
    add, remove = (Flag.JUNK, Flag.NOT_JUNK) if is_junk else (Flag.NOT_JUNK, Flag.JUNK)

    def wish(work: _Work) -> None:
        # Both wait for the undo window, the keyword first: it goes along with the move.
        _flags(work, add=int(add), remove=int(remove))
        _move_all(work, folder_of_role(work.account, role))

    return _ask(user, placement_ids, wish, delay=_undo_window())


def append(
    account: MailAccount, *, folder_role: Folder.Role, content: bytes, flags: int, message_id: str
) -> uuid.UUID:
    """Queue a message to be filed in the folder of a role. Raises OSError when it cannot be kept.

    message_id: without <>; a copy that is there already is not filed twice.
    """
    group = uuid.uuid4()
    blob = blobs.put(account, content, section="append")
    with mirror_lock(account.pk):
        PendingChange.objects.create(
            account=account,
            operation=_Operation.APPEND,
            group=group,
            folder=folder_of_role(account, folder_role),
            args={"blob": blob.pk, "flags": flags, "message_id": message_id},
        )
        post("mailbox.apply_changes", account.pk, lane="interactive")
    return group


def undo(user: Person, group: uuid.UUID) -> bool:
    """Take a group of changes back; False when there is none or something could not be.

    What was not sent yet is cancelled. What was, is asked for in reverse, except deleting for good.
    """
    is_whole = True
    found = False
    for account in accounts_for(user):
        with mirror_lock(account.pk):
            changes = list(
                PendingChange.objects.select_for_update(no_key=True)
                .filter(account=account, group=group)
                .exclude(state__in=[_State.CANCELLED, _State.FAILED, _State.CONFLICT])
                .order_by("-id")
            )
            found |= bool(changes)
            waiting = [one for one in changes if _is_unsent(one)]
            sent = [one for one in changes if not _is_unsent(one)]
            outcomes.take_back(waiting, state=_State.CANCELLED)
            is_whole &= _reverse(account, sent)
    return found and is_whole


def _is_unsent(change: PendingChange) -> bool:
    """Whether it can be cancelled: not sent, or of no use to be asked for in reverse.

    A move or mark whose reply was lost may have been carried out: its opposite follows it.
    """
    is_reversible = change.operation in {_Operation.MOVE, _Operation.FLAGS}
    return change.state == _State.PENDING and not (is_reversible and change.attempts)


def _reverse(account: MailAccount, sent: list[PendingChange]) -> bool:
    """Ask for the opposite of what was sent; newest first, as they come.

    Flags of what was moved along are changed where it lies now, before it goes back.
    """
    if not sent:
        return True
    is_whole = True
    moves = [one for one in sent if one.operation == _Operation.MOVE]
    landings = {one.args["landing"] for one in moves}
    moved_to = {one.placement_id: one.args["landing"] for one in moves}
    ids = landings | {one.placement_id for one in sent if one.placement_id is not None}
    work = _Work(account, uuid.uuid4(), _load(ids), timezone.now())
    for change in sorted(sent, key=lambda one: one.operation != _Operation.FLAGS):
        pk = change.args.get("landing", moved_to.get(change.placement_id, change.placement_id))
        place = work.places.get(pk) if pk is not None else None
        if place is None or place.gone_at is not None:
            is_whole = False
        elif change.operation == _Operation.MOVE and change.folder is not None:
            _move(work, [place.pk], change.folder)
        elif change.operation == _Operation.FLAGS:
            _flag(work, place, add=change.args["remove"], remove=change.args["add"])
        else:
            is_whole = False
    outcomes.save_overlays(work.places.values())
    _finish(work)
    return is_whole


def _ask(
    user: Person,
    placement_ids: Collection[int],
    wish: Callable[[_Work], None],
    *,
    delay: timedelta = timedelta(0),
) -> uuid.UUID:
    """Carry out a wish on each account's part under its lock; returns the group."""
    group = uuid.uuid4()
    mine = Placement.objects.filter(folder__account__user_id=user.pk or 0)
    by_account: dict[int, list[int]] = defaultdict(list)
    for some in batched(set(placement_ids), _AT_ONCE, strict=False):
        rows = mine.filter(pk__in=some).values_list("folder__account_id", "id")
        for account_id, pk in rows:
            by_account[account_id].append(pk)
    for account_id in sorted(by_account):
        with mirror_lock(account_id):
            account = MailAccount.objects.get(pk=account_id)
            found = _load(by_account[account_id]).items()
            shown = {pk: one for pk, one in found if one.gone_at is None and not one.is_leaving}
            work = _Work(account, group, shown, timezone.now() + delay)
            wish(work)
            _finish(work)
    return group


def _load(ids: Collection[int]) -> dict[int, Placement]:
    found: dict[int, Placement] = {}
    for some in batched(sorted(ids), _AT_ONCE, strict=False):
        found |= Placement.objects.select_related("message", "folder").in_bulk(list(some))
    return found


def _finish(work: _Work) -> None:
    if not work.changes:
        return
    PendingChange.objects.bulk_create(work.changes, batch_size=_AT_ONCE)
    touched = conversations.refresh(work.thread_ids)
    announce(work.account, folder_ids=touched, kind="folder")
    if any(one.next_try_at <= timezone.now() for one in work.changes):
        post("mailbox.apply_changes", work.account.pk, lane="interactive")


def _flags(work: _Work, *, add: int, remove: int) -> None:
    for step in plans.plan_flags(work.seen(), add=add, remove=remove):
        _flag(work, work.places[step.placement_id], add=step.add, remove=step.remove)
    outcomes.save_overlays(work.places.values())


def _flag(work: _Work, place: Placement, *, add: int, remove: int) -> None:
    place.pending_add, place.pending_remove = plans.overlay(
        (place.pending_add, place.pending_remove), add=add, remove=remove
    )
    work.change(place, _Operation.FLAGS, add=add, remove=remove)


def _move(work: _Work, ids: Collection[int], target: Folder) -> None:
    places = [work.places[pk] for pk in ids]
    landings = Placement.objects.bulk_create(
        [
            Placement(
                folder=target,
                message_id=one.message_id,
                uid=None,
                generation=target.generation,
                internal_date=one.internal_date,
                flags=one.shown_flags,
                keywords=one.keywords,
            )
            for one in places
        ],
        batch_size=_AT_ONCE,
    )
    for place, landing in zip(places, landings, strict=True):
        work.change(place, _Operation.MOVE, target=target.pk, landing=landing.pk)
    _hide(ids)


def _hide(ids: Collection[int]) -> None:
    for some in batched(ids, _AT_ONCE, strict=False):
        Placement.objects.filter(pk__in=some).update(is_leaving=True)


def _move_all(work: _Work, target: Folder) -> None:
    _move(work, plans.plan_move(work.seen(), target_id=target.pk), target)


def folder_of_role(account: MailAccount, role: Folder.Role) -> Folder:
    """Return the folder of a role; one still to be made has a row without UIDVALIDITY."""
    rows = Folder.objects.filter(account=account)
    found = rows.filter(role=role, gone_at=None).first()
    if found is not None:
        return found
    inbox = rows.filter(role=Folder.Role.INBOX).first()
    delimiter = inbox.delimiter if inbox is not None else ""
    prefix = f"INBOX{delimiter}" if delimiter else ""
    # Some servers keep all folders below INBOX.
    is_below = bool(prefix) and rows.filter(path__startswith=prefix).exists()
    others = rows.exclude(path="INBOX").exclude(path__startswith=prefix or "INBOX")
    path = f"{prefix}{_ROLE_PATHS[role]}" if is_below and not others.exists() else _ROLE_PATHS[role]
    made, _is_new = rows.get_or_create(
        path=path, defaults={"account": account, "role": role, "delimiter": delimiter}
    )
    if made.gone_at is not None and made.raw_path:
        # Deleted by another program: as one that was never listed, it is made anew.
        made.raw_path, made.uidvalidity = b"", None
        made.save(update_fields=["raw_path", "uidvalidity"])
    return made


def _undo_window() -> timedelta:
    return timedelta(seconds=settings.UNDO_MOVE_SECONDS)
