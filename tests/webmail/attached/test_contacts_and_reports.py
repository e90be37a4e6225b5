"""Contacts files and reports about mail: what they say, and that nothing hostile breaks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpora import corpus
from webmail.attached import limits
from webmail.attached.contacts import read_cards
from webmail.attached.kinds import kind_of
from webmail.attached.reports import read_delivery_status, read_disposition
from webmail.mime import decode_text, parse_message

REPORT = """Reporting-MTA: dns; mx.nordlys.example
Original-Envelope-Id: 4f6d0c1e-0000-4000-8000-000000000001

Final-Recipient: rfc822; jonas@far.example
Action: failed
Status: 5.0.0
Remote-MTA: dns; mx.far.example
Diagnostic-Code: smtp; 550 5.1.1 <jonas@far.example>: Recipient
 address rejected
"""


def test_a_contact():
    found = read_cards(
        "BEGIN:VCARD\nVERSION:4.0\nFN:Anna Lindqvist\nN:Lindqvist;Anna;;Dr.;\n"
        "ORG:Nordlys;Grid\nTITLE:Lead\nitem1.EMAIL;TYPE=work:anna@nordlys.example\n"
        "EMAIL:not an address\nTEL;TYPE=cell:+47 1\nADR:;;Havnegata 1;Bergen;;5003;Norway\n"
        "NOTE:a\\nb\\, c\nPHOTO;VALUE=uri:https://track.example/p.png\nEND:VCARD\n"
    )
    (card,) = found.cards
    assert card.name == "Anna Lindqvist"
    assert card.emails == ("anna@nordlys.example",)
    assert card.organisation == "Nordlys, Grid"
    assert card.addresses == ("Havnegata 1, Bergen, 5003, Norway",)
    assert card.note == "a\nb, c"


def test_an_old_contact_in_quoted_printable():
    found = read_cards(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=98rsted;Hans=\r\n"
        "\r\nEMAIL;INTERNET;HOME:hans@far.example\r\nEND:VCARD\r\n"
    )
    (card,) = found.cards
    assert card.name == "Hans Ørsted"
    assert card.emails == ("hans@far.example",)


def test_many_contacts_are_cut_and_said_so():
    found = read_cards("BEGIN:VCARD\nFN:a\nEND:VCARD\n" * 400)
    assert len(found.cards) == limits.CARDS
    assert found.is_cut
    assert read_cards("BEGIN:VCALENDAR\nEND:VCALENDAR") is None


def test_a_failed_delivery():
    found = read_delivery_status(REPORT)
    assert found.reporter == "mx.nordlys.example"
    assert found.envelope_id == "4f6d0c1e-0000-4000-8000-000000000001"
    (one,) = found.recipients
    assert (one.address, one.action, one.status) == ("jonas@far.example", "failed", "5.1.1")
    assert one.diagnostic.startswith("550 5.1.1 <jonas@far.example>: Recipient address")


def test_no_report_in_other_text():
    assert read_delivery_status("Hello,\n\nyour mail was lost.") is None
    assert read_disposition("Hello") is None


def test_a_displayed_mail():
    found = read_disposition(
        "Final-Recipient: rfc822; bob@far.example\nOriginal-Message-ID: <a@b.example>\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n"
    )
    assert (found.address, found.disposition) == ("bob@far.example", "displayed")
    assert found.original_message_id == "a@b.example"


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("mimekit/messages/delivery-status.txt", 1),
        ("mimekit/messages/delivery-status2.txt", 1),
        ("mimekit/messages/delivery-status-no-blank-line.txt", 1),
        ("mimekit/messages/delivery-status-multiple-blank-lines.txt", 1),
        ("cpython/msg_16.txt", 1),
        ("cpython/msg_43.txt", 25),
    ],
)
def test_reports_that_were_really_sent(name, count):
    message = parse_message(corpus("mime", *name.split("/")).read_bytes())
    texts = [
        decode_text(message, part).text
        for part in message.walk()
        if part.content_type == "message/delivery-status"
    ]
    found = [read_delivery_status(text) for text in texts]
    assert sum(len(each.recipients) for each in found if each) == count


@given(st.text(max_size=300))
def test_nothing_raises(text):
    read_delivery_status(f"Final-Recipient:{text}")
    read_disposition(f"Disposition:{text}")
    read_cards(f"BEGIN:VCARD\nN{text}\nEMAIL:{text}")


@pytest.mark.parametrize(
    ("start", "content_type", "filename", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", "a.png", "picture"),
        (b"<html>", "image/png", "a.png", ""),
        (b"<svg>", "image/svg+xml", "a.svg", ""),
        (b"\xff\xd8\xff\xe0", "application/octet-stream", "a.jpg", "picture"),
        (b"MZ\x90", "application/octet-stream", "a.jpg", ""),
        (b"%PDF-1.7", "application/pdf", "a.pdf", "pdf"),
        (b"<html>", "application/pdf", "a.pdf", ""),
        (b"\x89PNG\r\n\x1a\n", "text/html", "a.png", ""),
        (b"hello", "text/plain", "a.txt", "text"),
        (b"he\0llo", "text/plain", "a.txt", ""),
        (b"<script>", "text/html", "a.txt", ""),
        (b"BEGIN:VCALENDAR", "text/calendar", "a.ics", "calendar"),
        (b"BEGIN:VCARD", "application/octet-stream", "a.vcf", "contacts"),
        (b"PK\x03\x04", "application/zip", "a.zip", ""),
    ],
)
def test_what_is_shown_of_a_file(start, content_type, filename, kind):
    assert kind_of(start, content_type=content_type, filename=filename) == kind
