"""Renderings do not stay for ever: old pipelines and the oldest beyond a count go."""

from datetime import timedelta

from django.utils import timezone

from webmail.reader.models import Rendition
from webmail.reader.variants import PIPELINE

KEPT_FOR = timedelta(days=30)
BATCH = 500


def expire() -> int:
    """Delete at most `BATCH` renderings that are of no use any more; returns how many."""
    old = Rendition.objects.exclude(pipeline=PIPELINE) | Rendition.objects.filter(
        created_at__lt=timezone.now() - KEPT_FOR
    )
    ids = list(old.values_list("pk", flat=True)[:BATCH])
    Rendition.objects.filter(pk__in=ids).delete()
    return len(ids)
