"""The worker's sign of life."""

from celery import shared_task
from django.utils import timezone

from webmail.pages import probes


@shared_task(name="pages.heartbeat", ignore_result=True)
def heartbeat() -> None:
    """Leave a sign that a worker of the scan lane runs (beat posts it)."""
    probes.beat(now=timezone.now())
