"""A server that answers with a refusal is not away, and one folder's refusal stops no other."""

import time

import pytest

from accounts.models import MailAccount
from webmail.imap import CommandRefused, ConnectionLost, LimitExceeded, MessageGone
from webmail.mailbox import folder_list, sessions, sync
from webmail.mailbox.models import Folder

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
