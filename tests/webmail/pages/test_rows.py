from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from webmail.mailbox.listing import ConversationRow
from webmail.pages import rows, times

NOW = datetime(2026, 11, 25, 9, 41, tzinfo=UTC)  # a Wednesday


def conversation(**values):
    standing = {
        "id": 7,
        "thread_id": 3,
        "message_id": 70,
        "people": "Anna Lindqvist",
        "message_count": 1,
        "subject": "Framework agreement",
        "preview": "Attached is the version",
        "latest_at": NOW - timedelta(minutes=29),
        "is_unread": False,
        "is_flagged": False,
        "has_attachment": False,
        "seal": "",
        "seal_flag": "",
        "is_locked": False,
        "is_answered": False,
    }
    return ConversationRow(**{**standing, **values})


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW, "09:41"),
        (NOW - timedelta(hours=9), "00:41"),
        (NOW - timedelta(hours=10), "Tue"),
        (NOW - timedelta(days=6), "Thu"),
        (NOW - timedelta(days=7), "18 Nov"),
        (NOW + timedelta(days=2), "27 Nov 2026"),  # a Date in the future is spelled out
        (datetime(2024, 11, 12, tzinfo=UTC), "12 Nov 2024"),
    ],
)
def test_short_times(at, words):
    with timezone.override("UTC"):
        assert times.short(at, now=NOW) == words


def test_times_are_the_persons_own():
    with timezone.override("Pacific/Auckland"):
        assert times.short(NOW, now=NOW) == "22:41"
        assert times.exact(NOW) == "Wednesday, 25 November 2026, 22:41"
        assert times.long(NOW, now=NOW) == "Today 22:41"


def test_the_name_read_aloud_has_the_order_of_the_design():
    row = conversation(
        is_unread=True, seal="warn", seal_flag="Check sender", is_locked=True, has_attachment=True
    )
    name = "unread, Check sender, Anna Lindqvist, Framework agreement, 09:12, encrypted, attachment"
    assert f'aria-label="{name}"' in rows.row_html(row, url="/message/70", now=NOW)


def test_signed_is_said_only_of_a_whole_seal():
    assert ", signed" in rows.row_html(conversation(seal="ok"), url="/", now=NOW)
    assert ", signed" not in rows.row_html(conversation(seal="unknown"), url="/", now=NOW)


@pytest.mark.parametrize(
    ("seal", "drawn"),
    [("ok", True), ("warn", True), ("bad", True), ("unknown", True), ("none", False), ("", False)],
)
def test_the_list_draws_a_seal_only_after_a_verdict(seal, drawn):
    assert (f"seal-{seal}" in rows.glyphs(is_locked=False, seal=seal)) is drawn


def test_glyphs_stand_in_one_order_whatever_is_there():
    drawn = rows.glyphs(is_locked=True, seal="ok", has_attachment=True, is_flagged=True)
    places = [drawn.index(name) for name in ("#lock", "#seal-ok", "#paperclip", "#star-full")]
    assert places == sorted(places)


def test_a_flag_word_stands_only_beside_warn_and_bad():
    named = conversation(seal="ok", seal_flag="Altered")
    assert 'class="flag' not in rows.row_html(named, url="/", now=NOW)
    bad = conversation(seal="bad", seal_flag="Altered")
    assert '<span class="flag flag-bad">Altered</span>' in rows.row_html(bad, url="/", now=NOW)


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Trip to Bergen", ["bergen"], "Trip to <mark>Bergen</mark>"),
        ("a < b", [], "a &lt; b"),
        ("<b>b</b>", ["b"], "&lt;<mark>b</mark>&gt;<mark>b</mark>&lt;/<mark>b</mark>&gt;"),
        ("1+1 (sum)", ["(sum)"], "1+1 <mark>(sum)</mark>"),
    ],
)
def test_searched_words_are_marked_and_everything_is_escaped(text, words, marked):
    assert rows.marked(text, words) == marked


def test_a_message_without_a_subject_says_so():
    assert ">(no subject)</span>" in rows.row_html(conversation(subject=""), url="/", now=NOW)


HOSTILE = "\"><script>alert('1')</script>{id}"


@pytest.mark.parametrize("field", ["people", "subject", "preview", "seal_flag"])
def test_nothing_of_a_mail_becomes_markup(field):
    row = conversation(**{field: HOSTILE, "seal": "bad"})
    drawn = rows.row_html(row, url='/message/1?a=1&b="', now=NOW, searched=["alert"])
    assert "<script" not in drawn
    assert drawn.count("<div") == drawn.count("</div>") == 4
    assert 'href="/message/1?a=1&amp;b=&quot;"' in drawn
