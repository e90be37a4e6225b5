"""A mirror with as many messages as asked for, without a mail server.

The account is paused: workers leave it alone. The person has a local password, so that signing
in asks no mail server either. Meant for a private data directory (`filling` runs it there).

    older ◀──────────────────────────── inbox ────────────────────────────▶ newer
    copy │ copy │ … │ copy │ block, made by the ORM │ the rest, made by the ORM

Copies are made inside SQLite, an order of magnitude faster than row by row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, cycle
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, F, Field, Max, Model

from accounts.models import Identity, MailAccount, MailServer, User
from webmail.demo.bench.wording import Writer
from webmail.mailbox import conversations
from webmail.mailbox.models import Conversation, Flag, Folder, Message, Placement, Thread

BLOCK = 4_000  # messages made by the ORM before copying begins; a multiple of sum(LENGTHS)
THREADS_AT_ONCE = 2_000
SPACING = timedelta(minutes=26)  # 100,000 messages are five years
LENGTHS = (1, 1, 3, 1, 2, 1, 1, 6)  # messages of one conversation after the other
FOLDERS = {
    "INBOX": Folder.Role.INBOX,
    "Drafts": Folder.Role.DRAFTS,
    "Sent": Folder.Role.SENT,
    "Archive": Folder.Role.ARCHIVE,
    "Junk": Folder.Role.JUNK,
    "Trash": Folder.Role.TRASH,
    "Clients": Folder.Role.NONE,
    "Clients/Harbour": Folder.Role.NONE,
    "Clients/Rail": Folder.Role.NONE,
    "Invoices": Folder.Role.NONE,
    "Newsletters": Folder.Role.NONE,
    "Travel": Folder.Role.NONE,
}


@dataclass(frozen=True, slots=True)
class _Conversation:
    """Which messages (UIDs, one after the other) make a conversation."""

    first: int
    length: int

    @property
    def uids(self) -> range:
        return range(self.first, self.first + self.length)


@dataclass(frozen=True, slots=True)
class _Timetable:
    """When each message came in: the last one at `newest_at`, the others before it, evenly."""

    messages: int
    newest_at: datetime

    def at(self, uid: int) -> datetime:
        return self.newest_at - SPACING * (self.messages - uid)


def fill(
    *, address: str, password: str, messages: int, newest_at: datetime, block: int = BLOCK
) -> Folder:
    """Make a person whose inbox mirrors `messages` messages, the newest of `newest_at`.

    Rows are as synchronisation leaves them; conversations are built by the mailbox itself.
    """
    newest_at = newest_at.replace(microsecond=0)  # so that copied times are written alike
    account = _account(address, password)
    folders = Folder.objects.bulk_create(
        Folder(
            account=account,
            path=path,
            raw_path=path.encode("ascii"),
            delimiter="/",
            role=role,
            uidvalidity=1,
            window_low_uid=1,
            is_backfilled=True,
            last_synced_at=newest_at,
        )
        for path, role in FOLDERS.items()
    )
    inbox = folders[0]
    timetable, writer = _Timetable(messages, newest_at), Writer()
    copies = messages // block - 1 if connection.vendor == "sqlite" and messages > block else 0
    rest = messages % block if copies > 0 else messages
    _make(inbox, first=messages - rest + 1, last=messages, timetable=timetable, writer=writer)
    if copies > 0:
        last = messages - rest
        rows, counts = _last_ids(), _counts(inbox)
        _make(inbox, first=last - block + 1, last=last, timetable=timetable, writer=writer)
        with transaction.atomic():
            _copy(after=rows, copies=copies, block=block)
            _count_copies(inbox, before=counts, copies=copies)
    Folder.objects.filter(pk=inbox.pk).update(exists=messages, uidnext=messages + 1)
    inbox.refresh_from_db()
    return inbox


def _account(address: str, password: str) -> MailAccount:
    local, _, domain = address.partition("@")
    user = User.objects.create_user(address, password, display_name=local.title())
    server, _ = MailServer.objects.get_or_create(
        domain=domain, defaults={"imap_host": "localhost", "submission_host": "localhost"}
    )
    account = MailAccount.objects.create(
        user=user,
        server=server,
        address=address,
        login_name=address,
        sealed_password=b"",
        state=MailAccount.State.PAUSED,
    )
    Identity.objects.create(user=user, account=account, address=address, is_default=True)
    return account


def _make(inbox: Folder, *, first: int, last: int, timetable: _Timetable, writer: Writer) -> None:
    for some in batched(_conversations(first, last), THREADS_AT_ONCE, strict=False):
        with transaction.atomic():
            _place(inbox, some, timetable, writer)


def _conversations(first: int, last: int) -> Iterator[_Conversation]:
    lengths = cycle(LENGTHS)
    while first <= last:
        length = min(next(lengths), last - first + 1)
        yield _Conversation(first, length)
        first += length


def _place(
    inbox: Folder, some: tuple[_Conversation, ...], timetable: _Timetable, writer: Writer
) -> None:
    threads = Thread.objects.bulk_create(
        Thread(account_id=inbox.account_id, last_date=timetable.at(each.uids[-1])) for each in some
    )
    messages = Message.objects.bulk_create(
        message
        for thread, each in zip(threads, some, strict=True)
        for message in _letters(thread, each, timetable, writer)
    )
    Placement.objects.bulk_create(
        Placement(
            folder=inbox,
            message=message,
            uid=uid,
            internal_date=message.internal_date,
            flags=_flags(writer),
            modseq=uid,
        )
        for uid, message in enumerate(messages, some[0].first)
    )
    conversations.refresh([thread.pk for thread in threads])


def _letters(
    thread: Thread, conversation: _Conversation, timetable: _Timetable, writer: Writer
) -> Iterator[Message]:
    subject = ""
    for uid in conversation.uids:
        said = writer.one()
        subject = f"Re: {subject.removeprefix('Re: ')}" if subject else said.subject
        is_secured = writer.chance(8)
        yield Message(
            account_id=thread.account_id,
            thread=thread,
            message_id=f"{uid}@partner.example",
            content_key=f"{uid:064x}",
            subject=subject,
            from_name=said.name,
            from_address=said.address,
            date=timetable.at(uid),
            internal_date=timetable.at(uid),
            size=writer.size(),
            preview=said.preview,
            has_attachment=writer.chance(15),
            is_secured=is_secured,
            seal="ok" if is_secured else "",
            is_locked=is_secured and writer.chance(40),
        )


def _flags(writer: Writer) -> int:
    flags = 0 if writer.chance(12) else Flag.SEEN.value
    if writer.chance(25):
        flags |= Flag.ANSWERED
    if writer.chance(3):
        flags |= Flag.FLAGGED
    return flags


# Kept by the mailbox with every row that comes or goes.
_COUNTERS = ("total_count", "unseen_count", "conversation_count")
_COPIED: tuple[type[Model], ...] = (Thread, Message, Placement, Conversation)


def _last_ids() -> dict[type[Model], int]:
    return {
        model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0  # noqa: SLF001
        for model in _COPIED
    }


def _copy(*, after: dict[type[Model], int], copies: int, block: int) -> None:
    """Repeat the rows beyond `after` (ids, one unbroken run a table) `copies` times, ever older."""
    last = _last_ids()
    strides = {model: last[model] - after[model] for model in _COPIED}
    minutes = int(SPACING.total_seconds()) // 60 * block
    for model in _COPIED:
        columns, values = [], []
        for field in model._meta.concrete_fields:  # noqa: SLF001
            columns.append(f'"{field.column}"')
            values.append(_copied(field, strides, minutes=minutes, block=block))
        table = model._meta.db_table  # noqa: SLF001
        numbers = (
            "WITH RECURSIVE copy(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copy WHERE k < %s)"
        )
        # Names and numbers of our own models alone; nothing here comes from outside.
        rows = f'SELECT {", ".join(values)} FROM "{table}", copy WHERE id > %s AND id <= %s'  # noqa: S608
        statement = f'{numbers} INSERT INTO "{table}" ({", ".join(columns)}) {rows}'
        with connection.cursor() as cursor:
            cursor.execute(statement, [copies, after[model], last[model]])


def _counts(inbox: Folder) -> dict[str, int]:
    counts: dict[str, int] = Folder.objects.values(*_COUNTERS).get(pk=inbox.pk)
    return counts


def _count_copies(inbox: Folder, *, before: dict[str, int], copies: int) -> None:
    """Move the folder's counters by what the block moved them, once for each copy."""
    after = _counts(inbox)
    moved = {name: F(name) + copies * (after[name] - before[name]) for name in _COUNTERS}
    Folder.objects.filter(pk=inbox.pk).update(**moved)


def _copied(
    field: "Field[Any, Any]", strides: dict[type[Model], int], *, minutes: int, block: int
) -> str:
    """Return the SQL of a column in copy `k`: own and copied rows' ids move on, times back."""
    column = f'"{field.column}"'
    target = field.model if field.primary_key else field.related_model
    if isinstance(target, type) and target in strides:
        return f"{column} + k * {strides[target]}"
    if field.column in {"uid", "modseq"}:
        return f"{column} - k * {block}"
    if field.column == "message_id" and field.model is Message:
        return f"k || '.' || {column}"
    if isinstance(field, DateTimeField):
        # As Django writes times without fractions, so that equal times are equal texts.
        return (
            f"strftime('%%Y-%%m-%%d %%H:%%M:%%S', {column}, '-' || (k * {minutes}) || ' minutes')"
        )
    return column
