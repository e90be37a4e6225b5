"""The webmail.composer app."""

from django.apps import AppConfig


class ComposerConfig(AppConfig):
    """Writing."""

    name = "webmail.composer"
    verbose_name = "Writing"

    def ready(self) -> None:
        """Listen to the mailbox: seen people, and mails that turn up after a lost reply."""
        from webmail.composer import listeners

        listeners.connect()
