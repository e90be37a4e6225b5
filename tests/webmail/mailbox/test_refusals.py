"""A server that answers with a refusal is not away, and one folder's refusal stops no other."""

import time
import uuid
from concurrent.futures import Future
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import MailAccount
from webmail.imap import CommandRefused, ConnectionLost, LimitExceeded, MessageGone
from webmail.mailbox import applying, folder_list, sessions, sync, watch
from webmail.mailbox.models import Folder, PendingChange

pytestmark = pytest.mark.django_db

REFUSED = CommandRefused(command="APPEND", is_bad=False, code=None, text="Quota exceeded")


class Line:
    """A session as `sessions` sees it."""

    refused: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    server_id: dict[str, str] = {}

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    abandon = close

    def renew(self) -> None:
        """Nothing runs out here."""

    def noop(self) -> None:
        """Nothing is new here."""


@pytest.fixture
def line(monkeypatch):
    sessions.close_kept()
    made = Line()
    monkeypatch.setattr(sessions, "connect", lambda _account: made)
    yield made
    sessions.close_kept()


@pytest.mark.parametrize("error", [REFUSED, MessageGone(), LimitExceeded("Too large.")])
def test_a_refusal_says_nothing_about_the_account(alice, line, error):
    with pytest.raises(type(error)), sessions.imap_session(alice.account):
        raise error
    alice.account.refresh_from_db()
    assert (alice.account.state, alice.account.last_error) == (MailAccount.State.NEW, "")
    assert line.is_open


def test_a_lost_connection_does(alice, line):
    with pytest.raises(ConnectionLost), sessions.imap_session(alice.account):
        line.close()
        raise ConnectionLost("The connection was lost.")
    alice.account.refresh_from_db()
    assert alice.account.state == MailAccount.State.UNREACHABLE


def test_a_list_of_folders_that_is_refused_is_said(alice, line, monkeypatch):
    def refuse(*_arguments, **_options):
        raise REFUSED

    monkeypatch.setattr(folder_list, "refresh", refuse)
    for run in (sync.first_paint, sync.sync_account):
        MailAccount.objects.update(last_error="")
        run(alice.account.pk)
        alice.account.refresh_from_db()
        assert "Quota exceeded" in alice.account.last_error


def test_a_folder_that_cannot_be_read_stops_no_other(alice, monkeypatch):
    Folder.objects.update(is_backfilled=False, window_low_uid=50)
    read = []

    class Server:
        """Refuses the archive."""

        def select(self, path):
            if path == "Archive":
                raise REFUSED
            read.append(path)
            return type("Selected", (), {"uidvalidity": 1})

        def uids(self, _low, _high):
            return ()

    listed = [folder_list.KnownFolder(row, None) for row in Folder.objects.order_by("path")]
    monkeypatch.setattr(folder_list, "refresh", lambda *_arguments: listed)
    monkeypatch.setattr(sync, "_needs_visit", lambda _one: False)
    with sync.lanes.lease(alice.account, "sync", 60) as lease:
        assert lease is not None
        turn = sync.Slice(time.monotonic() + 60, lease)
        assert sync._sync(alice.account, Server(), turn)
    assert len(read) == len(listed) - 1
    assert list(Folder.objects.filter(is_backfilled=False).values_list("path", flat=True)) == [
        "Archive"
    ]


@pytest.mark.parametrize(
    ("state", "failed", "waited", "is_posted"),
    [
        ("active", 1, 100, True),
        ("unreachable", 1, 2, False),
        ("unreachable", 11, 12, True),
        ("unreachable", 40, 100, False),
        ("unreachable", 60, 100, True),
        ("unreachable", 599, 100_000, False),
        ("unreachable", 601, 100_000, True),
        ("auth-failed", 9_999, 100_000, False),
    ],
)
def test_the_scanner_leaves_a_server_that_is_away_alone(
    alice, monkeypatch, state, failed, waited, is_posted
):
    """Seconds since the last failure, and since the oldest wish."""
    posted = []
    monkeypatch.setattr(
        applying, "post_again", lambda *task, lane, seconds: posted.append((*task, lane))
    )
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    MailAccount.objects.update(state=state, last_error_at=now - timedelta(seconds=failed))
    for seconds in (waited, 0):
        PendingChange.objects.create(
            account=alice.account, operation="flags", group=uuid.uuid4(),
            created_at=now - timedelta(seconds=seconds), next_try_at=now, args={"add": 1, "remove": 0},
        )  # fmt: skip
    applying.hand_over_due_changes()
    assert posted == [("mailbox.apply_changes", alice.account.pk, "interactive")] * is_posted


def test_one_account_that_breaks_the_watching_ends_it_for_no_other(alice, caplog):
    watcher = watch.Watcher()
    broken: Future[watch.Watched] = Future()
    broken.set_exception(ValueError("no such thing"))
    watcher._opening[alice.account.pk] = broken
    try:
        watcher._take_opened()
        assert alice.account.pk not in watcher._opening
    finally:
        watcher.close()
    assert "event=watch-broke" in caplog.text
