"""Which accounts are looked at without a hint."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import MailAccount
from tests.webmail.mailbox.conftest import make_owner
from webmail.mailbox import schedule

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def posted(monkeypatch):
    """The accounts that were posted, in order."""
    ids = []
    monkeypatch.setattr(schedule.lanes, "post_again", lambda _task, pk, **_how: ids.append(pk))
    return ids


def test_accounts_nobody_uses_do_not_keep_back_one_in_use(alice, posted, monkeypatch):
    """However many of them there are, longest waiting first is not longest waiting for its turn."""
    now = timezone.now()
    monkeypatch.setattr(schedule, "AT_ONCE", 1)
    for number in range(5):
        make_owner(f"away{number}@example.test")
    MailAccount.objects.update(state="active", last_sync_at=now - 50 * MINUTE)
    MailAccount.objects.filter(pk=alice.account.pk).update(
        last_used_at=now, last_sync_at=now - 6 * MINUTE
    )
    schedule.poll_accounts()
    assert posted == [alice.account.pk]


@pytest.mark.parametrize(
    ("fields", "is_posted"),
    [
        ({"state": "new"}, True),
        ({"state": "active", "synced": 59}, False),
        ({"state": "active", "synced": 61}, True),
        ({"state": "active", "synced": 4, "used": 1}, True),
        ({"state": "active", "synced": 4, "used": 1, "capabilities": ["IDLE"]}, False),
        ({"state": "active", "synced": 6, "used": 1, "capabilities": ["IDLE"]}, True),
        ({"state": "active", "synced": 6, "used": 31, "capabilities": ["IDLE"]}, False),
        ({"state": "unreachable", "synced": 6, "failed": 2}, False),
        ({"state": "unreachable", "synced": 6, "failed": 4}, True),
        ({"state": "unreachable", "failed": 11}, True),
        ({"state": "paused", "synced": 61}, False),
        ({"state": "auth-failed", "synced": 61}, False),
    ],
)
def test_who_is_due(alice, posted, fields, is_posted):
    """Minutes since the last sync, use and failure."""
    now = timezone.now()
    columns = {"synced": "last_sync_at", "used": "last_used_at", "failed": "last_error_at"}
    MailAccount.objects.update(
        **{
            columns.get(name, name): now - value * MINUTE if name in columns else value
            for name, value in fields.items()
        }
    )
    schedule.poll_accounts()
    assert posted == [alice.account.pk] * is_posted
