"""The webmail.live app."""

from typing import override

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """Live updates."""

    name = "webmail.live"
    verbose_name = "Live updates"

    @override
    def ready(self) -> None:
        """Connect to what ends sessions and turns keys."""
        from webmail.live import turns  # noqa: F401
