"""Moves land once, keep the message and undo, whatever is lost on the way to the server."""

import pytest

from tests.live.mailbox_rig import PROFILES, apply, ids, letter, lose_first_move, make_box, states
from webmail.imap import Credentials, Session
from webmail.imap.errors import ConnectionLost
from webmail.mailbox import intents, listing, sessions
from webmail.mailbox.models import Flag, Message, PendingChange

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
State = PendingChange.State


def test_a_move_lands_and_keeps_the_message(box):
    message = box.placements("inbox").get(uid=2).message
    Message.objects.filter(pk=message.pk).update(seal="ok")
    intents.archive(box.account.user, ids(box, "inbox", "Letter 1"))
    assert box.subjects("inbox") == ["Letter 0", "Letter 2", "Letter 3"]
    assert box.subjects("archive") == ["Letter 1"]
    apply(box)
    assert states() == {State.DONE}
    box.sync()
    assert box.placements("archive").get().message_id == message.pk
    assert box.subjects("inbox") == ["Letter 0", "Letter 2", "Letter 3"]
    assert Message.objects.count() == 4
    box.sweep()


def test_deleting_moves_to_trash_and_then_for_good(box):
    intents.trash(box.account.user, ids(box)[:2])
    apply(box)
    box.sync()
    assert box.subjects("trash") == ["Letter 0", "Letter 1"]
    intents.trash(box.account.user, ids(box, "trash", "Letter 0"))
    apply(box)
    box.sync()
    assert box.subjects("trash") == ["Letter 1"]
    box.sweep()
    with box.client() as client:
        client.select("Trash")
        assert len(client.uids(1)) == 1


def test_marks_of_others_are_not_expunged(new_box):
    box = new_box(without=PROFILES["no-uidplus"])
    box.append(*(letter(f"Letter {n}") for n in range(3)))
    box.sync()
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.store([3], add=["\\Deleted"])
    intents.archive(box.account.user, ids(box, "inbox", "Letter 0"))
    apply(box)
    box.sync()
    with box.client() as client:
        client.select("INBOX")
        assert 3 in client.uids(1)  # somebody else's
    assert "Letter 0" not in box.subjects("inbox")  # hidden here, whatever the server keeps
    assert box.subjects("archive") == ["Letter 0"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_move_whose_reply_was_lost_is_undone(full, monkeypatch, when):
    lose_first_move(monkeypatch, when=when)
    group = intents.archive(full.account.user, ids(full)[:2])
    apply(full)
    assert intents.undo(full.account.user, group)
    assert len(full.subjects("inbox")) == 4
    for _ in range(3):
        PendingChange.objects.filter(state="pending").update(next_try_at="2026-01-01T00:00Z")
        apply(full)
        full.sync()
    assert states() == {State.DONE}
    assert len(full.subjects("inbox")) == 4
    assert not full.subjects("archive")
    assert Message.objects.count() == 4
    full.sweep()


def test_an_archive_that_another_program_deleted_is_made_anew(pymap_server, valkey, settings):
    settings.UNDO_MOVE_SECONDS = 0
    box = make_box(pymap_server.endpoint(), Credentials("alice", pymap_server.users["alice"]))
    with box.client() as client:
        client.create("Archive")
    box.append(letter("Kept for good"))
    box.sync()
    with box.client() as client:
        client.delete_folder("Archive")
    sessions.close_kept()
    box.sync()
    assert box.folder("archive").gone_at is not None
    intents.archive(box.account.user, ids(box, "inbox", "Kept for good"))
    apply(box)
    assert states() == {State.DONE}
    for _ in range(2):
        box.sync()
    assert box.folder("archive").gone_at is None
    assert box.subjects("archive") == ["Kept for good"]
    assert "Kept for good" not in box.subjects("inbox")
    with box.client() as client:
        client.delete_folder("Archive")
    sessions.close_kept()


def test_what_joins_a_repeated_move_is_moved_although_its_message_id_is_in_the_target(
    box, monkeypatch
):
    """Senders choose Message-IDs: a mail in the target with the same one may be another."""
    box.append(letter("Older", message_id="same@example.org"), path="Archive")
    box.append(letter("Newer", message_id="same@example.org"))
    box.sync()
    lose_first_move(monkeypatch, when="before")
    intents.archive(box.account.user, ids(box)[:1])
    apply(box)
    intents.archive(box.account.user, ids(box, "inbox", "Newer"))
    PendingChange.objects.update(next_try_at="2026-01-01T00:00Z")
    apply(box)
    box.sync()
    assert states() == {State.DONE}
    assert sorted(box.subjects("archive")) == ["Letter 0", "Newer", "Older"]
    with box.client() as client:
        client.select("Archive")
        assert len(client.uids(1)) == 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_reply_to_a_move_makes_no_second_copy(box, monkeypatch, when):
    lose_first_move(monkeypatch, when=when)
    intents.archive(box.account.user, ids(box)[:2])
    apply(box)
    assert states() == {State.PENDING}
    PendingChange.objects.update(next_try_at="2026-01-01T00:00Z")
    apply(box)
    box.sync()
    assert states() == {State.DONE}
    assert box.subjects("archive") == ["Letter 0", "Letter 1"]
    assert len(box.subjects("inbox")) == 2
    assert Message.objects.count() == 4
    box.sweep()


def test_a_reply_lost_after_the_copy_only(new_box, monkeypatch):
    box = new_box(without={"MOVE"})
    box.append(letter("Once"), letter("Other"))
    box.sync()
    store = Session.store
    lost = []

    def lose(session, uids, add=(), remove=()):
        if not lost and "\\Deleted" in add:
            lost.append(True)
            session.abandon()
            raise ConnectionLost("The connection was cut.")
        return store(session, uids, add=add, remove=remove)

    def copy_then_mark(session, uids, target):  # as webmail.imap.changing does without MOVE
        mapping = session.copy(uids, target)
        session.store(uids, add=["\\Deleted"])
        session.expunge(uids)
        return mapping

    monkeypatch.setattr(Session, "store", lose)
    monkeypatch.setattr(Session, "move", copy_then_mark)
    intents.archive(box.account.user, ids(box, "inbox", "Once"))
    apply(box)
    PendingChange.objects.update(next_try_at="2026-01-01T00:00Z")
    apply(box)
    box.sync()
    assert box.subjects("archive") == ["Once"]
    assert box.subjects("inbox") == ["Other"]
    box.sweep()


def test_an_archive_is_made_when_there_is_none(pymap_server, valkey, settings):
    settings.UNDO_MOVE_SECONDS = 0
    box = make_box(pymap_server.endpoint(), Credentials("bob", pymap_server.users["bob"]))
    box.append(*(letter(f"Letter {n}") for n in range(3)))
    box.sync()
    user = box.account.user
    intents.archive(user, ids(box)[:1])
    intents.change_flags(user, ids(box)[-1:], add=int(Flag.FLAGGED))
    intents.trash(user, ids(box)[:1])
    apply(box)
    box.sync()
    assert states() == {State.DONE}
    assert box.subjects("archive") == ["Letter 0"]
    assert box.subjects("trash") == ["Letter 1"]
    assert box.subjects("inbox") == ["Letter 2"]
    assert {item.url_name for item in listing.folders(user)} == {"inbox", "archive", "trash"}
    box.sweep()
    sessions.close_kept()
