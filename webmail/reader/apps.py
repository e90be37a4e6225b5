"""The webmail.reader app."""

from typing import override

from django.apps import AppConfig


class ReaderConfig(AppConfig):
    """Reading."""

    name = "webmail.reader"
    verbose_name = "Reading"

    @override
    def ready(self) -> None:
        """Connect to what the mailbox announces; rotation."""
        from accounts.rotation import register
        from webmail.reader import listeners, store  # noqa: F401

        for column in store.SEALED_COLUMNS:
            register(column)
