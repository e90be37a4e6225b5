"""Lists: order, pages without gaps, one range scan, nothing of other people."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import Http404

from tests.webmail.mailbox.conftest import START
from webmail.mailbox import access, listing
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.models import Conversation, Flag, Thread

pytestmark = pytest.mark.django_db


def _fill(owner, count, **fields):
    placements = [owner.place(uid=n + 1, minutes=n, **fields) for n in range(count)]
    owner.refresh(*placements)
    return placements


def _walk(owner, step, **options):
    pages, before = [], None
    while True:
        page = listing.conversations(owner.user, owner.inbox, before=before, limit=step, **options)
        pages.append(page)
        if page.older is None:
            return pages
        before = Cursor.parse(page.older)


def test_pages_cover_the_folder_once_newest_first(alice):
    _fill(alice, 23)
    subjects = [row.subject for page in _walk(alice, 5) for row in page.rows]
    assert subjects == [f"Letter {n}" for n in reversed(range(23))]


def test_equal_times_are_neither_skipped_nor_repeated(alice):
    placements = [alice.place(uid=n + 1, minutes=7) for n in range(11)]
    alice.refresh(*placements)
    ids = [row.id for page in _walk(alice, 3) for row in page.rows]
    assert len(ids) == len(set(ids)) == 11


def test_back_gives_the_page_before(alice):
    _fill(alice, 23)
    first, second, third = _walk(alice, 5)[:3]
    back = listing.conversations(alice.user, alice.inbox, after=Cursor.parse(third.newer), limit=5)
    assert [row.id for row in back.rows] == [row.id for row in second.rows]
    assert back.newer is not None
    front = listing.conversations(alice.user, alice.inbox, after=Cursor.parse(back.newer), limit=5)
    assert [row.id for row in front.rows] == [row.id for row in first.rows]
    assert front.newer is None
    assert first.newer is None


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("all", ["Letter 3", "Letter 2", "Letter 1", "Letter 0"]),
        ("unread", ["Letter 2", "Letter 0"]),
        ("starred", ["Letter 3"]),
        ("attachments", ["Letter 1"]),
    ],
)
def test_only(alice, only, expected):
    placements = [
        alice.place(uid=1, minutes=0),
        alice.place(uid=2, minutes=1, flags=Flag.SEEN, has_attachment=True),
        alice.place(uid=3, minutes=2),
        alice.place(uid=4, minutes=3, flags=Flag.SEEN | Flag.FLAGGED),
    ]
    alice.refresh(*placements)
    page = listing.conversations(alice.user, alice.inbox, only=only)
    assert [row.subject for row in page.rows] == expected


def test_a_page_is_one_query_and_the_sidebar_another(alice, django_assert_num_queries):
    _fill(alice, 60)
    folder = listing.folder_by_name(alice.user, "inbox")
    with django_assert_num_queries(2):
        listing.folders(alice.user)
        page = listing.conversations(alice.user, folder)
    assert len(page.rows) == 50


@pytest.mark.parametrize("only", ["all", "unread", "starred", "attachments"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_page_is_an_index_range_scan(alice, only, deep):
    _fill(alice, 3)
    rows = listing._only(Conversation.objects.filter(folder=alice.inbox), only)
    place = Cursor(START + timedelta(minutes=2), 10**6) if deep else None
    plan = listing._older(rows, place).values_list("id", "subject")[:51].explain()
    if connection.vendor == "sqlite":
        assert "SEARCH" in plan
        assert "USING INDEX conversation_" in plan
        assert "TEMP B-TREE" not in plan
        assert not deep or "latest_at<" in plan
    else:
        assert "Sort" not in plan


def test_conversation_of_three(alice):
    thread = Thread.objects.create(account=alice.account, last_date=START)
    placements = [
        alice.place(uid=1, minutes=0, thread=thread, flags=Flag.SEEN),
        alice.place(
            folder="sent", uid=1, minutes=1, thread=thread, flags=Flag.SEEN,
            from_name="Alice", from_address="alice@example.test",
            recipients={"to": [["Ada Lovelace", "ada@example.org"]]},
        ),
        alice.place(uid=2, minutes=2, thread=thread, subject="Re: Letter", from_name="Bob Jones",
                    from_address="bob@example.org"),
    ]  # fmt: skip
    alice.refresh(*placements)
    (row,) = listing.conversations(alice.user, alice.inbox).rows
    assert (row.people, row.message_count, row.is_unread) == ("Ada, me, Bob", 3, True)
    assert row.subject == "Re: Letter"
    (sent,) = listing.conversations(alice.user, alice.folders["sent"]).rows
    assert sent.people == "To Ada Lovelace"
    assert [one.message.subject for one in listing.thread_messages(alice.user, placements[0].message)] == [
        "Letter 0", "Letter 1", "Re: Letter",
    ]  # fmt: skip
    assert (alice.inbox.unseen_count, alice.inbox.total_count) == (1, 2)


def test_counters_follow_and_row_ids_stay(alice):
    placements = _fill(alice, 4)
    (before,) = listing.conversations(alice.user, alice.inbox, limit=1).rows
    placements[3].pending_add = Flag.SEEN
    placements[3].save()
    placements[0].is_leaving = True
    placements[0].save()
    alice.refresh(*placements)
    assert (alice.inbox.unseen_count, alice.inbox.total_count) == (2, 3)
    (after,) = listing.conversations(alice.user, alice.inbox, limit=1).rows
    assert after.id == before.id
    assert not after.is_unread


def test_neighbours(alice):
    _fill(alice, 3)
    middle = Conversation.objects.order_by("latest_at")[1]
    found = listing.neighbours(alice.user, alice.inbox, middle.thread_id)
    newest, oldest = Conversation.objects.order_by("-latest_at")[::2]
    assert found == (middle.pk, newest.newest_id, oldest.newest_id, 2, 3)
    assert listing.neighbours(alice.user, alice.inbox, 0) is None


def test_neighbours_of_one_moment_and_at_the_ends(alice, django_assert_num_queries):
    """Rows of one moment stand by their ids; the first and the last have one neighbour."""
    alice.refresh(*(alice.place(uid=uid, minutes=7) for uid in range(1, 5)))
    rows = list(Conversation.objects.order_by("-latest_at", "-id"))
    assert alice.inbox.account.user_id == alice.user.pk  # loaded, as by folder_by_name
    with django_assert_num_queries(len(rows)):
        found = [listing.neighbours(alice.user, alice.inbox, row.thread_id) for row in rows]
    assert [one.conversation_id for one in found] == [row.pk for row in rows]
    ids = [row.newest_id for row in rows]
    assert [one.newer_id for one in found] == [None, *ids[:-1]]
    assert [one.older_id for one in found] == [*ids[1:], None]
    assert [one.position for one in found] == [1, 2, 3, 4]


def test_nothing_of_others(alice, mallory):
    (placement,) = _fill(alice, 1)
    conversation = Conversation.objects.get()
    reach = {
        access.folder_for: alice.inbox.pk,
        access.message_for: placement.message_id,
        listing.folder_by_name: str(alice.inbox.pk),
    }
    for get, pk in reach.items():
        assert get(alice.user, pk)
        with pytest.raises(Http404):
            get(mallory.user, pk)
    with pytest.raises(PermissionError):
        listing.conversations(mallory.user, alice.inbox)
    with pytest.raises(PermissionError):
        listing.neighbours(mallory.user, alice.inbox, placement.message.thread_id)
    assert listing.thread_messages(mallory.user, placement.message) == ()
    for kind, pk in (("conversation", conversation.pk), ("message", placement.message_id)):
        assert listing.placement_ids_of(alice.user, kind=kind, ids=[pk]) == [placement.pk]
        assert listing.placement_ids_of(mallory.user, kind=kind, ids=[pk]) == []


@pytest.mark.parametrize(
    "text",
    ["", ".", "1", "1.", ".1", "x.1", "1.-1", "1.9223372036854775808", "9" * 30 + ".1", "١.1"],
)
def test_typed_cursors_are_refused_without_an_error(text):
    assert Cursor.parse(text) is None


@pytest.mark.parametrize("microseconds", [-1, 0, 1, 1_767_268_800_123_456])
def test_cursor_round_trip(microseconds):
    at = START.replace(year=1970, month=1, day=1, hour=0) + timedelta(microseconds=microseconds)
    assert Cursor.parse(str(Cursor(at, 7))) == Cursor(at, 7)


def test_folders_in_the_order_of_the_sidebar(alice):
    names = [item.url_name for item in listing.folders(alice.user)]
    assert names == ["inbox", "drafts", "sent", "archive", "junk", "trash"]
