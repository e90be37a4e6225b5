"""The watcher notices what happens in INBOX, shares accounts, and ends cleanly."""

import itertools
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccountLane, MailAccount
from tests.live.mailbox_rig import letter, make_box
from webmail.mailbox import sessions, watch
from webmail.mailbox.models import Folder

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
_names = itertools.count(1)


@pytest.fixture
def box(mail_servers, valkey):
    user = mail_servers.add_user(f"watched{next(_names)}")
    made = make_box(mail_servers.dovecot.endpoint(), user.credentials)
    made.sync()
    MailAccount.objects.update(last_used_at=timezone.now())
    yield made
    sessions.close_kept()


@pytest.fixture
def watcher(box):
    made = watch.Watcher()
    yield made
    made.close()


def _step_until(watcher, condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        watcher.step(0.1)


def _seq(box):
    return Folder.objects.get(pk=box.folder("inbox").pk).wake_seq


def test_new_mail_raises_the_wake_number_within_a_second(box, watcher):
    _step_until(watcher, lambda: watcher.watched_ids == {box.account.pk})
    before = _seq(box)
    box.append(letter("Ding"))
    started = time.monotonic()
    _step_until(watcher, lambda: _seq(box) > before)
    assert time.monotonic() - started < 1.0
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert b"mailbox.sync_folder" in client.lindex("sync", 0)


def test_idle_is_issued_anew(box, watcher, monkeypatch):
    monkeypatch.setattr(watch, "_again_at", lambda: time.monotonic() + 0.5)
    _step_until(watcher, lambda: watcher.watched_ids == {box.account.pk})
    first = watcher._watched[box.account.pk].idling
    _step_until(
        watcher,
        lambda: watcher.watched_ids and watcher._watched[box.account.pk].idling is not first,
    )
    before = _seq(box)
    box.append(letter("Ding"))
    _step_until(watcher, lambda: _seq(box) > before)


def test_a_lost_connection_is_opened_again(box, watcher, mail_servers, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    _step_until(watcher, lambda: watcher.watched_ids)
    first = watcher._watched[box.account.pk]
    mail_servers.dovecot.doveadm("kick", box.secret.username.partition("@")[0])
    _step_until(
        watcher, lambda: not watcher.watched_ids or watcher._watched[box.account.pk] is not first
    )
    _step_until(watcher, lambda: watcher.watched_ids)
    before = _seq(box)
    box.append(letter("Ding"))
    _step_until(watcher, lambda: _seq(box) > before)


def test_two_watchers_share_and_take_over(box, watcher, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    _step_until(watcher, lambda: watcher.watched_ids)
    second = watch.Watcher()
    for _ in range(5):
        second.step(0.1)
    assert not second.watched_ids
    watcher.close()
    _step_until(second, lambda: second.watched_ids == {box.account.pk})
    second.close()


def test_unused_accounts_are_let_go(box, watcher, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    _step_until(watcher, lambda: watcher.watched_ids)
    MailAccount.objects.update(last_used_at=timezone.now() - timedelta(hours=1))
    _step_until(watcher, lambda: not watcher.watched_ids)
    assert AccountLane.objects.get(lane="watch").until <= timezone.now()


def test_sigterm_ends_the_command_even_without_a_database(redis_server):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "watch"], env={**os.environ}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout.readline() == b"Watching.\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
