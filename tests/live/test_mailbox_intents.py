"""What people do with their mail arrives on the server; what others do there meanwhile wins or merges."""

import pytest

from tests.live.mailbox_rig import apply, ids, letter, states
from webmail.imap import Session
from webmail.imap.errors import CommandRefused, ResponseCode
from webmail.imap.folders import Selected
from webmail.mailbox import filing, intents, sessions, telling
from webmail.mailbox.models import Blob, Flag, Folder, Message, PendingChange, Placement

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
State = PendingChange.State


def test_flags_are_shown_at_once_and_stored_as_deltas(box):
    user = box.account.user
    intents.change_flags(user, ids(box), add=int(Flag.SEEN))
    intents.change_flags(user, ids(box)[:1], add=int(Flag.FLAGGED), remove=int(Flag.SEEN))
    assert box.folder("inbox").unseen_count == 1
    with box.client() as client:  # another device stars meanwhile
        client.select("INBOX", readonly=False)
        client.store([2], add=["\\Flagged"])
    apply(box)
    assert states() == {State.DONE}
    box.sync()
    box.sweep()
    flags = dict(box.placements("inbox").values_list("uid", "flags"))
    assert flags == {1: 4, 2: 5, 3: 1, 4: 1}
    assert not Placement.objects.exclude(pending_add=0, pending_remove=0).exists()


def test_news_from_the_server_do_not_flicker_what_is_pending(box):
    intents.change_flags(box.account.user, ids(box)[:1], add=int(Flag.SEEN))
    with box.client() as client:
        client.select("INBOX", readonly=False)
        client.store([1], add=["\\Flagged"])
    box.sync()
    place = box.placements("inbox").get(uid=1)
    assert place.flags == Flag.FLAGGED
    assert place.shown_flags == Flag.FLAGGED | Flag.SEEN
    assert box.folder("inbox").unseen_count == 3


def test_undo_in_time_sends_nothing(full, settings):
    settings.UNDO_MOVE_SECONDS = 7
    group = intents.trash(full.account.user, ids(full)[:3])
    assert len(full.subjects("inbox")) == 1
    apply(full)
    assert states() == {State.PENDING}
    assert intents.undo(full.account.user, group)
    assert states() == {State.CANCELLED}
    assert len(full.subjects("inbox")) == 4
    assert not full.subjects("trash")
    full.sync()
    full.sweep()
    assert not intents.undo(full.account.user, group)


def test_undo_too_late_asks_for_the_opposite(box):
    user = box.account.user
    moved = intents.archive(user, ids(box)[:2])
    marked = intents.change_flags(user, ids(box)[-1:], add=int(Flag.FLAGGED))
    apply(box)
    box.sync()
    assert intents.undo(user, moved)
    assert intents.undo(user, marked)
    assert len(box.subjects("inbox")) == 4
    apply(box)
    box.sync()
    apply(box)
    box.sync()
    assert len(box.subjects("inbox")) == 4
    assert not box.subjects("archive")
    assert Message.objects.count() == 4
    box.sweep()


def test_a_chain_on_one_message_keeps_its_order(box):
    user = box.account.user
    intents.change_flags(user, ids(box)[:1], add=int(Flag.SEEN))
    intents.archive(user, ids(box)[:1])
    intents.change_flags(user, ids(box, "archive"), add=int(Flag.FLAGGED))
    intents.move(user, ids(box, "archive"), target=box.folder("trash"))
    for _ in range(3):
        PendingChange.objects.filter(state="pending").update(next_try_at="2026-01-01T00:00Z")
        apply(box)
        box.sync()
    assert states() == {State.DONE}
    place = box.placements("trash").get()
    assert place.flags == Flag.SEEN | Flag.FLAGGED
    assert not box.subjects("archive")
    assert Message.objects.count() == 4
    box.sweep()


def test_a_wish_for_a_message_that_is_gone(full):
    user = full.account.user
    with full.client() as client:
        client.select("INBOX", readonly=False)
        client.store([1, 2], add=["\\Deleted"])
        client.expunge([1, 2])
    intents.change_flags(user, ids(full)[:1], add=int(Flag.SEEN))
    intents.archive(user, ids(full)[1:2])
    full.sync()
    apply(full)
    assert set(PendingChange.objects.values_list("operation", "state")) == {
        ("flags", State.DONE), ("move", State.CONFLICT),
    }  # fmt: skip
    assert not full.subjects("archive")
    full.sweep()


