"""The webmail.live app."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """Live updates."""

    name = "webmail.live"
    verbose_name = "Live updates"
