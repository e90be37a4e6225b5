"""Tasks of this app: ids in, one call, done. Each may run twice, at once with itself, or never."""

from celery import shared_task

from webmail.mailbox import applying, schedule, sync
from webmail.mailbox.models import Folder


@shared_task(name="mailbox.first_paint", ignore_result=True)
def first_paint(account_id: int) -> None:
    """Mirror the newest 50 of INBOX (lane interactive)."""
    sync.first_paint(account_id)


@shared_task(name="mailbox.sync_account", ignore_result=True)
def sync_account(account_id: int) -> None:
    """Bring an account's mirror up to date (lane sync)."""
    sync.sync_account(account_id)


@shared_task(name="mailbox.sync_folder", ignore_result=True)
def sync_folder(folder_id: int) -> None:
    """Visit one folder (lane sync)."""
    account_id = Folder.objects.filter(pk=folder_id).values_list("account_id", flat=True).first()
    account = sync.account_to_work_on(account_id) if account_id is not None else None
    if account is not None:
        sync.sync_folder(account, folder_id)


@shared_task(name="mailbox.poll_accounts", ignore_result=True)
def poll_accounts() -> None:
    """Post a sync for every account that is due (lane scan)."""
    schedule.poll_accounts()


@shared_task(name="mailbox.apply_changes", ignore_result=True)
def apply_changes(account_id: int) -> None:
    """Carry out what people asked for (lane interactive)."""
    applying.apply_changes(account_id)


@shared_task(name="mailbox.hand_over_due_changes", ignore_result=True)
def hand_over_due_changes() -> None:
    """Find changes that are due or whose worker died (lane scan)."""
    applying.hand_over_due_changes()
