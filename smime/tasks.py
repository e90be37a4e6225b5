"""Tasks of this app. Those of key files run in lane crypto: they open private keys."""

from celery import shared_task
from django.utils import timezone

from smime import (
    key_files,
    revocation,
    revocation_held,
    revocation_hints,
    revocation_refresh,
)


@shared_task(name="smime.preview_key_file", ignore_result=True)
def preview_key_file(ticket_id: str, reply_key: str) -> None:
    """Say what an uploaded key file holds."""
    key_files.work("preview", ticket_id, reply_key)


@shared_task(name="smime.import_key_file", ignore_result=True)
def import_key_file(ticket_id: str, reply_key: str) -> None:
    """Put an uploaded key file into its owner's vault."""
    key_files.work("import", ticket_id, reply_key)


@shared_task(name="smime.export_key", ignore_result=True)
def export_key(ticket_id: str, reply_key: str) -> None:
    """Make a .p12 of one key."""
    key_files.work("export", ticket_id, reply_key)


@shared_task(name="smime.fetch_revocation", ignore_result=True)
def fetch_revocation() -> None:
    """Ask what is due for lists, OCSP answers and issuers (lane fetch)."""
    revocation_refresh.refresh()


@shared_task(name="smime.look_after_revocation", ignore_result=True)
def look_after_revocation() -> None:
    """Do each minute's chores of revocation (lane scan)."""
    revocation.look_after(now=timezone.now())


@shared_task(name="smime.begin_to_watch_held", ignore_result=True)
def begin_to_watch_held() -> None:
    """Go through the certificates that people hold, each hour (lane scan)."""
    revocation_hints.watch_held()


@shared_task(name="smime.watch_held", ignore_result=True)
def watch_held(user_id: int, key_id: int, certificate_id: int) -> None:
    """Watch some of the certificates that people hold (lane crypto: it builds paths)."""
    revocation_held.watch_held(user_id, key_id, certificate_id, now=timezone.now())
