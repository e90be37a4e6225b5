"""Invitations answered through the outbox, and reports that lead to the mail they are about."""

import re
from datetime import UTC, datetime

import pytest

from tests.corpora import corpus
from tests.webmail.attached.made import invitation
from webmail.attached.calendar import read_calendar
from webmail.composer import drafts, preparing
from webmail.composer.models import OutgoingMail, Variant
from webmail.composer.sealed_files import read_all
from webmail.mime import decode_text, parse_message
from webmail.reader.models import InvitationAnswer

REPORT = (
    b"From: MAILER-DAEMON@mx.nordlys.example\r\nTo: mira@nordlys.example\r\nSubject: Undelivered\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.nordlys.example\r\n"
    b"%s\r\n\r\nFinal-Recipient: rfc822; jonas@far.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    b"Diagnostic-Code: smtp; 552 5.2.2 <b>full</b>\r\n\r\n"
    b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Offer\r\n%s\r\n\r\n--b--\r\n"
)


@pytest.fixture
def outbox(monkeypatch):
    """The crypto lane of the composer, in this process."""

    def post(task_name, *args, lane):
        if task_name == "composer.prepare":
            preparing.prepare(*args)

    monkeypatch.setattr("webmail.composer.outbox.post", post)


def invited(letters, method="REQUEST", *lines):
    text = invitation(method, *lines)
    return letters.letter(("invite.ics", "text/calendar", text.encode()))


def test_what_stands_above_the_text_is_there_with_it(letters, workers):
    """It would push the text down once somebody reads it (P17)."""
    message = invited(letters)
    page = letters.opened(message)
    assert "Accept" in page
    assert "data-pending" not in page
    assert workers.count("reader.preview") == 1
    assert "Accept" in letters.opened(message)
    assert workers.count("reader.preview") == 1


def path_in(page: str) -> str:
    return re.search(r'name="path" value="([^"]+)"', page)[1]


@pytest.mark.usefixtures("outbox")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("ACCEPTED", "You accepted."),
        ("TENTATIVE", "You answered: maybe."),
        ("DECLINED", "You declined."),
    ],
)
def test_an_answer_goes_to_the_organiser_as_an_itip_reply(letters, answer, words):
    letters.mailbox.user.time_zone = "Europe/Oslo"
    letters.mailbox.user.save()
    message = invited(letters)
    page = letters.cards(message)
    assert "Friday 4 December 2026, 15:00 to 16:30" in page
    assert "your time, Europe/Oslo" in page
    said = letters.client.post(
        f"/message/{message.pk}/invitation",
        {"path": path_in(page), "answer": answer},
        headers={"HX-Request": "true"},
    )
    assert said.status_code == 204
    mail = OutgoingMail.objects.get()
    (variant,) = Variant.objects.filter(outgoing=mail)
    assert [each.recipient for each in variant.deliveries.all()] == ["anna@nordlys.example"]
    tree = parse_message(read_all(variant.key))
    (part,) = [each for each in tree.walk() if each.content_type == "text/calendar"]
    assert part.parameters["method"] == "REPLY"
    sent = read_calendar(decode_text(tree, part).text)
    assert sent.method == "REPLY"
    (event,) = sent.events
    assert event.uid == "bergen-4@nordlys.example"
    assert [(each.address, each.partstat) for each in event.attendees] == [
        ("mira@nordlys.example", answer)
    ]
    assert event.start.at == datetime(2026, 12, 4, 14, tzinfo=UTC)
    assert tree.envelope.in_reply_to == (message.message_id,)
    assert words in letters.opened(message)
    OutgoingMail.objects.update(state="cancelled")  # called back
    assert words not in letters.opened(message)


@pytest.mark.usefixtures("outbox")
def test_without_script_an_answer_leads_to_the_outbox(letters):
    message = invited(letters)
    fields = {"path": path_in(letters.cards(message)), "answer": "ACCEPTED"}
    answer = letters.client.post(f"/message/{message.pk}/invitation", fields)
    assert answer.status_code == 302
    assert answer["Location"] == "/outbox"


