"""The webmail.reader app."""

from typing import override

from django.apps import AppConfig


class ReaderConfig(AppConfig):
    """Reading."""

    name = "webmail.reader"
    verbose_name = "Reading"

    @override
    def ready(self) -> None:
        """Connect to what the mailbox announces."""
        from webmail.reader import listeners  # noqa: F401
