"""Sealing everything anew under the newest key, while the site runs.

Each app registers what it seals (`register`, `register_files` in its AppConfig.ready). A row is
replaced only if it still holds the value that was read, a file as a whole, so writers at the same
time win and a crash loses nothing: run it again, and it goes on with what is left. Only what an
older key sealed is read, one value at a time. Whether an old key is still needed is counted over
*all* binary columns and sealed files, registered or not, before one may be dropped.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Substr

from accounts.sealing import KEY_ID_SIZE, SealBroken, is_newest, keyring, open_sealed, seal

_BATCH = 500  # primary keys read at once
_HEAD_SIZE = 1 + KEY_ID_SIZE  # octets: what tells the key of a sealed value
# Nobody writes a file for longer, seconds: an older unfinished one was left by a crash.
_UNFINISHED_FOR = 3600


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column sealed under the keyring."""

    model: str  # "accounts.MailAccount"
    column: str
    purpose: str
    subject: Callable[[Any], str]  # of a row
    where: models.Q = field(default_factory=models.Q)
    is_cache: bool = False  # a row that does not open is deleted: it can be made again


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """Files sealed under the keyring.

    `renew` replaces one as a whole; it raises SealBroken for one that does not open, and
    FileNotFoundError for one that is gone by now.
    """

    name: str
    paths: Callable[[], Iterable[Path]]
    renew: Callable[[Path], None]


@dataclass(slots=True)
class Outcome:
    """What one run did."""

    renewed: int = 0
    broken: int = 0  # values that do not open under any key
    remaining: int = 0  # values and files still under an older key


_columns: dict[tuple[str, str], SealedColumn] = {}
_files: dict[str, SealedFiles] = {}


def register(column: SealedColumn) -> None:
    """Have `rotate_keys` renew that column."""
    _columns[column.model, column.column] = column


def register_files(files: SealedFiles) -> None:
    """Have `rotate_keys` renew these files."""
    _files[files.name] = files


def rotate() -> Outcome:
    """Seal every registered value under the newest key; idempotent."""
    outcome = Outcome()
    _clear_unfinished()
    for column in _columns.values():
        _renew_column(column, outcome)
    for files in _files.values():
        _renew_files(files, outcome)
    outcome.remaining = remaining()
    return outcome


def remaining() -> int:
    """Count the values and files that an older key of the keyring has sealed."""
    heads = _old_heads()
    if not heads:
        return 0
    found = sum(
        _with_head(model._default_manager, each.name).filter(sealed_head__in=heads).count()  # noqa: SLF001  (the public name lacks)
        for model in apps.get_models()
        for each in model._meta.concrete_fields  # noqa: SLF001  (Django documents _meta)
        if isinstance(each, models.BinaryField)
    )
    return found + sum(_is_under(path, heads) for path in _all_files())


def _old_heads() -> tuple[bytes, ...]:
    return tuple(b"\x01" + key.key_id for key in keyring().keys[1:])


def _with_head(
    rows: models.Manager[Any] | models.QuerySet[Any], column: str
) -> models.QuerySet[Any]:
    """Add the beginning of each value: the database looks, the values stay there."""
    head = Substr(column, 1, _HEAD_SIZE, output_field=models.BinaryField())
    found: models.QuerySet[Any] = rows.annotate(sealed_head=head)
    return found


def _renew_column(column: SealedColumn, outcome: Outcome) -> None:
    manager = apps.get_model(column.model)._default_manager  # noqa: SLF001  (the public name lacks)
    newest = b"\x01" + keyring().newest.key_id
    rows = _with_head(manager.filter(column.where), column.column)
    old = rows.exclude(sealed_head__in=(newest, b"")).order_by("pk")
    last = 0
    while pks := list(old.filter(pk__gt=last).values_list("pk", flat=True)[:_BATCH]):
        for pk in pks:
            row = manager.filter(pk=pk).first()
            if row is not None:
                _renew_row(column, row, outcome)
        last = pks[-1]


def _renew_row(column: SealedColumn, row: models.Model, outcome: Outcome) -> None:
    sealed = bytes(getattr(row, column.column))
    if is_newest(sealed):
        return  # somebody sealed it anew meanwhile
    subject = column.subject(row)
    unchanged = type(row)._default_manager.filter(pk=row.pk, **{column.column: sealed})  # noqa: SLF001
    try:
        plain = open_sealed(sealed, purpose=column.purpose, subject=subject)
    except SealBroken:
        outcome.broken += 1
        if column.is_cache:
            unchanged.delete()
        return
    fresh = seal(plain, purpose=column.purpose, subject=subject)
    outcome.renewed += unchanged.update(**{column.column: fresh})


def _renew_files(files: SealedFiles, outcome: Outcome) -> None:
    for path in files.paths():
        try:
            if is_newest(_head(path)):
                continue
            files.renew(path)
            outcome.renewed += 1
        except SealBroken:
            outcome.broken += 1
        except FileNotFoundError:
            continue  # dropped by its owner


def _all_files() -> Iterable[Path]:
    directory = Path(settings.BLOB_DIR)
    return (path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else ()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_SIZE)


def _is_under(path: Path, heads: tuple[bytes, ...]) -> bool:
    try:
        return _head(path) in heads
    except FileNotFoundError:
        return False


def _clear_unfinished() -> None:
    """Remove what a crash left half-written: nothing names it, and it would keep its key needed."""
    for path in _all_files():
        if path.suffix == ".part" and path.stat().st_mtime < time.time() - _UNFINISHED_FOR:
            path.unlink(missing_ok=True)
