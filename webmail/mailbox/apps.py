"""The webmail.mailbox app."""

from typing import override

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    """Mailboxes."""

    name = "webmail.mailbox"
    verbose_name = "Mailboxes"

    @override
    def ready(self) -> None:
        """Listen to the accounts: sign-ins start a sync."""
        from webmail.mailbox import listeners

        listeners.connect()
