"""The webmail.pages app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Pages."""

    name = "webmail.pages"
    verbose_name = "Pages"

    def ready(self) -> None:
        """Connect to what the reader asks."""
        from webmail.pages import invitations  # noqa: F401
