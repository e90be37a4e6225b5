"""The mirror against Dovecot with all its extensions, without some, and against pymap."""

import itertools

import pytest

from accounts.models import MailAccount
from tests.live.mailbox_rig import letter, make_box
from webmail.mailbox import listing, mirror, sessions, sync
from webmail.mailbox.models import Conversation, Flag, Folder, Message, Placement, Thread

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

PROFILES = {
    "full": set(),
    "no-qresync": {"QRESYNC"},
    "no-condstore": {"QRESYNC", "CONDSTORE"},
    "poor": {"QRESYNC", "CONDSTORE", "ESEARCH", "LIST-STATUS", "SPECIAL-USE", "MOVE", "UIDPLUS"},
}
_names = itertools.count(1)


@pytest.fixture(params=PROFILES)
def box(request, mail_servers, valkey):
    user = mail_servers.add_user(f"mirror{next(_names)}")
    made = make_box(
        mail_servers.dovecot.endpoint(), user.credentials, without=PROFILES[request.param]
    )
    yield made
    sessions.close_kept()


@pytest.fixture
def full(mail_servers, valkey):
    user = mail_servers.add_user(f"mirror{next(_names)}")
    yield make_box(mail_servers.dovecot.endpoint(), user.credentials)
    sessions.close_kept()


def test_a_mailbox_comes_in(box):
    box.append(*(letter(f"Letter {n}", body=f"Words of {n}") for n in range(60)))
    sync.first_paint(box.account.pk)
    page = listing.conversations(box.account.user, box.folder("inbox"))
    assert [row.subject for row in page.rows] == [f"Letter {n}" for n in reversed(range(10, 60))]
    assert page.rows[0].preview == "Words of 59"
    assert page.rows[0].people == "Ada Lovelace"
    box.sync()
    assert box.folder("inbox").is_backfilled
    assert len(box.subjects("inbox")) == 60
    box.sweep()
    roles = set(Folder.objects.values_list("role", flat=True))
    assert {"inbox", "drafts", "sent", "trash", "junk", "archive"} <= roles
    box.account.refresh_from_db()
    assert box.account.state == MailAccount.State.ACTIVE
    assert "Dovecot" in box.account.server_software


def test_arrivals_flags_and_removals_of_another_client(box):
    uids = box.append(*(letter(f"Letter {n}") for n in range(8)))
    box.sync()
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.store(uids[:2], add=["\\Seen", "\\Flagged"])
        client.store([uids[3]], add=["\\Deleted"])
        client.expunge([uids[3]])
        client.append("INBOX", letter("Late"), flags=["\\Answered"])
    box.sync()
    box.sweep()
    assert "Late" in box.subjects("inbox")
    assert "Letter 3" not in box.subjects("inbox")
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.store(uids[:1], remove=["\\Flagged"])
    box.sync()
    box.sweep()


def test_many_removals_are_found(box):
    uids = box.append(*(letter(f"Letter {n}") for n in range(40)))
    box.sync()
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.store(uids[5:30:3], add=["\\Deleted"])
        client.expunge(uids[5:30:3])
    box.sync()
    box.sweep()


def test_a_move_by_another_client_keeps_the_message(box):
    (uid, _other) = box.append(letter("Stays the same"), letter("Other"))
    box.sync()
    before = box.placements("inbox").get(uid=uid).message
    Message.objects.filter(pk=before.pk).update(seal="ok")
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.move([uid], "Archive")
    box.sync()
    moved = box.placements("archive").get()
    assert moved.message_id == before.pk
    assert moved.message.seal == "ok"
    assert box.subjects("inbox") == ["Other"]
    Placement.objects.filter(gone_at__isnull=False).update(gone_at="2026-01-01T00:00Z")
    mirror.purge_gone(box.account.pk)
    assert Placement.objects.filter(message=before).count() == 1
    box.sweep()


def test_renumbered_folder_is_recognised(full, mail_servers):
    full.append(*(letter(f"Letter {n}") for n in range(70)))
    full.sync()
    ids = set(full.placements("inbox").values_list("message_id", flat=True))
    rows = set(Conversation.objects.values_list("id", flat=True))
    mail_servers.dovecot.doveadm(
        "mailbox", "update", "-u", full.secret.username, "--uid-validity", "77777", "INBOX"
    )
    full.append(letter("After"), hours=5)
    full.sync()
    inbox = full.folder("inbox")
    assert inbox.uidvalidity == 77777
    assert inbox.is_backfilled
    after = full.placements("inbox")
    assert after.count() == 71
    assert ids < set(after.values_list("message_id", flat=True))
    assert rows < set(Conversation.objects.values_list("id", flat=True))
    assert not Placement.objects.filter(folder=inbox, generation__lt=inbox.generation).exists()
    full.sweep()


