"""The worker's sign of life."""

from celery import shared_task
from django.utils import timezone

from webmail.pages import probes


@shared_task(name="pages.heartbeat", ignore_result=True)
def heartbeat(reply_key: str) -> None:
    """Show that a worker takes tasks (probes asks)."""
    probes.beat(reply_key, now=timezone.now())
