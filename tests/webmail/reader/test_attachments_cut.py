"""Calendars, contacts and reports that are larger than is read here say so."""

import pytest

from tests.webmail.attached.made import invitation
from tests.webmail.reader.test_attachments import hrefs
from webmail.attached import limits

CUT = "Only the beginning is shown. Download the file to see the rest."
CARD = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jonas {n}\r\nEMAIL:jonas{n}@far.example\r\nEND:VCARD\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:20261204T150000Z\r\nSUMMARY:s\r\nEND:VEVENT\r\n"
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"
COMMENT = "COMMENT:" + "x" * 60 + "\r\n"
GUEST = "ATTENDEE:mailto:guest@far.example"


def events(count: int) -> str:
    return CALENDAR.format(events="".join(EVENT.format(n=n) for n in range(count)))


def cards(count: int) -> str:
    return "".join(CARD.format(n=n) for n in range(count))


@pytest.mark.parametrize(
    ("media_type", "within", "beyond"),
    [
        ("text/calendar", events(limits.EVENTS), events(limits.EVENTS + 1)),
        (
            "text/calendar",
            invitation("PUBLISH", *[COMMENT.strip()] * 3000),
            invitation("PUBLISH", *[COMMENT.strip()] * 4000),
        ),
        (
            "text/calendar",
            invitation("PUBLISH", *[GUEST] * (limits.ATTENDEES - 2)),
            invitation("PUBLISH", *[GUEST] * (limits.ATTENDEES - 1)),
        ),
        ("text/vcard", cards(limits.CARDS), cards(limits.CARDS + 1)),
        (
            "text/vcard",
            CARD.format(n=1) + CARD.format(n=2).replace("FN", f"NOTE:{'x' * 200_000}\r\nFN"),
            CARD.format(n=1) + CARD.format(n=2).replace("FN", f"NOTE:{'x' * 270_000}\r\nFN"),
        ),
    ],
)
def test_a_file_larger_than_is_read_says_so(letters, media_type, within, beyond) -> None:
    for content, is_cut in ((within, False), (beyond, True)):
        message = letters.letter(("file", media_type, content.encode()))
        (url,) = hrefs(letters.cards(message), "/attached/")
        assert (CUT in letters.client.get(url).content.decode()) == is_cut


RECIPIENT = "\r\nFinal-Recipient: rfc822;r{n}@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (limits.RECIPIENTS, f"and {limits.RECIPIENTS - 10} more recipients"),
        (limits.RECIPIENTS + 1, "and more recipients than are counted here"),
        (3_000, "and more recipients than are counted here"),
    ],
)
def test_a_report_about_more_people_than_are_read_does_not_count_wrongly(
    letters, count, words
) -> None:
    recipients = "".join(RECIPIENT.format(n=n) for n in range(count))
    message = letters.put(
        (
            "From: MAILER-DAEMON@far.example\r\nTo: mira@nordlys.example\r\nSubject: Failed\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/report;"
            ' report-type=delivery-status; boundary="r"\r\n\r\n'
            "--r\r\n\r\nIt failed.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n"
            f"Reporting-MTA: dns; far.example\r\n{recipients}\r\n--r--\r\n"
        ).encode()
    )
    page = letters.cards(message)
    assert words in page
