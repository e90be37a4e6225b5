"""One batch of equal changes as IMAP commands, and its result written into the mirror."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils import timezone

from accounts.models import MailAccount
from webmail.imap import Session, Uids, UidSet
from webmail.mailbox import blobs, conversations, filing, outcomes, sync, visiting
from webmail.mailbox import flags as flag_names
from webmail.mailbox.changes import announce
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Blob, Folder, PendingChange, Placement

_Operation = PendingChange.Operation
_State = PendingChange.State


class WrongFolderState(Exception):  # noqa: N818
    """The folder was renumbered: UIDs from before must not be used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Changes that are one command, all in one folder."""

    operation: str
    folder: Folder
    changes: tuple[PendingChange, ...]

    @classmethod
    def of(cls, changes: Sequence[PendingChange]) -> Self:
        """Make one of changes that are ready."""
        first = changes[0]
        folder = first.placement.folder if first.placement is not None else first.folder
        assert folder is not None
        return cls(first.operation, folder, tuple(changes))

    @property
    def by_uid(self) -> dict[int, PendingChange]:
        """The changes by the UID they apply to."""
        return {
            one.placement.uid: one
            for one in self.changes
            if one.placement is not None and one.placement.uid is not None
        }

    @property
    def was_sent(self) -> bool:
        """Whether one of them was sent before, with an unknown outcome."""
        return any(one.attempts > 1 for one in self.changes)


def is_ready(change: PendingChange) -> bool:
    """Say whether the change can be sent now."""
    if change.operation == _Operation.APPEND:
        return change.folder is not None
    place = change.placement
    return (
        place is not None
        and place.uid is not None
        and place.gone_at is None
        and place.generation == place.folder.generation
    )


def is_gone(change: PendingChange) -> bool:
    """Say whether what the change applies to is no longer there."""
    place = change.placement
    return change.operation != _Operation.APPEND and (place is None or place.gone_at is not None)


def target_of(change: PendingChange) -> Folder | None:
    """Return where a move goes to; None when that folder is gone, and for other changes."""
    if change.operation != _Operation.MOVE:
        return None
    return Folder.objects.filter(pk=change.args["target"]).first()


def carry_out(account: MailAccount, session: Session, asked: Asked) -> None:
    """Send the commands and write the result. Raises ImapError, WrongFolderState."""
    match asked.operation:
        case _Operation.FLAGS:
            _store(account, session, asked)
        case _Operation.MOVE:
            _move(account, session, asked)
        case _Operation.DELETE:
            _delete(account, session, asked)
        case _:
            _append(account, session, asked)


def _open(session: Session, folder: Folder) -> None:
    selected = session.select(visiting.path_of(folder), readonly=False)
    if selected.uidvalidity != folder.uidvalidity:
        raise WrongFolderState


# --- flags -------------------------------------------------------------------------------------


def _store(account: MailAccount, session: Session, asked: Asked) -> None:
    _open(session, asked.folder)
    add, remove = asked.changes[0].args["add"], asked.changes[0].args["remove"]
    if session.selected is not None:
        kept = flag_names.bits_where(session.selected.keeps)
        add, remove = add & kept, remove & kept
    if add or remove:
        session.store(
            UidSet.of(asked.by_uid),
            add=flag_names.names_of(add),
            remove=flag_names.names_of(remove),
        )
    with mirror_lock(account.pk):
        outcomes.finish(asked.changes, state=_State.DONE)
        ids = [one.placement_id for one in asked.changes if one.placement_id is not None]
        before = _shown(ids)
        for place in before.values():
            place.flags = (place.flags | add) & ~remove
        Placement.objects.bulk_update(before.values(), ["flags"], batch_size=500)
        old = {pk: place.message.thread_id for pk, place in before.items()}
        outcomes.recompute_overlays(ids)
        after = _shown(ids)
        changed = {old[pk] for pk in after if after[pk].shown_flags != before[pk].shown_flags}
        touched = conversations.refresh(changed)
        if touched:
            announce(account, folder_ids=touched, kind="folder")


def _shown(ids: Collection[int]) -> dict[int, Placement]:
    return {one.pk: one for one in Placement.objects.filter(pk__in=ids).select_related("message")}


# --- moves and removals ------------------------------------------------------------------------


def _move(account: MailAccount, session: Session, asked: Asked) -> None:
    target = Folder.objects.filter(pk=asked.changes[0].args["target"]).first()
    if target is None:
        with mirror_lock(account.pk):
            outcomes.take_back(asked.changes, state=_State.FAILED)
        return
    if target.uidvalidity is None and not target.raw_path:
        session.create(target.path)
    path = visiting.path_of(target)
    waiting = set(asked.by_uid)
    if asked.was_sent:
        waiting = _still_to_move(session, asked, target)
    fresh = [one for one in asked.changes if "target_uidnext" not in one.args]
    if fresh and not session.has("MOVE"):
        # A repeat after a lost reply recognises its copies by this number (S6).
        _note(fresh, target_uidnext=session.status(path).uidnext or 1)
    mapping: dict[int, int] = {}
    _open(session, asked.folder)
    if waiting:
        mapping = session.move(UidSet.of(waiting), path) or {}
    with mirror_lock(account.pk):
        _land(account, asked, target, mapping)
    if len(mapping) < len(asked.changes):
        sync.wake_and_post(target)


def _still_to_move(session: Session, asked: Asked, target: Folder) -> set[int]:
    """After a lost reply: leave out what has moved, and end moves that stopped after the copy."""
    _open(session, asked.folder)
    present = set(session.search(Uids(UidSet.of(asked.by_uid))))
    if session.has("MOVE"):
        return present
    copied = set()
    session.select(visiting.path_of(target))
    for uid in present:
        change = asked.by_uid[uid]
        assert change.placement is not None
        message_id = change.placement.message.message_id
        if not message_id or change.attempts <= 1:
            continue  # one that joined those sent before: what is in the target is no copy of it
        floor = change.args.get("target_uidnext", 1)
        if any(new >= floor for new in session.find_message_id(message_id)):
            copied.add(uid)
    if copied:
        _open(session, asked.folder)
        session.store(copied, add=["\\Deleted"])
        session.expunge(copied)
    return present - copied


def _note(changes: Sequence[PendingChange], **args: int) -> None:
    for change in changes:
        change.args |= args
    PendingChange.objects.bulk_update(changes, ["args"], batch_size=500)


def _land(account: MailAccount, asked: Asked, target: Folder, mapping: dict[int, int]) -> None:
    """Give landings their UIDs and let the placements they come from go."""
    now = timezone.now()
    target.refresh_from_db()
    landings = Placement.objects.in_bulk([one.args["landing"] for one in asked.changes])
    taken = set(
        Placement.objects.filter(
            folder=target, generation=target.generation, uid__in=list(mapping.values())
        ).values_list("uid", flat=True)
    )
    thread_ids = set()
    settled, superfluous = [], []
    for uid, change in asked.by_uid.items():
        assert change.placement is not None
        thread_ids.add(change.placement.message.thread_id)
        landing = landings.get(change.args["landing"])
        new = mapping.get(uid)
        if landing is None or landing.uid is not None or new is None:
            continue  # without a UID the target's next sync recognises it
        if new in taken:
            superfluous.append(landing.pk)  # a sync was quicker and made a row of its own
            continue
        landing.uid, landing.generation = new, target.generation
        settled.append(landing)
    Placement.objects.bulk_update(settled, ["uid", "generation"], batch_size=500)
    Placement.objects.filter(pk__in=superfluous).delete()
    ids = [one.placement_id for one in asked.changes if one.placement_id is not None]
    # They stay marked as leaving: without UIDPLUS the server may keep them, marked \Deleted.
    Placement.objects.filter(pk__in=ids).update(gone_at=now)
    outcomes.finish(asked.changes, state=_State.DONE)
    touched = conversations.refresh(thread_ids)
    announce(account, folder_ids=touched, kind="folder")


def _delete(account: MailAccount, session: Session, asked: Asked) -> None:
    _open(session, asked.folder)
    uids = UidSet.of(asked.by_uid)
    session.store(uids, add=["\\Deleted"])
    session.expunge(uids)
    with mirror_lock(account.pk):
        ids = [one.placement_id for one in asked.changes if one.placement_id is not None]
        Placement.objects.filter(pk__in=ids).update(gone_at=timezone.now())
        outcomes.finish(asked.changes, state=_State.DONE)


# --- filing ------------------------------------------------------------------------------------


def _append(account: MailAccount, session: Session, asked: Asked) -> None:
    for change in asked.changes:
        blob = Blob.objects.filter(pk=change.args["blob"]).first()
        content = blobs.read(blob) if blob is not None else None
        if content is not None:
            if asked.folder.uidvalidity is None and not asked.folder.raw_path:
                session.create(asked.folder.path)
            filing.append(
                session,
                asked.folder,
                content,
                flags=change.args["flags"],
                message_id=change.args["message_id"],
            )
        with mirror_lock(account.pk):
            outcomes.finish([change], state=_State.DONE if content else _State.FAILED)
            if blob is not None:
                blobs.drop(blob)
    sync.wake_and_post(asked.folder)
