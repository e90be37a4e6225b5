"""The words of messages, indexed by the database: FTS5 on SQLite, a GIN index on PostgreSQL.

Words are folded here (search_query.fold), the same for both, so that both find the same. Each
document also holds its account as a word: a search never leaves the index for another's mail.
Headers and preview always, a body once it is known; never text from an encrypted layer.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched
from types import MappingProxyType
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

from webmail.mailbox.facts import MessageFacts
from webmail.mailbox.models import Message
from webmail.mailbox.search_query import Field, Term, fold

TABLE = "mailbox_search"
LONGEST_BODY = 100_000  # characters of a body that are indexed
_AT_ONCE = 250
_REMEMBERED = 100  # characters: names and addresses come again and again
_LONGEST_WORD = 60  # characters; longer ones are cut on both sides of the search
_WEIGHTS: dict[Field, str] = {"subject": "A", "from": "B", "to": "C", "text": "D", "any": ""}
_NO_BODIES: Final[Mapping[int, str]] = MappingProxyType({})
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


def add_new(account_id: int, messages: Iterable[tuple[int, MessageFacts]]) -> None:
    """Index messages (row id, what it says) that were never indexed, as `add` does."""
    account = _account_word(account_id)
    documents = [_document(pk, account, one) for pk, one in messages]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            _insert_sqlite(cursor, documents)
    else:
        _write_postgresql(documents, has_body=False)


def add(messages: Iterable[Message]) -> None:
    """Index messages by their headers and previews, in the caller's transaction.

    A body that was indexed before stays only on SQLite; on PostgreSQL the row keeps what it has.
    """
    for some in batched(messages, _AT_ONCE, strict=False):
        _write([_document_of(message) for message in some], is_new=False)


def add_body(message: Message, text: str) -> None:
    """Index a message with its readable text, which never came out of an encrypted layer.

    One that was removed meanwhile stays removed.
    """
    with transaction.atomic():
        here = Message.objects.select_for_update(no_key=True).filter(pk=message.pk)
        if list(here.values_list("pk", flat=True)):
            _write([_document_of(message, body=text[:LONGEST_BODY])], is_new=True)


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
        found &= Q(pk__in=_ids(wanted, account_id))
    for term in terms:
        if term.is_excluded:
            found &= ~Q(pk__in=_ids([term], account_id))
    return found


def _ids(terms: Collection[Term], account_id: int) -> RawSQL:
    """Ask for the ids of an account's messages that hold all the terms."""
    account, words = _account_word(account_id), _query(terms)
    if connection.vendor == "sqlite":
        parameters = [" AND ".join([f"{{account}} : {account}", *words])]
        sql = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608  (constants)
    else:
        # The account's word is taken as it stands; the parser would drop its "@".
        asked = "%s::tsquery && to_tsquery('simple', %s)" if words else "%s::tsquery"
        parameters = [f"'@{account}'", *([" & ".join(words)] if words else [])]
        sql = f"SELECT message_id FROM {TABLE} WHERE vector @@ ({asked})"  # noqa: S608
    return RawSQL(sql, parameters)  # noqa: S611  (parameters of folded words)


def _query(terms: Collection[Term]) -> list[str]:
    """Write each word in the database's query language; words are letters and digits only."""
    cut = [(word[:_LONGEST_WORD], term.field) for term in terms for word in term.words]
    if connection.vendor == "sqlite":
        every = "subject sender recipients preview body"
        return [f'{{{_COLUMNS[field] or every}}} : "{word}" *' for word, field in cut]
    return [f"{word}:*{_WEIGHTS[field]}" for word, field in cut]


def _account_word(account_id: int) -> str:
    """PostgreSQL has it behind an "@", so that the beginning of no searched word fits it."""
    return f"signetaccount{account_id}"


def _document_of(message: Message, *, body: str = "") -> _Document:
    account = _account_word(message.account_id)
    return _document(message.pk, account, message, preview=message.preview, body=body)


def _document(
    message_id: int,
    account: str,
    message: Message | MessageFacts,
    *,
    preview: str = "",
    body: str = "",
) -> _Document:
    names = [str(row[4]) for row in message.structure if len(row) > 4 and row[4]]
    people = [word for people in message.recipients.values() for pair in people for word in pair]
    return _Document(
        message_id,
        account,
        _words(message.subject),
        _words(f"{message.from_name} {message.from_address}"),
        _words(" ".join(people)),
        _words(" ".join([preview, *names])),
        _words(body),
    )


def _words(text: str) -> str:
    return (_folded_again if len(text) <= _REMEMBERED else _folded)(text)


def _folded(text: str) -> str:
    return " ".join(word[:_LONGEST_WORD] for word in fold(text))


_folded_again = lru_cache(maxsize=2_048)(_folded)


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
        _insert_sqlite(cursor, documents, bodies)


def _insert_sqlite(
    cursor: CursorWrapper, documents: list[_Document], bodies: Mapping[int, str] = _NO_BODIES
) -> None:
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
            "setweight(to_tsvector('simple', %s), 'D') || array_to_tsvector(ARRAY[%s])) "
            f"ON CONFLICT (message_id) DO UPDATE SET vector = excluded.vector, "
            f"has_body = excluded.has_body {keep}",
            [
                (
                    one.message_id, has_body, one.subject, one.sender, one.recipients,
                    f"{one.preview} {one.body}", f"@{one.account}",
                )
                for one in documents
            ],
        )  # fmt: skip
