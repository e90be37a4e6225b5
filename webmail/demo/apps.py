"""The webmail.demo app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Demonstration."""

    name = "webmail.demo"
    verbose_name = "Demonstration"
