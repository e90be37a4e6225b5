"""What the list shows of a message's verdict: columns of this app that the reader sets."""

from collections import defaultdict
from collections.abc import Mapping

from accounts.models import MailAccount
from webmail.mailbox import conversations, search_index
from webmail.mailbox.changes import announce
from webmail.mailbox.facts import storable
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Conversation, Message


def set_seal(
    message_id: int,
    *,
    seal: str,
    seal_flag: str,
    is_locked: bool,
    preview: str | None = None,
    has_hidden_subject: bool | None = None,
) -> None:
    """Set the seal (class, flag word, lock) of a message and of the rows that draw it.

    preview: replaces the grey line, never with text from an encrypted layer. Does nothing when the
    message is gone or says all this already.
    """
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        return
    values: dict[str, object] = {"seal": seal, "seal_flag": seal_flag, "is_locked": is_locked}
    if preview is not None:
        values["preview"] = storable(preview, 200)
    if has_hidden_subject is not None:
        values["has_hidden_subject"] = has_hidden_subject
    if all(getattr(message, name) == value for name, value in values.items()):
        return
    account = MailAccount.objects.get(pk=message.account_id)
    with mirror_lock(account.pk):
        Message.objects.filter(pk=message_id).update(**values)
        if preview is not None:
            search_index.add(Message.objects.filter(pk=message_id))
        thread_id = Message.objects.values_list("thread_id", flat=True).get(pk=message_id)
        touched = conversations.refresh({thread_id})
        announce(account, folder_ids=touched, kind="message", message_ids=[message_id])


def set_seals(account: MailAccount, seals: Mapping[int, tuple[str, str]]) -> None:
    """Set seal and flag word of many messages (by id) of an account at once.

    In the caller's transaction, if there is one; the rows of the list are changed in place, as a
    row draws the seal of its newest message.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for message_id, drawn in seals.items():
        groups[drawn].append(message_id)
    folder_ids: set[int] = set()
    with mirror_lock(account.pk):
        for (seal, flag), ids in groups.items():
            Message.objects.filter(pk__in=ids, account=account).update(seal=seal, seal_flag=flag)
            rows = Conversation.objects.filter(newest_id__in=ids)
            folder_ids.update(rows.values_list("folder_id", flat=True))
            rows.update(seal=seal, seal_flag=flag)
        announce(account, folder_ids=folder_ids, kind="folder")
