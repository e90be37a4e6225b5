"""`manage.py worker_health`: whether the worker in this container lives (container checks)."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webmail.celery import HEARTBEAT

LIMIT = 60  # seconds; a worker beats every two


class Command(BaseCommand):
    help = "Exit 0 if the worker here gave a sign of life in the last minute, else 1."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            age = time.time() - HEARTBEAT.stat().st_mtime
        except FileNotFoundError as error:
            raise CommandError("No worker has run here yet.") from error
        if age > LIMIT:
            raise CommandError(f"The worker's last sign of life was {age:.0f} s ago.")
