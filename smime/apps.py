"""The smime app."""

from django.apps import AppConfig


class SmimeConfig(AppConfig):
    """Certificates and keys."""

    name = "smime"
    verbose_name = "Certificates and keys"
