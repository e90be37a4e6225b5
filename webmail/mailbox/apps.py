"""The webmail.mailbox app."""

from typing import override

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    """Mailboxes."""

    name = "webmail.mailbox"
    verbose_name = "Mailboxes"

    @override
    def ready(self) -> None:
        """Listen to the accounts: sign-ins start a sync; rotation."""
        from accounts.rotation import SealedFiles, register, register_files
        from webmail.mailbox import blobs, listeners, protected_fields

        listeners.connect()
        register(protected_fields.SEALED_COLUMN)
        register_files(SealedFiles("blobs", blobs.sealed_paths, blobs.renew))
