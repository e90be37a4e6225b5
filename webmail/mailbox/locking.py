"""One writer at a time for each account's mirror.

Every transaction that changes rows of an account's mirror starts by locking the account's row.
Windows of sync are kept short (tenths of a second), so that a click never waits long.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from accounts.models import MailAccount


@contextmanager
def mirror_lock(account_id: int) -> Iterator[None]:
    """Hold a transaction in which nobody else changes this account's mirror.

    SQLite locks the whole database at BEGIN IMMEDIATE. Raises MailAccount.DoesNotExist.
    """
    with transaction.atomic():
        # Only the key is read: another process may be writing the row's state.
        MailAccount.objects.select_for_update(no_key=True).only("id").get(pk=account_id)
        yield
