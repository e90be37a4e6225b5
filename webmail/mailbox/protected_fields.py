"""Header fields that stand only inside an encrypted message, kept sealed once it was opened.

They are kept for the person who opened it (RFC 9788 §4.7): under the keyring if managed keys alone
opened it, else under the key of their vault, which is at hand only while it is unlocked. They are
opened for one answer to that person and never leave it: not into the mirror, the search index, an
event, a task or a log.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet

from accounts.rotation import SealedColumn
from accounts.sealing import SealBroken, open_sealed, open_with, seal, seal_with
from webmail.mailbox import conversations, threads
from webmail.mailbox.changes import announce
from webmail.mailbox.facts import storable
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Message
from webmail.mailbox.models import ProtectedFields as Row
from webmail.mailbox.people import Name

MOST_SEARCHED = 5_000  # messages with protected fields, the newest: tenths of a second at most
MOST_KEYS = 10  # own keys that one message was opened with
_PURPOSE = "protected-fields"
_AT_ONCE = 500  # ids in one query


@dataclass(frozen=True, slots=True, repr=False)
class ProtectedFields:
    """What stands inside; None or empty where that is what stands outside.

    sender_name: of the same address, as shown. sender_outside: how the list names the sender by
    what stands outside. thread_ids: Message-ID, In-Reply-To and References, without angle brackets.
    """

    subject: str | None = None
    sender_name: str | None = None
    sender_outside: str = ""
    thread_ids: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing stands inside that does not stand outside."""
        return self.subject is None and self.sender_name is None and not self.thread_ids


@dataclass(frozen=True, slots=True, repr=False)
class Opener:
    """What opens a person's kept fields during one request: nothing of anybody else's.

    vault_key: the key of their vault; None while it is locked.
    """

    user_id: int
    vault_key: bytes | None

    def open(self, message_ids: Collection[int]) -> dict[int, ProtectedFields]:
        """Return what can be opened of these messages, by row id. One query for 500 of them."""
        wanted = iter(dict.fromkeys(message_ids))
        found: dict[int, ProtectedFields] = {}
        while some := list(islice(wanted, _AT_ONCE)):
            found.update(self._opened(Row.objects.filter(message_id__in=some)))
        return found

    def newest(self) -> dict[int, ProtectedFields]:
        """Return those of the newest 5,000 messages that can be opened. One query."""
        rows = Row.objects.order_by("-received_at")
        return dict(self._opened(rows, limit=MOST_SEARCHED))

    def _opened(
        self, rows: QuerySet[Row], *, limit: int | None = None
    ) -> Iterator[tuple[int, ProtectedFields]]:
        own = rows.filter(user_id=self.user_id)
        if self.vault_key is None:
            own = own.filter(is_personal=False)
        for message_id, is_personal, sealed in own.values_list(
            "message_id", "is_personal", "sealed"
        )[:limit]:
            key = self.vault_key if is_personal else None
            fields = _open(bytes(sealed), key, subject=_subject(self.user_id, message_id))
            if fields is not None:
                yield message_id, fields


def keep(
    message: Message,
    fields: ProtectedFields,
    *,
    opened_with: Iterable[str],
    vault_key: bytes | None,
) -> None:
    """Keep what stands inside a message for its owner, and join the threads that it names.

    opened_with: fingerprints of the keys that opened it. vault_key: None if all are managed ones.
    Does nothing when all this is kept already, or the message is gone.
    """
    named = " ".join(sorted(set(opened_with))[:MOST_KEYS])
    user_id = message.account.user_id
    subject = _subject(user_id, message.pk)
    old = Row.objects.filter(message_id=message.pk).first()
    if old is not None and (old.is_personal, old.opened_with) == (vault_key is not None, named):
        if _open(bytes(old.sealed), vault_key, subject=subject) == fields:
            return
    elif old is None and fields.is_empty:
        return
    plain = json.dumps(
        [fields.subject, fields.sender_name, fields.sender_outside, fields.thread_ids]
    ).encode()
    sealed = (
        seal(plain, purpose=_PURPOSE, subject=subject)
        if vault_key is None
        else seal_with(vault_key, plain, purpose=_PURPOSE, subject=subject)
    )
    with mirror_lock(message.account_id):
        here = Message.objects.select_for_update(no_key=True).filter(pk=message.pk).first()
        if here is None:
            return
        Row.objects.update_or_create(
            message=here,
            defaults={
                "user_id": user_id,
                "sealed": sealed,
                "is_personal": vault_key is not None,
                "opened_with": named,
                "received_at": here.internal_date,
            },
        )
        Message.objects.filter(pk=here.pk).update(has_hidden_subject=fields.subject is not None)
        joined = threads.join_named(here, fields.thread_ids)
        thread_id = Message.objects.values_list("thread_id", flat=True).get(pk=here.pk)
        touched = conversations.refresh({thread_id, *joined})
        threads.delete_empty(joined)
        announce(message.account, folder_ids=touched, kind="message", message_ids=[here.pk])


def forget_opened_with(user_id: int, fingerprint: str, *, only_managed: bool = False) -> None:
    """Forget what a key opened that is no longer there, or that has become a personal one."""
    rows = Row.objects.filter(user_id=user_id, opened_with__contains=fingerprint)
    if only_managed:
        rows = rows.filter(is_personal=False)
    Message.objects.filter(protected_fields__in=rows).update(has_hidden_subject=False)
    rows.delete()


def of_message(
    message: Message, *, subject: str, sender_name: str | None, thread_ids: Iterable[str]
) -> ProtectedFields:
    """Return the fields as they are kept: what is not as the mirror has it already.

    sender_name: None if it is the one that stands outside.
    """
    shown = storable(subject, 998)
    known = {message.message_id, message.in_reply_to, *message.references, ""}
    ids = (storable(one, 998) for one in thread_ids)
    return ProtectedFields(
        subject=None if shown == message.subject else shown,
        sender_name=storable(sender_name, 300) if sender_name else None,
        sender_outside=Name(message.from_name, message.from_address).full if sender_name else "",
        thread_ids=tuple(one for one in dict.fromkeys(ids) if one not in known)[
            : threads.MOST_KEYS
        ],
    )


def _subject(user_id: int, message_id: int) -> str:
    return f"mailbox.protectedfields:{user_id}:{message_id}"


def _open(sealed: bytes, vault_key: bytes | None, *, subject: str) -> ProtectedFields | None:
    """Open a kept value; None if it does not open: of an earlier vault, or damaged."""
    try:
        if vault_key is None:
            plain = open_sealed(sealed, purpose=_PURPOSE, subject=subject)
        else:
            plain = open_with(vault_key, sealed, purpose=_PURPOSE, subject=subject)
    except SealBroken:
        return None
    shown, name, outside, thread_ids = json.loads(plain)
    return ProtectedFields(shown, name, outside, tuple(thread_ids))


# What `rotate_keys` seals anew.
SEALED_COLUMN = SealedColumn(
    model="mailbox.ProtectedFields",
    column="sealed",
    purpose=_PURPOSE,
    subject=lambda row: _subject(row.user_id, row.message_id),
    where=Q(is_personal=False),
    is_cache=True,
)
