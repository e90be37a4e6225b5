"""Tasks of this app; all in lane crypto: they open private keys."""

from celery import shared_task

from smime import key_files


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
