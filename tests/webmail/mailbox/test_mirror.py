"""What the server said, written: repeated, interrupted, hostile."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.webmail.mailbox.conftest import START
from webmail.imap import BodyStructure, FetchedRow
from webmail.mailbox import facts, mirror, previews
from webmail.mailbox.models import Conversation, Message, Placement, Thread, ThreadKey
from webmail.mailbox.previews import TextPart

pytestmark = pytest.mark.django_db


def row(uid, subject="Hello", *, minutes=None, flags=("\\Seen",), **fields):
    head = {"From": "Ada <ada@example.org>", "To": "alice@example.test", "Subject": subject}
    head |= {"Message-ID": f"<{uid}@x>"}
    head |= {name.replace("_", "-").title(): value for name, value in fields.items()}
    header = "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n"
    at = START + timedelta(minutes=uid if minutes is None else minutes)
    return FetchedRow(uid, frozenset(flags), at, 100, header.encode(), None)


def write(owner, *rows, folder="inbox", is_new=False):
    return mirror.write_rows(owner.account, owner.folders[folder], rows, is_new=is_new)


def test_twice_is_once(alice):
    rows = [row(n) for n in range(1, 6)]
    assert len(write(alice, *rows)) == 5
    assert write(alice, *rows) == []
    assert (Message.objects.count(), Placement.objects.count()) == (5, 5)


def test_a_window_costs_no_query_a_row(alice):
    """What a window of 100 asks of the database is what one of 10 asks."""
    counted = []
    for rows in (range(1, 11), range(101, 201)):
        with CaptureQueriesContext(connection) as queries:
            write(alice, *(row(n, f"Letter {n}") for n in rows))
        counted.append(len(queries))
    assert counted[0] == counted[1] < 40


def test_a_window_of_an_older_generation_writes_nothing(alice):
    stale = alice.inbox
    mirror.begin_generation(alice.account, alice.inbox, uidvalidity=99)
    assert mirror.write_rows(alice.account, stale, [row(1)], is_new=False) == []
    assert not Placement.objects.exists()


def test_a_copy_in_another_folder_is_the_same_message(alice):
    write(alice, row(1))
    write(alice, row(1, minutes=1), folder="archive")
    assert (Message.objects.count(), Placement.objects.count()) == (1, 2)


def test_a_forged_copy_is_a_message_of_its_own(alice):
    write(alice, row(1), row(2, minutes=1, message_id="<1@x>"))
    assert Message.objects.count() == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_replies_and_parents_find_each_other(alice, order, together):
    rows = [
        row(1, "Plan"),
        row(2, "Re: Plan", in_reply_to="<1@x>"),
        row(3, "Re: Plan", references="<1@x> <2@x>"),
    ]
    for window in [[rows[n] for n in order]] if together else [[rows[n]] for n in order]:
        write(alice, *window)
    assert Thread.objects.count() == 1
    assert Conversation.objects.get().message_count == 3
    assert Message.objects.values("thread").distinct().count() == 1


def test_a_late_message_joins_two_threads(alice):
    write(alice, row(1, "A"))
    write(alice, row(2, "B"), row(3, "B", references="<2@x>"))
    write(alice, row(9, "Both", references="<1@x> <2@x>"))
    assert Thread.objects.count() == 1
    assert Conversation.objects.count() == 1
    assert set(ThreadKey.objects.values_list("thread_id", flat=True)) == {Thread.objects.get().pk}


@pytest.mark.parametrize(
    ("second", "threads"),
    [
        ({"subject": "Re: Plan"}, 1),
        ({"subject": "Plan"}, 2),
        ({"subject": "Re: Plan", "minutes": 60 * 24 * 40}, 2),
        ({"subject": "Re: Plan", "From": "eve@x", "To": "bob@x"}, 2),
        ({"subject": "Re: Plan", "references": "<elsewhere@x>"}, 2),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_subject_rule(alice, second, threads, together):
    fields = dict(second)
    rows = [row(1, "Plan"), row(2, fields.pop("subject"), **fields)]
    for window in [rows] if together else [[one] for one in rows]:
        write(alice, *window)
    assert Thread.objects.count() == threads


def test_hidden_subjects_never_join(alice):
    write(alice, row(1, "[...]"), row(2, "Re: [...]"))
    assert Thread.objects.count() == 2


def test_gone_is_hidden_at_once_and_deleted_after_the_grace(alice):
    write(alice, row(1), row(2))
    assert mirror.mark_gone(alice.account, alice.inbox, [1]) == 1
    alice.inbox.refresh_from_db()
    assert alice.inbox.total_count == 1
    assert mirror.purge_gone(alice.account.pk) == 0
    Placement.objects.filter(uid=1).update(gone_at=START)
    assert mirror.purge_gone(alice.account.pk) == 1
    assert (Message.objects.count(), Thread.objects.count()) == (1, 1)


def test_hostile_headers(alice):
    nasty = [
        row(1, "=?utf-8?q?=00=ff?=" + "x" * 5000),
        row(2, "\x00\ud7ff", references=" ".join(f"<{n}@x>" for n in range(3000))),
        row(3, minutes=-(10**6)),
    ]
    nasty[2] = FetchedRow(3, frozenset(), START, 2**40, b"\xff\xfe\x00garbage", None)
    assert len(write(alice, *nasty)) == 3
    for message in Message.objects.all():
        assert "\0" not in message.subject + message.from_name + message.from_address
        assert len(message.subject) <= 998
        assert len(message.references) <= facts.MOST_REFERENCES


@pytest.mark.parametrize(
    ("part", "beginning", "preview"),
    [
        (TextPart("1", "text/plain", "7bit", "utf-8"), b"Hi,\r\n\r\n> quoted\r\nnew words", "Hi, new words"),
        (TextPart("1", "text/plain", "quoted-printable", "utf-8"), b"Gr=C3=BC=C3=9Fe=\r\n an alle=C3", "Grüße an alle"),
        (TextPart("1", "text/plain", "base64", "iso-8859-1"), b"R3L8398=", "Grüßß"),
        (TextPart("1", "text/html", "7bit", "utf-8"), b"<style>x{}</style><p>One &amp; two</p>", "One & two"),
        (TextPart("1", "text/plain", "8bit", "no-such"), b"\xff\x00\xfe", None),
        (TextPart("1", "text/plain", "7bit", "utf-8"), b"--------\nhttps://example.org/a?b=c\nDone", "Done"),
    ],
)  # fmt: skip
def test_previews(part, beginning, preview):
    found = previews.preview_of(part, beginning)
    assert "\0" not in found
    assert preview is None or found == preview


def test_attachments_by_structure():
    def tree(*children):
        return BodyStructure("", "multipart/mixed", children=children)

    text = BodyStructure("1", "text/plain")
    cases = [
        (tree(text, BodyStructure("2", "application/pdf", filename="a.pdf")), True),
        (tree(text, BodyStructure("2", "text/plain", disposition="attachment")), True),
        (tree(text, BodyStructure("2", "application/pdf")), True),
        (tree(text, BodyStructure("2", "image/png")), True),
        (tree(text, BodyStructure("2", "message/delivery-status")), False),
        (tree(text, BodyStructure("2", "message/rfc822")), True),
        (tree(text, BodyStructure("2", "image/png", filename="a.png", content_id="x")), False),
        (
            tree(text, BodyStructure("2", "application/pkcs7-signature", filename="smime.p7s")),
            False,
        ),
        (text, False),
    ]
    for structure, has_attachment in cases:
        found = facts.read_row(FetchedRow(1, frozenset(), START, 1, b"", structure))
        assert found.has_attachment is has_attachment, structure
