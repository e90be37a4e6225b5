"""Rows written past the ORM are the rows that the ORM would have written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from webmail.mailbox import bulk
from webmail.mailbox.models import Conversation, Message, Placement, Thread

pytestmark = pytest.mark.django_db
TOKYO = timezone(timedelta(hours=9))
TIMES = [
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=TOKYO),
    datetime(1970, 1, 1, tzinfo=TOKYO),
]


def stored(table: str) -> list[tuple]:
    """The rows as the database holds them, without their ids."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}" ORDER BY id')
        return [row[1:] for row in cursor.fetchall()]


@pytest.mark.parametrize("at", TIMES)
def test_a_row_is_what_the_orm_writes(alice, at):
    thread = Thread.objects.create(account=alice.account, last_date=at)
    fields = {
        "account_id": alice.account.pk, "thread_id": thread.pk, "message_id": "1@x",
        "content_key": "k", "subject": 'Tab\t\\N "Ünïcode" \N{PILE OF POO}',
        "recipients": {"to": [["Bo\\", "bo@x"]]}, "references": ["a@b"], "date": None,
        "internal_date": at, "size": 2**40, "structure": [["1", "text/plain", None, 3]],
        "first_seen_at": at, "has_attachment": True,
    }  # fmt: skip
    Message.objects.create(**fields)
    bulk.insert(Message, list(fields), [list(fields.values())])
    first, second = stored(Message._meta.db_table)
    assert first == second
    assert Message.objects.filter(internal_date=at, recipients=fields["recipients"]).count() == 2


def test_reserved_ids_are_free_and_stay_reserved(alice):
    before = Thread.objects.create(account=alice.account, last_date=TIMES[0]).pk
    ids = bulk.reserve_ids(Thread, 3)
    assert ids == sorted(ids) and ids[0] > before
    bulk.insert(
        Thread,
        ["id", "account_id", "last_date"],
        [(pk, alice.account.pk, TIMES[0]) for pk in ids],
    )
    assert Thread.objects.create(account=alice.account, last_date=TIMES[0]).pk > ids[-1]
    assert bulk.reserve_ids(Thread, 0) == []


def test_update_sets_what_it_names_alone(alice):
    placed = [alice.place(uid=uid, minutes=uid) for uid in (1, 2)]
    bulk.update(
        Placement,
        ["keywords", "internal_date", "gone_at"],
        [(placed[0].pk, [["$Label"], TIMES[1], None])],
    )
    changed, other = Placement.objects.order_by("uid")
    assert (changed.keywords, changed.internal_date, changed.uid) == (["$Label"], TIMES[1], 1)
    assert other.internal_date == placed[1].internal_date


def test_nothing_is_nothing(alice):
    bulk.insert(Conversation, ["folder_id"], [])
    bulk.update(Conversation, ["subject"], [])
    assert not Conversation.objects.exists()
