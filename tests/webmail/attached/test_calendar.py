"""Calendars in mail: when, where, who; hostile ones; and the reply."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webmail.attached.made import invitation
from webmail.attached import calendar, itip, limits
from webmail.attached.calendar import Recurrence, read_calendar

OUTLOOK_ZONE = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


# Rules of before and after 2007, as calendars that keep history write them.
NEW_YORK = """BEGIN:VTIMEZONE
TZID:/example.org/20070101_1/America/New_York
BEGIN:DAYLIGHT
DTSTART:19870405T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4;UNTIL=20060402T070000Z
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:20070311T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19671029T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20061029T060000Z
END:STANDARD
BEGIN:STANDARD
DTSTART:20071104T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
END:STANDARD
END:VTIMEZONE
"""
LISTED = """BEGIN:VTIMEZONE
TZID:Listed
BEGIN:STANDARD
DTSTART:20200101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
RDATE:20261025T030000,20271031T030000
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20260329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RDATE:20270328T020000
END:DAYLIGHT
END:VTIMEZONE
"""


def only(text: str) -> calendar.Event:
    found = read_calendar(text)
    assert found is not None
    (event,) = found.events
    return event


def with_lines(*lines: str, before: str = "") -> calendar.Event:
    body = "\n".join(lines)
    return only(f"BEGIN:VCALENDAR\n{before}BEGIN:VEVENT\n{body}\nEND:VEVENT\nEND:VCALENDAR\n")


@pytest.mark.parametrize("month", ["²", "1" * 5000, "0", "13", "-3", ""])
def test_a_month_that_is_none_is_not_counted_by(month):
    zone = LISTED.replace(
        "RDATE:20261025T030000,20271031T030000", f"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH={month}"
    )
    event = with_lines("DTSTART;TZID=Listed:20261204T120000", before=zone)
    assert event.start.at == datetime(2026, 12, 4, 10, 0, tzinfo=UTC)


def test_an_invitation():
    found = read_calendar(invitation())
    assert found is not None
    assert found.method == "REQUEST"
    (event,) = found.events
    assert event.summary == "Offsite, Bergen"
    assert event.start.at == datetime(2026, 12, 4, 14, 0, tzinfo=UTC)
    assert event.end.at == datetime(2026, 12, 4, 15, 30, tzinfo=UTC)
    assert event.organizer.address == "anna@nordlys.example"
    assert [each.partstat for each in event.attendees] == ["NEEDS-ACTION", "ACCEPTED"]
    assert event.sequence == 2


@pytest.mark.parametrize(
    ("local", "utc_hour"),
    [
        ("20260115T120000", 11),
        ("20260715T120000", 10),
        ("20260329T033000", 1),
        ("20261025T010000", 23),
    ],
)
def test_times_of_a_zone_that_only_the_file_knows(local, utc_hour):
    event = with_lines(f"DTSTART;TZID=W. Europe Standard Time:{local}", before=OUTLOOK_ZONE)
    assert event.start.at.hour == utc_hour
    assert not event.start.is_floating


@pytest.mark.parametrize(
    ("local", "utc_hour"),
    [
        ("20271101T090000", 13),  # after the old rule's last Sunday of October
        ("20271108T090000", 14),
        ("20270320T090000", 13),
        ("20060402T090000", 13),  # the old rule's last onset counts
        ("20061030T090000", 14),
        ("20070320T090000", 13),
    ],
)
def test_a_rule_of_a_zone_ends(local, utc_hour):
    event = with_lines(
        f"DTSTART;TZID=/example.org/20070101_1/America/New_York:{local}", before=NEW_YORK
    )
    assert event.start.at.hour == utc_hour


@pytest.mark.parametrize(
    ("local", "utc_hour"),
    [
        ("20260601T090000", 7),
        ("20261201T090000", 8),
        ("20270601T090000", 7),
        ("20271201T090000", 8),
    ],
)
def test_onsets_of_a_zone_may_be_listed(local, utc_hour):
    event = with_lines(f"DTSTART;TZID=Listed:{local}", before=LISTED)
    assert event.start.at.hour == utc_hour


def test_dates_lengths_and_times_of_nowhere():
    event = with_lines("DTSTART;VALUE=DATE:20261204", "DURATION:P2D")
    assert event.start.is_date
    assert event.end.at == date(2026, 12, 6)
    event = with_lines("DTSTART:20261204T150000", "DURATION:PT1H30M")
    assert event.start.is_floating
    assert event.end.at.hour == 16
    event = with_lines("DTSTART;TZID=Mars/Olympus:20261204T150000")
    assert event.start.is_floating
    assert with_lines("DTSTART:20261304T250000").start is None
    assert with_lines("DTSTART:99991231T235900Z", "DURATION:P999W").end is None


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,WE", Recurrence("WEEKLY", days=("MO", "WE"))),
        ("FREQ=DAILY;INTERVAL=2;COUNT=10", Recurrence("DAILY", interval=2, count=10)),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270101T000000Z",
         Recurrence("MONTHLY", days=("-1FR",), until=date(2027, 1, 1))),
        ("FREQ=SECONDLY", Recurrence("")),
        ("FREQ=YEARLY;BYSETPOS=3;BYDAY=MO", Recurrence("")),
        ("FREQ=WEEKLY;COUNT=99999999999999", Recurrence("WEEKLY")),
        ("nonsense", Recurrence("")),
    ],
)  # fmt: skip
def test_how_it_repeats(rule, read):
    assert with_lines("DTSTART:20261204T150000Z", f"RRULE:{rule}").recurrence == read


def test_markup_and_controls_are_text():
    event = with_lines(
        "SUMMARY:<script>alert(1)</script>\u202e", 'LOCATION:\x1b[31m"><img src=x>',
        "X-ALT-DESC;FMTTYPE=text/html:<b>never</b>", "DESCRIPTION:a\\nb",
    )  # fmt: skip
    assert event.summary == "<script>alert(1)</script>"
    assert event.location == '[31m"><img src=x>'
    assert event.description == "a\nb"


def test_bounds():
    many = "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nUID:a\nEND:VEVENT\n" * 500 + "END:VCALENDAR"
    found = read_calendar(many)
    assert len(found.events) == limits.EVENTS
    assert found.is_cut
    crowd = with_lines(*(f"ATTENDEE:mailto:a{n}@b.example" for n in range(2000)))
    assert len(crowd.attendees) == limits.ATTENDEES
    assert read_calendar("BEGIN:VEVENT\n" * 100_000) is None
    assert read_calendar("BEGIN:VCALENDAR\n" + "X;A=" + '"' * 100_000) is not None
    assert len(with_lines("SUMMARY:" + "\\" * 200_000).summary) <= limits.VALUE


@given(
    st.text(
        alphabet=st.sampled_from('BEGIN:VCALENDARVT\n\r;=",\\0123456789TZ+- é\x00'), max_size=400
    )
)
def test_nothing_raises(text):
    read_calendar(text)
    read_calendar(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART{text}\nRRULE:{text}\nATTENDEE{text}\n")


def test_a_reply_names_what_it_answers_and_is_read_back():
    event = only(invitation())
    text = itip.reply(
        answer="ACCEPTED", uid=event.uid, sequence=event.sequence, summary=event.summary,
        organizer=event.organizer.address, attendee="mira@nordlys.example",
        attendee_name='Mira "M" Halvorsen', echo=event.echo, now=datetime(2026, 11, 25, 9, tzinfo=UTC),
    )  # fmt: skip
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    found = read_calendar(text)
    assert found.method == "REPLY"
    (answered,) = found.events
    assert (answered.uid, answered.sequence) == (event.uid, 2)
    assert answered.start == event.start
    (me,) = answered.attendees
    assert (me.address, me.partstat) == ("mira@nordlys.example", "ACCEPTED")


def test_an_instance_of_a_series_is_answered_alone():
    event = only(invitation("REQUEST", "RECURRENCE-ID;TZID=Europe/Oslo:20261204T150000"))
    assert event.is_instance
    assert event.echo[1] == 'RECURRENCE-ID;TZID="Europe/Oslo":20261204T150000'


def test_a_reply_cannot_be_made_to_say_more():
    text = itip.reply(
        answer="DECLINED", uid="a\r\nMETHOD:CANCEL", sequence=0, summary="x\nEND:VCALENDAR",
        organizer="a@b.example\r\nX:y", attendee="c@d.example", attendee_name="N\r\nX:1", echo=(),
        now=datetime(2026, 11, 25, tzinfo=UTC),
    )  # fmt: skip
    lines = text.split("\r\n")
    assert "METHOD:CANCEL" not in lines
    assert lines.count("END:VCALENDAR") == 1
    assert not any(line.startswith("X:") for line in lines)
    with pytest.raises(ValueError, match="cannot be answered"):
        itip.reply(answer="DECLINED", uid="", sequence=0, summary="", organizer="a@b.example",
                   attendee="", attendee_name="", echo=(), now=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
