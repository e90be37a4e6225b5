"""The webmail.reader app."""

from django.apps import AppConfig


class ReaderConfig(AppConfig):
    """Reading."""

    name = "webmail.reader"
    verbose_name = "Reading"
