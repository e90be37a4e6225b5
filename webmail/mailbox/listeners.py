"""What the mailbox does when a person signs in or an account is added."""

from collections.abc import Iterable
from typing import Any

from accounts.lanes import post
from accounts.models import MailAccount
from accounts.signals import account_added, signed_in
from webmail.mailbox.models import Folder


def connect() -> None:
    """Start listening."""
    signed_in.connect(_signed_in, dispatch_uid="mailbox")
    account_added.connect(_account_added, dispatch_uid="mailbox")


def bring_up(account: MailAccount) -> None:
    """Post what fills the page soonest: the first paint of a new mirror, else a sync."""
    inbox = Folder.objects.filter(account=account, role=Folder.Role.INBOX)
    if inbox.filter(window_low_uid__isnull=False).exists():
        post("mailbox.sync_account", account.pk, lane="sync")
    else:
        post("mailbox.first_paint", account.pk, lane="interactive")


def _signed_in(*, accounts: Iterable[MailAccount], **_more: Any) -> None:
    for account in accounts:
        bring_up(account)


def _account_added(*, account: MailAccount, **_more: Any) -> None:
    bring_up(account)
