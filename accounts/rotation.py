"""Sealing everything anew under the newest key, while the site runs.

Each app registers what it seals (`register` in its AppConfig.ready). A row is replaced only if it
still holds the value that was read, so writers at the same time win and a crash loses nothing:
run it again. Whether an old key is still needed is counted over *all* binary columns and sealed
files, registered or not, before one may be dropped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from accounts.sealing import KEY_ID_SIZE, SealBroken, is_newest, keyring, open_sealed, seal

_BATCH = 200  # rows read at once


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column sealed under the keyring."""

    model: str  # "accounts.MailAccount"
    column: str
    purpose: str
    subject: Callable[[Any], str]  # of a row
    where: models.Q = field(default_factory=models.Q)


@dataclass(slots=True)
class Outcome:
    """What one run did."""

    renewed: int = 0
    broken: int = 0  # values that do not open under any key, left as they are
    remaining: int = 0  # values and files still under an older key


_columns: dict[tuple[str, str], SealedColumn] = {}


def register(column: SealedColumn) -> None:
    """Have `rotate_keys` renew that column."""
    _columns[column.model, column.column] = column


def rotate() -> Outcome:
    """Seal every registered value under the newest key; idempotent."""
    outcome = Outcome()
    for column in _columns.values():
        _renew(column, outcome)
    outcome.remaining = sum(1 for _ in _old_values())
    return outcome


def _renew(column: SealedColumn, outcome: Outcome) -> None:
    manager = apps.get_model(column.model)._default_manager  # noqa: SLF001  (the public name lacks)
    last = 0
    while True:
        rows = list(manager.filter(column.where, pk__gt=last).order_by("pk")[:_BATCH])
        if not rows:
            return
        last = rows[-1].pk
        for row in rows:
            sealed = bytes(getattr(row, column.column) or b"")
            if not sealed or is_newest(sealed):
                continue
            subject = column.subject(row)
            try:
                plain = open_sealed(sealed, purpose=column.purpose, subject=subject)
            except SealBroken:
                outcome.broken += 1
                continue
            fresh = seal(plain, purpose=column.purpose, subject=subject)
            unchanged = manager.filter(pk=row.pk, **{column.column: sealed})
            outcome.renewed += unchanged.update(**{column.column: fresh})


def _old_values() -> Iterator[str]:
    """Name every value and file that an older key of the keyring has sealed."""
    heads = tuple(b"\x01" + key.key_id for key in keyring().keys[1:])
    if not heads:
        return
    for model in apps.get_models():
        for each in model._meta.concrete_fields:  # noqa: SLF001  (Django documents _meta)
            if isinstance(each, models.BinaryField):
                values = model._default_manager.values_list(each.name, flat=True)  # noqa: SLF001
                for value in values.iterator(chunk_size=_BATCH):
                    if value is not None and bytes(value[: 1 + KEY_ID_SIZE]) in heads:
                        yield f"{model._meta.label}.{each.name}"  # noqa: SLF001
    directory = Path(settings.BLOB_DIR)
    for path in directory.rglob("*") if directory.is_dir() else ():
        if path.is_file():
            with path.open("rb") as file:
                if file.read(1 + KEY_ID_SIZE) in heads:
                    yield str(path)
