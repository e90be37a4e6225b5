"""The synthetic mirror is what the mailbox itself would have made of the same messages."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import MailAccount
from webmail.demo.bench import synthetic
from webmail.mailbox import conversations, listing
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.models import Conversation, Flag, Message, Placement, Thread

pytestmark = pytest.mark.django_db

NEWEST = datetime(2026, 3, 1, 9, 30, 5, 123, tzinfo=UTC)


def _filled(messages: int = 200, block: int = synthetic.BLOCK):
    return synthetic.fill(
        address="reader@bench.example", password="a-long-password", messages=messages,
        newest_at=NEWEST, block=block,
    )  # fmt: skip


def _rows():
    return [
        tuple(values)
        for values in Conversation.objects.order_by("latest_at").values_list(
            "thread_id", "newest_id", "latest_at", "message_count", "unseen_count", "placed_count",
            "is_flagged", "has_attachment", "people", "subject", "preview", "seal", "is_locked",
            "is_answered",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "block", [synthetic.BLOCK, 32, 48], ids=["by the ORM", "copied", "copied with a rest"]
)
def test_200_messages_list_without_gaps(block):
    inbox = _filled(block=block)
    user = inbox.account.user
    assert inbox.account.state == MailAccount.State.PAUSED
    assert (inbox.exists, inbox.total_count, inbox.uidnext) == (200, 200, 201)
    assert user.check_password("a-long-password")
    pages, before = [], None
    while not pages or before:
        pages.append(listing.conversations(user, inbox, before=before, limit=30))
        before = Cursor.parse(pages[-1].older or "")
    rows = [each for page in pages for each in page.rows]
    assert len(rows) == Conversation.objects.count() == Thread.objects.count()
    assert len({each.id for each in rows}) == len(rows)
    assert sum(each.message_count for each in rows) == 200
    times = [each.latest_at for each in rows]
    assert times == sorted(times, reverse=True)
    assert times[0] == NEWEST.replace(microsecond=0)
    assert pages[0].total == len(rows)
    flags = Placement.objects.values_list("flags", flat=True)
    assert inbox.unseen_count == sum(not each & Flag.SEEN for each in flags)


@pytest.mark.parametrize("block", [synthetic.BLOCK, 48])
def test_rows_are_those_that_the_mailbox_builds(block):
    inbox = _filled(block=block)
    before = _rows()
    counts = (inbox.total_count, inbox.unseen_count, inbox.conversation_count)
    conversations.refresh(Thread.objects.values_list("pk", flat=True))
    inbox.refresh_from_db()
    assert _rows() == before
    assert (inbox.total_count, inbox.unseen_count, inbox.conversation_count) == counts
    assert inbox.conversation_count == len(before)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="copies are made inside SQLite alone")
def test_copies_are_messages_of_their_own():
    _filled(block=48)
    uids = sorted(Placement.objects.values_list("uid", flat=True))
    assert uids == list(range(1, 201))
    placements = list(Placement.objects.select_related("message"))
    assert all(each.internal_date == each.message.internal_date for each in placements)
    assert Message.objects.values("message_id").distinct().count() == 200
    assert len({each.internal_date for each in placements}) == 200
    by_uid = sorted(placements, key=lambda each: each.uid)
    times = [each.internal_date for each in by_uid]
    assert times == sorted(times)


def test_paging_back_at_copied_rows_repeats_none():
    inbox = _filled(block=32)
    user = inbox.account.user
    first = listing.conversations(user, inbox, limit=60)
    second = listing.conversations(user, inbox, before=Cursor.parse(first.older), limit=20)
    back = listing.conversations(user, inbox, after=Cursor.parse(second.newer), limit=60)
    assert [each.id for each in back.rows] == [each.id for each in first.rows]
