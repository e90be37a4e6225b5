from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import lanes
from accounts.models import AccountLane, MailAccount, MailServer, User


@pytest.fixture
def account(server: MailServer) -> MailAccount:
    user = User.objects.create_user("anna@example.test")
    return MailAccount.objects.create(
        user=user, server=server, address=user.address, login_name="anna", sealed_password=b""
    )


def test_one_holder_at_a_time(account: MailAccount) -> None:
    with lanes.lease(account, "sync") as first:
        assert first is not None
        with lanes.lease(account, "sync") as second:
            assert second is None
        with lanes.lease(account, "send") as elsewhere:
            assert elsewhere is not None
    with lanes.lease(account, "sync") as after:
        assert after is not None
        assert after.fence == first.fence + 1


def test_an_expired_lease_is_taken_over_and_the_old_holder_notices(account: MailAccount) -> None:
    with lanes.lease(account, "sync", seconds=60) as first:
        assert first is not None
        assert first.renew()
        AccountLane.objects.update(until=timezone.now() - timedelta(seconds=1))
        with lanes.lease(account, "sync") as second:
            assert second is not None
            assert second.fence > first.fence
            assert not first.renew()
            assert not first.is_held()
            assert second.is_held()


def test_the_old_holder_does_not_free_the_new_ones_lease(account: MailAccount) -> None:
    with lanes.lease(account, "sync") as first:
        assert first is not None
        AccountLane.objects.update(until=timezone.now() - timedelta(seconds=1))
        taken = lanes._take(account.pk, "sync", 60)
        assert taken is not None
    assert taken.is_held()
    assert AccountLane.objects.get().until > timezone.now()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_sent_after_the_commit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(lanes, "_send", lambda name, args, lane: sent.append(name))
    with transaction.atomic():
        lanes.post("mailbox.sync_account", 1, lane="sync")
        assert sent == []
    assert sent == ["mailbox.sync_account"]
    with pytest.raises(RuntimeError), transaction.atomic():
        lanes.post("mailbox.sync_account", 1, lane="sync")
        raise RuntimeError
    assert sent == ["mailbox.sync_account"]


@pytest.mark.django_db(transaction=True)
def test_posting_reaches_the_lanes_queue(valkey: str) -> None:
    from accounts.redis import client

    lanes.post("mailbox.sync_account", 7, lane="sync")
    assert client().llen("sync") == 1
    assert client().llen("interactive") == 0


@pytest.mark.django_db(transaction=True)
def test_what_nobody_waits_for_goes_behind_what_somebody_does(valkey: str) -> None:
    from webmail.celery import app

    lanes.post_later("reader.render_ahead", 1, lane="crypto")
    lanes.post("reader.render", 2, lane="crypto")
    with app.connection_for_read() as connection, connection.channel() as channel:
        taken = [channel.basic_get("crypto", no_ack=True) for _ in range(2)]
    assert [one.headers["task"] for one in taken] == ["reader.render", "reader.render_ahead"]


@pytest.mark.django_db
def test_what_a_scanner_repeats_does_not_pile_up(
    valkey: str, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    """A hint that nobody took in its time is thrown away by the next worker; others wait."""
    from webmail.celery import app

    with django_capture_on_commit_callbacks(execute=True):
        lanes.post_again("mailbox.sync_account", 1, lane="sync", seconds=60)
        lanes.post("mailbox.sync_account", 2, lane="sync")
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("sync")
        hints = [queue.get(block=False) for _ in range(2)]
        queue.close()
    expires = {hint.payload[0][0]: hint.headers["expires"] for hint in hints}
    assert expires[2] is None
    left = datetime.fromisoformat(expires[1]) - timezone.now()
    assert timedelta(seconds=1) < left <= timedelta(seconds=60)
