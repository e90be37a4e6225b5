"""The webmail.pages app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Pages."""

    name = "webmail.pages"
    verbose_name = "Pages"
