"""Drafts that other mail programs keep in the account's Drafts folder, continued here.

    in Drafts ──continued──▶ a draft here stands for it ──sent, thrown away──▶ in the trash
                                        └──left alone──▶ still in Drafts, as it was

Until then nothing of it is changed on the server: the other program may go on with it.
"""

from typing import Final

from django.db import transaction

from accounts.models import User
from webmail.composer.models import Draft
from webmail.mailbox import intents
from webmail.mailbox.models import Folder, Message, Placement

CONTINUED: Final = "edit"  # `Draft.relation` of a draft that stands for one in the folder


def is_draft(message: Message) -> bool:
    """Say whether a message lies in a Drafts folder."""
    return bool(_places(message.pk))


def remove(draft: Draft) -> None:
    """Move what a continued draft stood for to the trash, once the transaction commits.

    Not if its text never came over: then it is still the only copy.
    """
    was_read = draft.preparation == ""
    if draft.relation != CONTINUED or not was_read or draft.related_message_id is None:
        return
    user, places = draft.user, _places(draft.related_message_id)
    if places:
        transaction.on_commit(lambda: _trash(user, places), robust=True)


def _places(message_id: int) -> list[int]:
    rows = Placement.objects.filter(
        message_id=message_id, folder__role=Folder.Role.DRAFTS, gone_at=None
    )
    return list(rows.values_list("pk", flat=True))


def _trash(user: User, places: list[int]) -> None:
    intents.trash(user, places)
