"""The webmail.mailbox app."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    """Mailboxes."""

    name = "webmail.mailbox"
    verbose_name = "Mailboxes"