def test_a_refusal_takes_itself_back_and_tells(full, monkeypatch):
    told = []
    monkeypatch.setattr(
        telling, "announce", lambda account, **event: told.append((event["kind"], event["words"]))
    )

    def refuse(*_args):
        raise CommandRefused(
            command="UID MOVE", is_bad=False, code=ResponseCode.OVERQUOTA, text="Quota exceeded"
        )

    monkeypatch.setattr(Session, "move", refuse)
    intents.archive(full.account.user, ids(full)[:2])
    apply(full)
    assert states() == {State.FAILED}
    assert len(full.subjects("inbox")) == 4
    assert not full.subjects("archive")
    ((kind, words),) = told
    assert kind == "toast"
    assert words == (
        "2 messages could not be moved and are back in their place. The mailbox is full."
    )


def test_a_renumbered_folder_is_not_touched_by_old_uids(full, mail_servers):
    user = full.account.user
    mail_servers.dovecot.doveadm(
        "mailbox", "update", "-u", full.secret.username, "--uid-validity", "4242", "INBOX"
    )
    intents.trash(user, ids(full, "inbox", "Letter 2"))
    apply(full)
    assert states() == {State.PENDING}
    full.sync()
    PendingChange.objects.update(next_try_at="2026-01-01T00:00Z")
    apply(full)
    full.sync()
    assert full.subjects("trash") == ["Letter 2"]
    assert full.subjects("inbox") == ["Letter 0", "Letter 1", "Letter 3"]
    full.sweep()


def test_junk_and_back(box):
    user = box.account.user
    intents.junk(user, ids(box)[:1], is_junk=True)
    apply(box)
    box.sync()
    place = box.placements("junk").get()
    assert place.flags & Flag.JUNK
    intents.junk(user, [place.pk], is_junk=False)
    apply(box)
    box.sync()
    place = box.placements("inbox").get(message__subject="Letter 0")
    assert not place.flags & Flag.JUNK
    assert place.flags & Flag.NOT_JUNK
    box.sweep()


def test_junk_taken_back_in_time_and_too_late(full, settings):
    user = full.account.user
    settings.UNDO_MOVE_SECONDS = 60
    group = intents.junk(user, ids(full)[:1], is_junk=True)
    assert full.placements("junk").get().shown_flags & Flag.JUNK  # at once
    assert intents.undo(user, group)
    assert full.placements("inbox").filter(pending_add=0, pending_remove=0).count() == 4
    settings.UNDO_MOVE_SECONDS = 0
    group = intents.junk(user, ids(full)[:1], is_junk=True)
    apply(full)
    full.sync()
    assert intents.undo(user, group)
    assert full.subjects("inbox")[0] == "Letter 0"  # at once
    apply(full)
    full.sync()
    place = full.placements("inbox").get(message__subject="Letter 0")
    assert place.flags == 0
    full.sweep()


def test_a_server_that_keeps_no_keywords_gets_the_move_alone(full, monkeypatch):
    monkeypatch.setattr(Selected, "keeps", lambda _self, flag: flag.startswith("\\"))
    intents.junk(full.account.user, ids(full)[:1], is_junk=True)
    apply(full)
    assert states() == {State.DONE}
    full.sync()
    assert full.placements("junk").get().shown_flags == 0
    full.sweep()


def test_many_marks_are_one_command(full, monkeypatch):
    stores = []
    store = Session.store
    monkeypatch.setattr(
        Session,
        "store",
        lambda s, uids, **flags: (stores.append(list(uids)), store(s, uids, **flags)),
    )
    for pk in ids(full):
        intents.change_flags(full.account.user, [pk], add=int(Flag.SEEN))
    apply(full)
    assert stores == [[1, 2, 3, 4]]


def test_filing_once(full):
    mail = letter("A copy", message_id="sent@x")
    first = filing.append_now(full.account, "sent", mail, flags=Flag.SEEN, message_id="sent@x")
    again = filing.append_now(full.account, "sent", mail, flags=Flag.SEEN, message_id="sent@x")
    assert first == again
    intents.append(
        full.account, folder_role=Folder.Role.DRAFTS, content=letter("Draft", message_id="d@x"),
        flags=int(Flag.DRAFT), message_id="d@x",
    )  # fmt: skip
    apply(full)
    full.sync()
    assert full.subjects("sent") == ["A copy"]
    assert full.placements("drafts").get().flags == Flag.DRAFT
    assert not Blob.objects.exists()


def test_a_server_that_is_away_keeps_the_wish(full, monkeypatch):
    from webmail.imap import ConnectFailed

    def away(*_args, **_more):
        raise ConnectFailed("The mail server does not answer.")

    sessions.close_kept()
    monkeypatch.setattr(Session, "open", away)
    intents.change_flags(full.account.user, ids(full)[:1], add=int(Flag.SEEN))
    apply(full)
    assert states() == {State.PENDING}
    assert full.folder("inbox").unseen_count == 3
    full.account.refresh_from_db()
    assert full.account.state == "unreachable"
    monkeypatch.undo()
    apply(full)
    assert states() == {State.DONE}
