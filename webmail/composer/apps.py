"""The webmail.composer app."""

from django.apps import AppConfig


class ComposerConfig(AppConfig):
    """Writing."""

    name = "webmail.composer"
    verbose_name = "Writing"

    def ready(self) -> None:
        """Listen to the mailbox (seen people, mails that turn up after a lost reply); rotation."""
        from accounts.rotation import SealedFiles, register, register_files
        from webmail.composer import content, listeners, sealed_files

        listeners.connect()
        for column in content.SEALED_COLUMNS:
            register(column)
        register_files(SealedFiles("composer", sealed_files.sealed_paths, sealed_files.renew))
