"""The table that the hello floor lists: as many rows, as long, as the mirror beside it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webmail.demo.bench.wording import Writer

_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)


def make(path: Path, *, rows: int) -> None:
    """Write a new SQLite file with `rows` letters."""
    writer = Writer()
    oldest = _NEWEST - timedelta(minutes=26 * rows)

    def letter(number: int) -> tuple[object, ...]:
        said = writer.one()
        at = oldest + timedelta(minutes=26 * number)
        text = at.isoformat(" ")
        return (number, text, said.name, said.subject, said.preview, writer.size(), number % 7 > 0)

    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE letter (id INTEGER PRIMARY KEY, at TEXT, sender TEXT, subject TEXT, "
            "preview TEXT, size INTEGER, is_read BOOLEAN)"
        )
        database.executemany(
            "INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?, ?)", map(letter, range(1, rows + 1))
        )
