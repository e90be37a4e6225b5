"""Many new rows at once: their ids reserved first, then plain tuples in one statement.

The ORM's bulk_create makes an object, an SQL expression and a round through every field for each
value; a window of sync has tens of thousands. Here SQLite gets one `executemany`, PostgreSQL one
`COPY`. Nothing is signalled and no conflict is resolved: callers hold the account's lock
(webmail.mailbox.locking) and know that the rows are new.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Field, JSONField, Model

type Convert = Callable[[Any], Any]


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Return `count` ids that no row of the model's table has or will get, ascending.

    In a transaction: on SQLite it is the transaction's lock on the database that reserves them.
    """
    table = model._meta.db_table  # noqa: SLF001
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            found = cursor.fetchone()
            last = found[0] if found else 0
            return list(range(last + 1, last + count + 1))
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [f'"{table}"', count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of `names` (attributes: "folder_id", not "folder").

    Fields that are not named get their default, a callable one called once. Values are what the
    columns take: aware datetimes, JSON as Python values, text without NUL.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001
    converts = [
        (at, convert) for at, name in enumerate(names) if (convert := _convert(fields[name]))
    ]
    others = [
        field for name, field in fields.items() if name not in names and not field.primary_key
    ]
    defaults = [
        convert(value) if (convert := _convert(field)) and value is not None else value
        for field in others
        for value in (field.get_default(),)
    ]

    def written(row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at, convert in converts:
            if values[at] is not None:
                values[at] = convert(values[at])
        return values + defaults

    columns = [str(field.column) for field in [*(fields[name] for name in names), *others]]
    _write(model._meta.db_table, columns, [written(row) for row in rows])  # noqa: SLF001


def update(
    model: type[Model], names: Sequence[str], rows: Iterable[tuple[int, Sequence[Any]]]
) -> None:
    """Set fields of rows: (row id, values in the order of `names`), values as `insert` takes."""
    fields = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001
    converts = [
        (at, convert) for at, name in enumerate(names) if (convert := _convert(fields[name]))
    ]

    def written(pk: int, row: Sequence[Any]) -> list[Any]:
        values = [*row, pk]
        for at, convert in converts:
            if values[at] is not None:
                values[at] = convert(values[at])
        return values

    marks = ", ".join(f'"{fields[name].column}" = %s' for name in names)
    table = model._meta.db_table  # noqa: SLF001
    with connection.cursor() as cursor:
        # Names of our own models' tables and columns; values are parameters.
        cursor.executemany(
            f'UPDATE "{table}" SET {marks} WHERE id = %s',  # noqa: S608
            [written(pk, row) for pk, row in rows],
        )


def _write(table: str, columns: Sequence[str], rows: list[list[Any]]) -> None:
    named = ", ".join(f'"{column}"' for column in columns)
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            # Names of our own models' tables and columns; values are parameters.
            cursor.executemany(
                f'INSERT INTO "{table}" ({named}) VALUES ({marks})',  # noqa: S608
                rows,
            )
        else:
            with cursor.copy(f'COPY "{table}" ({named}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)


def _convert(field: "Field[Any, Any]") -> Convert | None:
    """Return what makes a column's value of a Python value; None: nothing needs to be done."""
    if isinstance(field, JSONField):
        return _JSON.encode
    if isinstance(field, DateTimeField) and connection.vendor == "sqlite":
        return _as_text
    return None


def moment(value: datetime) -> datetime | str:
    """Return an aware datetime as a parameter of the connected database, as Django writes it."""
    if connection.vendor == "sqlite":
        return _as_text(value)
    return value


def _as_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


# As Django's JSONField writes: the default separators, letters outside ASCII escaped.
_JSON = json.JSONEncoder()
