"""Queries whose SQL is made once.

Making the SQL of a query takes the ORM 0.2 to 0.7 ms, and the database answers it in 0.02: a page
that asks ten questions spent most of its time so. A prepared query is written with the ORM like any
other; each thread makes its SQL when it first asks, and later asks with other values.

    _OWN = Prepared(lambda user: Identity.objects.filter(user_id=user).values_list("address"))
    _OWN.rows(person.pk)

Values are what a column is compared with: numbers, texts, aware times; never None or lists, which
are other SQL.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, override

from django.db import connection
from django.db.models import Expression, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class _Value(Expression):
    """Stands in the query for the value at a position among those it will be asked with."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position

    @override
    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class _Statement(NamedTuple):
    """A query as one thread's connection takes it."""

    sql: str
    parameters: tuple[Any, ...]  # what is fixed, and `_Value`s
    compiler: SQLCompiler
    converters: dict[int, Any]


class Prepared:
    """A query for rows of values. Its function takes what varies and returns a `values_list`,
    or any queryset where `columns` names the values.
    """

    def __init__(
        self,
        make: Callable[..., QuerySet[Any, Any]],
        columns: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self._make = make
        self._columns = columns
        self._size = len(inspect.signature(make).parameters)
        self._made = threading.local()

    def rows(self, *values: int | str | datetime) -> list[tuple[Any, ...]]:
        """Ask with these values, in the order of the function's arguments."""
        statement = getattr(self._made, "statement", None)
        if statement is None:
            statement = self._made.statement = self._prepare()
        given = [_parameter(each) for each in values]
        with connection.cursor() as cursor:
            cursor.execute(
                statement.sql,
                [
                    given[each.position] if isinstance(each, _Value) else each
                    for each in statement.parameters
                ],
            )
            found = cursor.fetchall()
        if not statement.converters:
            return list(found)
        converted = statement.compiler.apply_converters(found, statement.converters)
        return [tuple(row) for row in converted]

    def first(self, *values: int | str | datetime) -> tuple[Any, ...] | None:
        """Return the first row; the query says that there is one at most."""
        return next(iter(self.rows(*values)), None)

    def _prepare(self) -> _Statement:
        asked = self._make(*map(_Value, range(self._size)))
        if self._columns is not None:
            asked = asked.values_list(*self._columns())
        compiler = asked.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([each[0] for each in compiler.select or ()])
        return _Statement(sql, tuple(parameters), compiler, converters)


class PreparedObjects[Row: Model]:
    """A query for objects, with those that `related` names ("account__server": and "account").

    Its function returns a queryset of them; related objects must not be missing.
    """

    def __init__(self, make: Callable[..., QuerySet[Row]], model: type[Row], *related: str) -> None:
        self._model = model
        self._related = related
        self._rows = Prepared(make, self._columns)

    def all(self, *values: int | str | datetime) -> list[Row]:
        """Ask with these values, in the order of the function's arguments."""
        return [self._object(row) for row in self._rows.rows(*values)]

    def first(self, *values: int | str | datetime) -> Row | None:
        """Return the first object; the query says that there is one at most."""
        row = self._rows.first(*values)
        return self._object(row) if row is not None else None

    @cached_property
    def _parts(self) -> tuple["_Part", ...]:
        return tuple(_parts(self._model, self._related))

    def _columns(self) -> list[str]:
        return [name for part in self._parts for name in part.columns]

    def _object(self, row: Sequence[Any]) -> Row:
        made: dict[str, Any] = {}
        start = 0
        for part in self._parts:
            end = start + len(part.names)
            found = part.model.from_db(connection.alias, part.names, row[start:end])
            if part.path:
                within, _, name = part.path.rpartition("__")
                setattr(made[within], name, found)
            made[part.path] = found
            start = end
        whole: Row = made[""]
        return whole


class _Part(NamedTuple):
    """One object of a row. path: how the row's own object leads to it, "" for itself."""

    path: str
    model: type[Model]
    names: tuple[str, ...]  # attributes
    columns: tuple[str, ...]  # the same, as the query names them


def _parts(model: type[Model], related: Sequence[str]) -> Iterator[_Part]:
    """Yield the row's own object and the related ones, each after that which leads to it."""
    paths = {"": model}
    for path in related:
        names = path.split("__")
        for depth, name in enumerate(names):
            field = paths["__".join(names[:depth])]._meta.get_field(name)  # noqa: SLF001
            paths["__".join(names[: depth + 1])] = field.related_model  # type: ignore[assignment]
    for path, each in paths.items():
        names_of = tuple(field.attname for field in each._meta.concrete_fields)  # noqa: SLF001
        start = f"{path}__" if path else ""
        yield _Part(path, each, names_of, tuple(start + name for name in names_of))


def _parameter(value: float | str | datetime) -> Any:
    """Return a value as the connected database takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
