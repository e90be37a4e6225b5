"""The words of messages, indexed by the database: FTS5 on SQLite, a GIN index on PostgreSQL.

Words are folded here (search_query.fold), the same for both, so that both find the same. Each
document also holds its account as a word: a search never leaves the index for another's mail.
Headers and preview always, a body once it is known; never text from an encrypted layer.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import batched

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from webmail.mailbox.models import Message
from webmail.mailbox.search_query import Field, Term, fold

TABLE = "mailbox_search"
LONGEST_BODY = 100_000  # characters of a body that are indexed
_AT_ONCE = 250
_LONGEST_WORD = 60  # characters; longer ones are cut on both sides of the search
_WEIGHTS: dict[Field, str] = {"subject": "A", "from": "B", "to": "C", "text": "D", "any": ""}
_COLUMNS: dict[Field, str] = {
    "subject": "subject", "from": "sender", "to": "recipients", "text": "preview body", "any": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Document:
    message_id: int
    account: str
    subject: str
    sender: str
    recipients: str
    preview: str
    body: str = ""


def add(messages: Iterable[Message]) -> None:
    """Index messages by their headers and previews, in the caller's transaction.

    A body that was indexed before stays only on SQLite; on PostgreSQL the row keeps what it has.
    """
    for some in batched(messages, _AT_ONCE, strict=False):
        _write([_document(message) for message in some], is_new=False)


def add_body(message: Message, text: str) -> None:
    """Index a message with its readable text, which never came out of an encrypted layer."""
    with transaction.atomic():
        _write([_document(message, body=text[:LONGEST_BODY])], is_new=True)


def remove(message_ids: Collection[int]) -> None:
    """Forget messages."""
    column = "rowid" if connection.vendor == "sqlite" else "message_id"
    with connection.cursor() as cursor:
        for some in batched(message_ids, _AT_ONCE, strict=False):
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(f"DELETE FROM {TABLE} WHERE {column} IN ({marks})", some)  # noqa: S608  (constants and marks)


def condition(terms: Collection[Term], *, account_id: int) -> Q:
    """Messages of an account that hold all the terms, and none that is excluded."""
    wanted = [term for term in terms if not term.is_excluded]
    found = Q(account_id=account_id)
    if wanted:
        found &= Q(pk__in=_ids(_query(wanted, account_id)))
    for term in terms:
        if term.is_excluded:
            found &= ~Q(pk__in=_ids(_query([term], account_id)))
    return found


def _ids(query: str) -> RawSQL:
    if connection.vendor == "sqlite":
        sql = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608  (constants)
    else:
        sql = f"SELECT message_id FROM {TABLE} WHERE vector @@ to_tsquery('simple', %s)"  # noqa: S608
    return RawSQL(sql, [query])  # noqa: S611  (the query is a parameter of folded words)


def _query(terms: Collection[Term], account_id: int) -> str:
    """Write terms in the database's query language; words are letters and digits only."""
    is_sqlite = connection.vendor == "sqlite"
    account = _account_word(account_id)
    parts = [f"{{account}} : {account}" if is_sqlite else account]
    for term in terms:
        for word in term.words:
            cut = word[:_LONGEST_WORD]
            if is_sqlite:
                columns = _COLUMNS[term.field] or "subject sender recipients preview body"
                parts.append(f'{{{columns}}} : "{cut}" *')
            else:
                parts.append(f"{cut}:*{_WEIGHTS[term.field]}")
    return (" AND " if is_sqlite else " & ").join(parts)


def _account_word(account_id: int) -> str:
    return f"signetaccount{account_id}"


def _document(message: Message, *, body: str = "") -> _Document:
    names = [row[4] for row in message.structure if len(row) > 4 and row[4]]
    people = [word for people in message.recipients.values() for pair in people for word in pair]
    return _Document(
        message_id=message.pk,
        account=_account_word(message.account_id),
        subject=_words(message.subject),
        sender=_words(f"{message.from_name} {message.from_address}"),
        recipients=_words(" ".join(people)),
        preview=_words(" ".join([message.preview, *names])),
        body=_words(body),
    )


def _words(text: str) -> str:
    return " ".join(word[:_LONGEST_WORD] for word in fold(text))


def _write(documents: list[_Document], *, is_new: bool) -> None:
    if connection.vendor == "sqlite":
        _write_sqlite(documents, has_body=is_new)
    else:
        _write_postgresql(documents, has_body=is_new)


def _write_sqlite(documents: list[_Document], *, has_body: bool) -> None:
    with connection.cursor() as cursor:
        bodies: dict[int, str] = {}
        if not has_body:
            marks = ", ".join(["%s"] * len(documents))
            cursor.execute(
                f"SELECT rowid, body FROM {TABLE} WHERE rowid IN ({marks}) AND body <> ''",  # noqa: S608
                [one.message_id for one in documents],
            )
            bodies = dict(cursor.fetchall())
        cursor.executemany(
            f"INSERT OR REPLACE INTO {TABLE} "  # noqa: S608  (a constant)
            "(rowid, account, subject, sender, recipients, preview, body) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    one.message_id, one.account, one.subject, one.sender, one.recipients,
                    one.preview, one.body or bodies.get(one.message_id, ""),
                )
                for one in documents
            ],
        )  # fmt: skip


def _write_postgresql(documents: list[_Document], *, has_body: bool) -> None:
    keep = "" if has_body else f"WHERE NOT {TABLE}.has_body"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {TABLE} (message_id, has_body, vector) VALUES (%s, %s, "  # noqa: S608
            "setweight(to_tsvector('simple', %s), 'A') || "
            "setweight(to_tsvector('simple', %s), 'B') || "
            "setweight(to_tsvector('simple', %s), 'C') || "
            "setweight(to_tsvector('simple', %s), 'D')) "
            f"ON CONFLICT (message_id) DO UPDATE SET vector = excluded.vector, "
            f"has_body = excluded.has_body {keep}",
            [
                (
                    one.message_id, has_body, one.subject, one.sender, one.recipients,
                    f"{one.account} {one.preview} {one.body}",
                )
                for one in documents
            ],
        )  # fmt: skip
