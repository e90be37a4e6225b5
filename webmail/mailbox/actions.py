"""The verbs of the list's buttons: which mail they mean, what they do, and the toast's words."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webmail.mailbox import access, intents, listing
from webmail.mailbox.access import Person
from webmail.mailbox.folders import shown_name
from webmail.mailbox.models import Flag

type Action = Literal[
    "archive", "trash", "junk", "not-junk", "read", "unread", "star", "unstar", "move"
]
type Kind = Literal["conversation", "message"]

MOST_IDS = 2_000
_MOVES = frozenset({"archive", "trash", "junk", "not-junk", "move"})


@dataclass(frozen=True, slots=True)
class Done:
    """What was done. words: for the toast. group: to undo by."""

    words: str
    group: uuid.UUID


def perform(
    user: Person,
    action: Action,
    *,
    kind: Kind,
    ids: Collection[int],
    folder_id: int | None = None,
    target_id: int | None = None,
) -> Done:
    """Do what a button says with rows of a list.

    folder_id: where the messages are acted on, None wherever they are. target_id: for "move".
    Raises Http404 when none of the ids (or not the target) is the user's own.
    """
    wanted = list(dict.fromkeys(ids))[:MOST_IDS]
    placement_ids = listing.placement_ids_of(
        user, kind=kind, ids=wanted, folder_id=folder_id, is_move=action in _MOVES
    )
    if not placement_ids:
        raise Http404("No such mail.")
    count = len(wanted)
    match action:
        case "archive":
            return Done(_archived(count), intents.archive(user, placement_ids))
        case "trash":
            return Done(_deleted(count), intents.trash(user, placement_ids))
        case "junk":
            return Done(_junked(count), intents.junk(user, placement_ids, is_junk=True))
        case "not-junk":
            return Done(_in_inbox(count), intents.junk(user, placement_ids, is_junk=False))
        case "move":
            return _move(user, placement_ids, target_id, count)
        case _:
            return _mark(user, action, placement_ids, count)


def _move(user: Person, placement_ids: Collection[int], target_id: int | None, count: int) -> Done:
    if target_id is None:
        raise Http404("No such folder.")
    target = access.folder_for(user, target_id)
    if not target.is_selectable:
        raise Http404("No such folder.")
    words = ngettext("Moved to %(folder)s", "%(n)d moved to %(folder)s", count) % {
        "n": count,
        "folder": shown_name(target.path, target.delimiter, target.role),
    }
    return Done(words, intents.move(user, placement_ids, target=target))


def _mark(user: Person, action: Action, placement_ids: Collection[int], count: int) -> Done:
    add, remove = 0, 0
    match action:
        case "read":
            add, words = int(Flag.SEEN), ngettext("Marked read", "%(n)d marked read", count)
        case "unread":
            remove, words = int(Flag.SEEN), ngettext("Marked unread", "%(n)d marked unread", count)
        case "star":
            add, words = int(Flag.FLAGGED), _("Starred")
        case "unstar":
            remove, words = int(Flag.FLAGGED), _("Star removed")
        case _:
            raise Http404("No such action.")
    group = intents.change_flags(user, placement_ids, add=add, remove=remove)
    return Done(words % {"n": count}, group)


def _archived(count: int) -> str:
    return ngettext("Archived", "%(n)d archived", count) % {"n": count}


def _deleted(count: int) -> str:
    return ngettext("Deleted", "%(n)d deleted", count) % {"n": count}


def _junked(count: int) -> str:
    return ngettext("Moved to Spam", "%(n)d moved to Spam", count) % {"n": count}


def _in_inbox(count: int) -> str:
    return ngettext("Moved to Inbox", "%(n)d moved to Inbox", count) % {"n": count}