@pytest.mark.usefixtures("outbox")
def test_what_asks_for_no_answer_cannot_be_answered(letters):
    for method, lines in (
        ("PUBLISH", ()),
        ("REPLY", ()),
        ("CANCEL", ()),
        ("REQUEST", ("STATUS:CANCELLED",)),
    ):
        message = invited(letters, method, *lines)
        assert "Accept" not in letters.cards(message)
        fields = {"path": "0/2", "answer": "ACCEPTED"}
        assert letters.client.post(f"/message/{message.pk}/invitation", fields).status_code == 404
    message = invited(letters)
    letters.cards(message)
    for fields in ({"path": "0/9", "answer": "ACCEPTED"}, {"path": "0/2", "answer": "MAYBE"}, {}):
        assert letters.client.post(f"/message/{message.pk}/invitation", fields).status_code == 404
    assert not OutgoingMail.objects.exists()
    assert not InvitationAnswer.objects.exists()


@pytest.mark.usefixtures("outbox")
def test_an_answer_that_cannot_be_sent_waits_as_a_draft(letters):
    """What came encrypted is never answered in the clear: Anna's certificate is not known."""
    text = invitation().encode()
    message = letters.encrypted(("invite.ics", "text/calendar", text))
    from smime.models import PersonCertificate

    fields = {"path": path_in(letters.cards(message)), "answer": "ACCEPTED"}
    PersonCertificate.objects.all().delete()
    answer = letters.client.post(f"/message/{message.pk}/invitation", fields)
    (draft,) = drafts.drafts_for(letters.mailbox.user)
    assert answer["Location"] == f"/compose?draft={draft.pk}"
    assert draft.encrypt
    assert draft.holds_encrypted_quote
    assert not OutgoingMail.objects.exists()


def test_markup_in_an_invitation_is_text(letters):
    page = letters.cards(invited(letters, "REQUEST", "LOCATION:<img src=x onerror=alert(1)>"))
    assert "<img src=x" not in page


def test_a_report_leads_to_the_mail_by_its_message_id(letters):
    sent = letters.mailbox.receive("Offer", folder="sent")
    report = letters.put(REPORT % (b"X: y", f"Message-ID: <{sent.message_id}>".encode()))
    page = letters.cards(report)
    assert "Your message did not reach jonas@far.example" in page
    assert "The mailbox is full." in page
    assert "552 5.2.2 &lt;b&gt;full&lt;/b&gt;" in page
    answer = letters.client.get(f"/message/{report.pk}/reported")
    assert answer["Location"] == f"/message/{sent.pk}"


def test_a_report_leads_to_the_mail_by_its_envelope_id(letters):
    sent = letters.mailbox.receive("Offer", folder="sent")
    mail = OutgoingMail.objects.create(
        user=letters.mailbox.user, account=letters.mailbox.account, message_id=sent.message_id,
        envelope_from="mira@nordlys.example", sealed_summary=b"", state="filed",
    )  # fmt: skip
    report = letters.put(REPORT % (f"Original-Envelope-Id: {mail.envelope_id}".encode(), b"X: y"))
    letters.cards(report)
    assert letters.client.get(f"/message/{report.pk}/reported")["Location"] == f"/message/{sent.pk}"


def test_a_forged_report_leads_nowhere_and_says_so(letters, stranger):
    theirs = stranger.receive("Offer", folder="sent")
    report = letters.put(REPORT % (b"X: y", b"Message-ID: <unknown@nordlys.example>"))
    letters.cards(report)
    answer = letters.client.get(f"/message/{report.pk}/reported", follow=True)
    assert answer.redirect_chain[-1][0] == f"/message/{report.pk}"
    assert theirs.pk != report.pk


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mimekit/messages/delivery-status.txt", "Your message did not reach"),
        ("mimekit/messages/delivery-status2.txt", "Your message"),
        ("cpython/msg_43.txt", "and 15 more recipients"),
        ("mimekit/messages/disposition-notification.txt", "program says the message was"),
    ],
)
def test_reports_that_were_really_sent(letters, name, words):
    report = letters.put(corpus("mime", *name.split("/")).read_bytes())
    assert words in letters.cards(report)
