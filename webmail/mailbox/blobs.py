"""Sealed files: raw messages as the server has them, kept so that reading again needs no server.

A file's name is random; its content is sealed under the keyring, bound to that name. Never for
anything that came out of an encrypted layer. The least used go first when an account has more than
BODY_CACHE_LIMIT octets.
"""

import logging
import os
import secrets
from collections.abc import Collection, Iterator
from datetime import timedelta
from functools import partial
from itertools import batched
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import MailAccount
from accounts.sealing import SealBroken, open_sealed, seal
from webmail.mailbox.models import Blob, Message

logger = logging.getLogger(__name__)

_PURPOSE = "blob"
_KEY_OCTETS = 24
# A use is noted at most this often, so that reading does not write.
_USE_NOTED_AFTER = timedelta(hours=1)
_EVICTED_AT_ONCE = 100


def put(
    account: MailAccount, content: bytes, *, message: Message | None = None, section: str = ""
) -> Blob:
    """Keep content; replaces what was kept for the same section of the same message.

    Raises OSError when the file cannot be written; then nothing is kept.
    """
    key = secrets.token_hex(_KEY_OCTETS)
    _write(key, seal(content, purpose=_PURPOSE, subject=key))
    try:
        with transaction.atomic():
            if message is not None:
                drop_rows(Blob.objects.filter(message=message, section=section))
            return Blob.objects.create(
                account=account, message=message, section=section, key=key, size=len(content)
            )
    except BaseException:
        _unlink([key])
        raise


def get(message: Message, section: str = "") -> bytes | None:
    """Return what is kept for a section of a message; None when there is nothing (any more)."""
    blob = Blob.objects.filter(message=message, section=section).first()
    return None if blob is None else read(blob)


def read(blob: Blob) -> bytes | None:
    """Return a blob's content; None (and the row goes) when its file is lost or damaged."""
    try:
        content = open_sealed(_path(blob.key).read_bytes(), purpose=_PURPOSE, subject=blob.key)
    except (FileNotFoundError, SealBroken):
        logger.warning("event=blob-lost blob=%d", blob.pk)
        drop(blob)
        return None
    now = timezone.now()
    if blob.last_used_at < now - _USE_NOTED_AFTER:
        Blob.objects.filter(pk=blob.pk).update(last_used_at=now)
    return content


def has(message: Message, section: str = "") -> bool:
    """Say whether a section of a message is kept."""
    return Blob.objects.filter(message=message, section=section).exists()


def drop(blob: Blob) -> None:
    """Forget a blob; its file goes after the commit."""
    drop_rows(Blob.objects.filter(pk=blob.pk))


def drop_of_messages(message_ids: Collection[int]) -> None:
    """Forget everything kept for these messages."""
    for some in batched(message_ids, 500, strict=False):
        drop_rows(Blob.objects.filter(message_id__in=some))


def drop_rows(rows: QuerySet[Blob]) -> None:
    """Delete these rows, and their files after the commit."""
    found = list(rows.values_list("id", "key"))
    if found:
        Blob.objects.filter(pk__in=[pk for pk, _key in found]).delete()
        transaction.on_commit(partial(_unlink, [key for _pk, key in found]))


def evict(account_id: int) -> int:
    """Drop the least used messages of an account until it is within its limit; returns how many.

    Contents that wait for an APPEND (they belong to no message) are never evicted.
    """
    kept = Blob.objects.filter(account_id=account_id, message__isnull=False)
    dropped = 0
    while (kept.aggregate(size=Sum("size"))["size"] or 0) > settings.BODY_CACHE_LIMIT:
        oldest = list(kept.order_by("last_used_at", "id").values_list("id", flat=True))
        some = oldest[: max(1, min(_EVICTED_AT_ONCE, len(oldest) // 10))]
        drop_rows(Blob.objects.filter(pk__in=some))
        dropped += len(some)
    return dropped


def _path(key: str) -> Path:
    return Path(settings.BLOB_DIR) / key[:2] / key


def sealed_paths() -> Iterator[Path]:
    """Yield the files of this module, whether a row names them or not."""
    directory = Path(settings.BLOB_DIR)
    # Two digits, then the key; "composer/" beside them is another room's.
    return (path for path in directory.glob("??/*") if not path.suffix)


def renew(path: Path) -> None:
    """Seal a file anew under the newest key. Raises FileNotFoundError when it is gone.

    One that does not open is dropped with its row, as `read` does: the server has the message.
    Raises SealBroken then.
    """
    key = path.name
    sealed = path.read_bytes()
    try:
        content = open_sealed(sealed, purpose=_PURPOSE, subject=key)
    except SealBroken:
        drop_rows(Blob.objects.filter(key=key))
        path.unlink(missing_ok=True)
        raise
    _write(key, seal(content, purpose=_PURPOSE, subject=key))


def _write(key: str, sealed: bytes) -> None:
    """Write a file as a whole or not at all."""
    path = _path(key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _unlink(keys: list[str]) -> None:
    for key in keys:
        try:
            _path(key).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("event=blob-not-removed error=%s", error.strerror)
