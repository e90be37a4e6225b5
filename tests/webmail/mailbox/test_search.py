"""Search: what people type, and what the index finds."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webmail.mailbox import listing, search_index, search_query
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.models import Flag, Message
from webmail.mailbox.search_query import Term


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("invoice", [Term("any", ("invoice",))]),
        ('"Quarterly report"', [Term("any", ("quarterly", "report"))]),
        ("from:ada@example.org", [Term("from", ("ada", "example", "org"))]),
        (
            'subject:"bud get" -draft',
            [Term("subject", ("bud", "get")), Term("any", ("draft",), True)],
        ),
        ("cc:bob", [Term("to", ("bob",))]),
        ("filename:plan.pdf", [Term("text", ("plan", "pdf"))]),
        ("Größe ÉTÉ", [Term("any", ("grosse",)), Term("any", ("ete",))]),
        ("wat:is", [Term("any", ("wat", "is"))]),
        ("is:nonsense", [Term("any", ("is", "nonsense"))]),
        ("before:tomorrow", [Term("any", ("before", "tomorrow"))]),
        ("before:2026-13-40", [Term("any", ("before", "2026", "13", "40"))]),
        ("* OR ) ' \" NEAR(", [Term("any", ("or",)), Term("any", ("near",))]),
        ("", []),
        ("-", []),
    ],
)
def test_words(typed, terms):
    assert search_query.parse(typed, zone=UTC).terms == terms


def test_filters():
    query = search_query.parse(
        "in:archive is:unread has:attachments before:2026-02 after:2025 larger:5M smaller:10kb",
        zone=UTC,
    )
    assert query.terms == []
    assert query.folder == "archive"
    assert query.claims == {"unread", "attachment"}
    assert query.before == datetime(2026, 2, 1, tzinfo=UTC)
    assert query.after == datetime(2025, 1, 1, tzinfo=UTC)
    assert (query.larger, query.smaller) == (5 << 20, 10 << 10)


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 3, 30)])
def test_a_day_begins_at_the_persons_midnight(day):
    """Also where the clocks were changed in between."""
    zone = ZoneInfo("Europe/Berlin")
    query = search_query.parse(f"after:{day}", zone=zone)
    hours = 1 if day.day == 28 else 2
    assert query.after == datetime(2026, 3, day.day, tzinfo=UTC) - timedelta(hours=hours)


@pytest.fixture
def filled(alice):
    placements = [
        alice.place(uid=1, minutes=0, subject="Budget for Größe", preview="numbers inside"),
        alice.place(uid=2, minutes=1, subject="Lunch", from_name="Bob", from_address="bob@example.net",
                    flags=Flag.SEEN, recipients={"to": [["Zoë", "zoe@example.org"]]}),
        alice.place(uid=3, minutes=2, subject="Budget again", has_attachment=True, size=9 << 20,
                    structure=[["2", "application/pdf", "base64", 1, "Plan.pdf", "attachment", "", ""]]),
        alice.place(folder="trash", uid=1, minutes=3, subject="Budget thrown away"),
        alice.place(folder="archive", uid=1, minutes=4, subject="Old", seal="ok", is_locked=True),
    ]  # fmt: skip
    alice.refresh(*placements)
    search_index.add(Message.objects.all())
    return alice


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("budget", ["Budget again", "Budget for Größe"]),
        ("bud", ["Budget again", "Budget for Größe"]),
        ("BUDGET grosse", ["Budget for Größe"]),
        ("budget -again", ["Budget for Größe"]),
        ("numbers", ["Budget for Größe"]),
        ("subject:numbers", []),
        ("from:bob", ["Lunch"]),
        ("from:bob@example.net", ["Lunch"]),
        ("to:zoe", ["Lunch"]),
        ("from:zoe", []),
        ("filename:plan.pdf", ["Budget again"]),
        ("budget in:trash", ["Budget thrown away"]),
        ("in:archive", ["Old"]),
        ("in:nowhere budget", []),
        ("is:unread budget", ["Budget again", "Budget for Größe"]),
        ("is:read", ["Lunch"]),
        ("has:attachment", ["Budget again"]),
        ("larger:5M", ["Budget again"]),
        ("is:signed", ["Old"]),
        ("is:encrypted", ["Old"]),
        ("is:altered", []),
        ("signetaccount1", []),
        ("signet", []),  # how the word begins that names the account in the index
        ("", ["Old", "Budget again", "Lunch", "Budget for Größe"]),
    ],
)  # fmt: skip
def test_finds(filled, typed, found):
    page = listing.search(filled.user, typed)
    assert [row.subject for row in page.rows] == found
    assert page.total == len(found)


@pytest.mark.django_db
def test_pending_flags_count(filled):
    place = filled.inbox.placements.get(uid=1)
    place.pending_add = Flag.SEEN
    place.save()
    rows = listing.search(filled.user, "is:unread").rows
    assert "Budget for Größe" not in [row.subject for row in rows]


@pytest.mark.django_db
def test_nobody_finds_the_mail_of_others(filled, mallory):
    assert listing.search(mallory.user, "budget").rows == ()
    assert listing.search(mallory.user, f"signetaccount{filled.account.pk}").rows == ()


@pytest.mark.django_db
def test_pages(alice):
    placements = [alice.place(uid=n + 1, minutes=n, subject=f"Word {n}") for n in range(60)]
    alice.refresh(*placements)
    search_index.add(Message.objects.all())
    first = listing.search(alice.user, "word")
    second = listing.search(alice.user, "word", before=Cursor.parse(first.older))
    assert [len(first.rows), len(second.rows), second.older, first.total] == [50, 10, None, 60]
    assert len({row.id for row in first.rows + second.rows}) == 60


@pytest.mark.django_db
def test_a_body_is_found_and_stays_when_headers_are_indexed_again(filled):
    message = Message.objects.get(subject="Lunch")
    search_index.add_body(message, "the pelican brief")
    search_index.add([message])
    assert [row.subject for row in listing.search(filled.user, "pelican").rows] == ["Lunch"]
    search_index.remove([message.pk])
    assert listing.search(filled.user, "pelican").rows == ()