def test_a_quiet_mailbox_costs_two_commands(full, monkeypatch):
    full.append(*(letter(f"Letter {n}") for n in range(5)))
    full.sync()
    full.sync()
    sent = []
    note = sessions.note_success
    monkeypatch.setattr(
        sessions,
        "note_success",
        lambda account, session: (sent.append(session.commands_sent), note(account, session)),
    )
    full.sync()
    full.sync()
    assert sent[1] - sent[0] == 2  # NOOP, and LIST with counters


def test_threads_whichever_order_they_arrive(box):
    box.append(
        letter("Re: Plan", message_id="c@x", references="<a@x> <b@x>"),
        letter("Something else", message_id="z@x"),
    )
    box.sync()
    box.append(letter("Plan", message_id="a@x"), hours=1)
    box.append(letter("Re: Plan", message_id="b@x", in_reply_to="<a@x>"), path="Sent", hours=2)
    box.sync()
    assert Thread.objects.count() == 2
    page = listing.conversations(box.account.user, box.folder("inbox"))
    assert sorted(row.message_count for row in page.rows) == [1, 3]


def test_two_mails_with_one_message_id_are_both_shown(full):
    full.append(letter("Invoice", message_id="same@x", body="genuine"))
    full.append(letter("Invoice", message_id="same@x", body="forged!"))
    full.sync()
    assert Message.objects.count() == 2
    assert len(listing.thread_messages(full.account.user, Message.objects.first())) == 2


def test_a_woken_folder_is_visited_between_backfill_windows(full, monkeypatch):
    full.append(*(letter(f"Letter {n}") for n in range(130)))
    sync.first_paint(full.account.pk)
    window = sync._Below.window
    monkeypatch.setattr(
        sync._Below,
        "window",
        lambda self, folder, session, _size: window(self, folder, session, 10),
    )
    arrived = []
    write = mirror.write_rows

    def watch(account, folder, rows, *, is_new):
        if folder.role == "inbox" and not is_new and not arrived:
            full.append(letter("Urgent"), hours=9)
            sync.wake(Folder.objects.filter(pk=folder.pk))
            arrived.append(None)
        if is_new:
            arrived.append(folder.window_low_uid)
        return write(account, folder, rows, is_new=is_new)

    monkeypatch.setattr(mirror, "write_rows", watch)
    full.sync()
    assert arrived[1] > 1  # long before the backfill ended
    assert full.folder("inbox").synced_seq == full.folder("inbox").wake_seq == 1
    full.sweep()


def test_a_changed_password_stops_the_trying(full, mail_servers):
    full.sync()
    sessions.close_kept()
    mail_servers.add_user(full.secret.username.partition("@")[0], "another")
    for _ in range(sessions.MOST_AUTH_FAILURES):
        sync.sync_account(full.account.pk)
    full.account.refresh_from_db()
    assert full.account.state == MailAccount.State.AUTH_FAILED
    assert full.account.last_error
    with pytest.raises(sessions.AccountUnusable):
        sessions.connect(full.account)


def test_pymap(pymap_server, valkey):
    from webmail.sasl import Credentials

    box = make_box(pymap_server.endpoint(), Credentials("alice", pymap_server.users["alice"]))
    uids = box.append(*(letter(f"Letter {n}", body=f"Words {n}") for n in range(55)))
    sync.first_paint(box.account.pk)
    page = listing.conversations(box.account.user, box.folder("inbox"))
    assert len(page.rows) == 50
    assert page.rows[0].preview == "Words 54"
    box.sync()
    with box.client() as client:
        client.create("Sent")
        client.create("Ablage")
        client.select("INBOX", readonly=False)
        client.store(uids[:3], add=["\\Seen"])
        client.move([uids[5]], "Ablage")
        client.append("INBOX", letter("Late"))
    box.sync()
    box.sweep()
    assert box.folder("sent").path == "Sent"
    assert Message.objects.count() == 56
    assert Placement.objects.filter(flags=Flag.SEEN).count() == 3
    sessions.close_kept()
