"""The webmail.composer app."""

from django.apps import AppConfig


class ComposerConfig(AppConfig):
    """Writing."""

    name = "webmail.composer"
    verbose_name = "Writing"
