"""Read receipts: asked of the person, sent by their click alone, as a report (RFC 8098)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smime import trust, vault
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.writing import protect
from tests.webmail.reader.conftest import letters, workers  # noqa: F401
from webmail.attached.reports import read_disposition
from webmail.composer import drafts, preparing, sealed_files
from webmail.composer.models import Draft, OutgoingMail, Variant
from webmail.composer.transitions import MailState
from webmail.mailbox.models import Flag, PendingChange, Placement
from webmail.mime import Address, parse_message
from webmail.mime.write import Composition, build_entity, header_fields
from webmail.pages import receipts
from webmail.reader.models import ReceiptAnswer

SCRIPT = {"HX-Request": "true"}
ASKS = b"Disposition-Notification-To: Anna Lindqvist <anna@nordlys.example>\r\n"
PLAIN = (
    b"From: Anna Lindqvist <anna@nordlys.example>\r\nTo: mira@nordlys.example\r\n"
    b"Subject: Lease\r\nMessage-ID: <lease@nordlys.example>\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0100\r\n"
)
BODY = b"\r\nPlease read.\r\n"


@pytest.fixture
def asking(letters):  # noqa: F811
    def put(*fields: bytes, **values):
        raw = PLAIN + b"".join(fields or (ASKS,)) + BODY
        message = letters.put(raw, **values)
        message.message_id = "lease@nordlys.example"
        message.save()
        return message

    return put


def answer(letters, message, what: str):  # noqa: F811
    return letters.client.post(f"/message/{message.pk}/receipt", {"answer": what}, headers=SCRIPT)


def test_a_line_asks_and_nothing_is_sent_by_reading(letters, asking):  # noqa: F811
    page = letters.opened(asking())
    assert "<bdi>Anna Lindqvist</bdi> asks to be told that you have read this." in page
    assert "This message came from" not in page
    assert not OutgoingMail.objects.exists()
    assert not Placement.objects.get().shown_flags & Flag.MDN_SENT


def test_the_receipt_is_a_report_through_the_outbox(letters, asking, settings):  # noqa: F811
    message = asking(ASKS, b"Original-Recipient: rfc822;m@old.example\r\n")
    letters.opened(message)
    response = answer(letters, message, "send")
    assert response["Signet-Again"] == f"/message/{message.pk}/asks"
    mail = OutgoingMail.objects.get()
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert mail.state == MailState.QUEUED
    raw = sealed_files.read_all(Variant.objects.get().key)
    made = parse_message(raw)
    headers = made.root.headers
    assert made.root.content_type == "multipart/report"
    assert made.root.parameters["report-type"] == "disposition-notification"
    assert headers.get("auto-submitted") == b"auto-replied"
    assert headers.get("in-reply-to") == b"<lease@nordlys.example>"
    assert headers.get("to") == b"Anna Lindqvist <anna@nordlys.example>"
    assert "disposition-notification-to" not in headers
    first, second = made.root.children
    assert (first.content_type, second.content_type) == (
        "text/plain", "message/disposition-notification",
    )  # fmt: skip
    fields = raw[second.body_start : second.end].decode()
    assert "Final-Recipient: rfc822;mira@nordlys.example\r\n" in fields
    assert "Original-Recipient: rfc822;m@old.example\r\n" in fields
    assert "Original-Message-ID: <lease@nordlys.example>\r\n" in fields
    assert "Disposition: manual-action/MDN-sent-manually; displayed\r\n" in fields
    read = read_disposition(fields)  # what our own reader makes of it
    assert (read.disposition, read.original_message_id) == ("displayed", "lease@nordlys.example")


def test_it_is_answered_once_here_and_for_other_programs(letters, asking):  # noqa: F811
    message = asking()
    letters.opened(message)
    answer(letters, message, "send")
    answer(letters, message, "send")
    assert OutgoingMail.objects.count() == 1
    assert Placement.objects.get().shown_flags & Flag.MDN_SENT
    answered = {"add": int(Flag.MDN_SENT), "remove": 0}
    assert PendingChange.objects.filter(args=answered).count() == 1
    assert "You told Anna Lindqvist that you have read this." in letters.opened(message)


def test_two_clicks_at_once_send_one(letters, asking, monkeypatch):  # noqa: F811
    message = asking()
    letters.opened(message)
    # As if both came before it.
    monkeypatch.setattr(receipts, "_remember_sent", lambda *_, **__: None)
    answer(letters, message, "send")
    answer(letters, message, "send")
    assert OutgoingMail.objects.count() == 1
    assert Draft.objects.count() == 1


def test_a_no_after_a_yes_in_another_tab_changes_nothing(letters, asking, monkeypatch):  # noqa: F811
    message = asking()
    letters.opened(message)
    seen = receipts.open_message

    def answered_meanwhile(request, message, *, wait):
        opened = seen(request, message, wait=wait)
        if request.POST["answer"] == "decline":
            answer(letters, message, "send")
        return opened

    monkeypatch.setattr(receipts, "open_message", answered_meanwhile)
    answer(letters, message, "decline")
    assert OutgoingMail.objects.count() == 1
    assert ReceiptAnswer.objects.get().envelope_id == OutgoingMail.objects.get().envelope_id
    page = letters.opened(message)
    assert "You told Anna Lindqvist that you have read this." in page


def test_a_yes_after_a_yes_in_another_tab_sends_no_second(letters, asking, monkeypatch):  # noqa: F811
    message = asking()
    letters.opened(message)
    seen, others = receipts.open_message, ["send"]

    def answered_meanwhile(request, message, *, wait):
        opened = seen(request, message, wait=wait)
        if others:
            answer(letters, message, others.pop())
        return opened

    monkeypatch.setattr(receipts, "open_message", answered_meanwhile)
    answer(letters, message, "send")
    assert OutgoingMail.objects.count() == 1
    assert Draft.objects.count() == 1


def test_a_no_after_a_receipt_that_was_called_back_counts(letters, asking):  # noqa: F811
    message = asking()
    letters.opened(message)
    answer(letters, message, "send")
    OutgoingMail.objects.update(state=MailState.CANCELLED)
    answer(letters, message, "decline")
    assert "You sent no read receipt." in letters.opened(message)


def test_a_no_is_remembered_and_sends_nothing(letters, asking):  # noqa: F811
    message = asking()
    letters.opened(message)
    assert answer(letters, message, "decline").status_code == 204
    assert not OutgoingMail.objects.exists()
    assert not Draft.objects.exists()
    assert Placement.objects.get().shown_flags & Flag.MDN_SENT
    page = letters.opened(message)
    assert "You sent no read receipt." in page
    assert "asks to be told" not in page


def test_a_receipt_that_was_called_back_was_none(letters, asking):  # noqa: F811
    message = asking()
    letters.opened(message)
    answer(letters, message, "send")
    OutgoingMail.objects.update(state=MailState.CANCELLED)
    assert "asks to be told" in letters.opened(message)


@pytest.mark.parametrize(
    "state", [{"flags": int(Flag.MDN_SENT)}, {"keywords": ["$MDNSent"]}, {"keywords": ["$mdnsent"]}]
)
def test_what_another_program_answered_is_not_asked(letters, asking, state):  # noqa: F811
    message = asking()
    Placement.objects.update(**state)
    assert "asks to be told" not in letters.opened(message)
    assert answer(letters, message, "send").status_code == 404


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ((ASKS, b"List-Id: <a.b.example>\r\n"), {}),
        ((ASKS, b"Precedence: bulk\r\n"), {}),
        ((ASKS,), {"folder": "junk"}),
        ((ASKS,), {"from_address": "mira@nordlys.example"}),
        ((b"Disposition-Notification-To: mira@nordlys.example\r\n",), {}),
        ((ASKS, b"Return-Path: <>\r\n"), {}),
        ((ASKS, b'Content-Type: multipart/report; boundary="b"\r\n'), {}),
    ],
)
def test_what_is_never_asked(letters, asking, fields, values):  # noqa: F811
    message = asking(*fields, **values)
    assert "asks to be told" not in letters.opened(message)
    assert answer(letters, message, "send").status_code == 404
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((b"Disposition-Notification-To: x@tracker.example\r\n",), "anna@nordlys.example"),
        ((ASKS, b"Return-Path: <bounce@far.example>\r\n"), "bounce@far.example"),
        (
            (b"Disposition-Notification-To: anna@nordlys.example, x@tracker.example\r\n",),
            "anna@nordlys.example",
        ),
    ],
)
def test_a_receipt_that_goes_elsewhere_is_said(letters, asking, fields, words):  # noqa: F811
    page = letters.opened(asking(*fields))
    assert f'This message came from <bdi dir="ltr">{words}</bdi>.' in page
    if b"tracker" in fields[0]:
        assert '<bdi dir="ltr">x@tracker.example</bdi>' in page


def test_strangers_mail_is_not_answered(letters, asking, stranger):  # noqa: F811
    assert answer(letters, stranger.receive("Theirs"), "send").status_code == 404


def encrypted(letters, **fields):  # noqa: F811
    """Mirror a letter that Mira's key opens, with these fields within."""
    now = datetime.now(UTC)
    root = new_root("Nordlys Root", now - timedelta(days=9))
    trust.add_anchor(root.certificate.public_bytes(Encoding.PEM), actor=None, reason="test")
    dates = {"not_before": now - timedelta(days=3), "not_after": now + timedelta(days=90)}
    anna = issue(root, "anna@nordlys.example", "Anna", key="p256", **dates)
    owner = issue(root, "mira@nordlys.example", "Mira", key="p256", **dates)
    vault.import_keys(letters.mailbox.user, to_pkcs12(owner, "word"), "word", sealing="managed")
    made = Composition(
        from_=Address("Anna", "anna@nordlys.example"),
        to=(Address("Mira", "mira@nordlys.example"),),
        subject="Secret plans",
        date=now,
        message_id="secret@nordlys.example",
        text="Only for you.\n",
        extra_fields=tuple((name.replace("_", "-"), value) for name, value in fields.items()),
    )
    return protect(
        build_entity(made), header_fields(made), signer=anna, recipients=[owner.certificate],
        cipher="aes-256-gcm",
    )  # fmt: skip


def test_encrypted_mail_is_answered_without_its_subject(letters):  # noqa: F811
    raw = encrypted(letters, Disposition_Notification_To="anna@nordlys.example")
    message = letters.put(raw, is_secured=True)
    assert "asks to be told" in letters.opened(message)
    answer(letters, message, "send")
    mail = OutgoingMail.objects.get()
    preparing.prepare(mail.pk, "")
    sent = sealed_files.read_all(Variant.objects.get().key)
    assert parse_message(sent).envelope.subject == "Read receipt"
    assert b"Secret" not in sent


def test_encrypted_mail_is_answered_without_a_name_or_date_kept_inside(letters):  # noqa: F811
    raw = encrypted(letters, Disposition_Notification_To="Deep Throat <anna@nordlys.example>")
    message = letters.put(raw, is_secured=True, date=datetime(2001, 2, 3, 12, tzinfo=UTC))
    letters.opened(message)
    answer(letters, message, "send")
    mail = OutgoingMail.objects.get()
    preparing.prepare(mail.pk, "")
    sent = sealed_files.read_all(Variant.objects.get().key)
    made = parse_message(sent)
    assert made.root.headers.get("to") == b"anna@nordlys.example"
    assert b"Throat" not in sent
    words = sent[made.root.children[0].body_start : made.root.children[0].end]
    assert b"on Saturday, 3 February 2001" in b" ".join(words.split())  # the date shown outside


def test_what_was_added_outside_of_a_protected_header_asks_nothing(letters):  # noqa: F811
    raw = b"Disposition-Notification-To: <x@tracker.example>\r\n" + encrypted(letters)
    assert "asks to be told" not in letters.opened(letters.put(raw, is_secured=True))


def test_the_composer_asks_for_a_receipt_only_when_told(letters):  # noqa: F811
    client, user = letters.client, letters.mailbox.user
    page = client.get("/compose", follow=True).content.decode()
    assert "Ask for a read receipt" in page
    draft = Draft.objects.get()
    for told, is_asked in ({"receipt": "on"}, True), ({}, False), ({"receipt": "on"}, True):
        draft.refresh_from_db()
        fields = {"to": "anna@nordlys.example", "subject": "S", "text": "T", **told}
        client.post(f"/compose/{draft.pk}/save", {**fields, "revision": draft.revision})
        draft.refresh_from_db()
        assert drafts.content_of(draft).asks_receipt is is_asked
    assert "checked" in _checkbox(client.get(f"/compose?draft={draft.pk}").content.decode())
    fields |= {"receipt": "on", "revision": draft.revision}
    client.post(f"/compose/{draft.pk}/send", fields)
    mail = OutgoingMail.objects.get(user=user)
    preparing.prepare(mail.pk, "")
    raw = sealed_files.read_all(Variant.objects.get().key)
    asked = parse_message(raw).root.headers.get("disposition-notification-to")
    assert asked == b"<mira@nordlys.example>"


def _checkbox(page: str) -> str:
    at = page.index('name="receipt"')
    return page[at : page.index(">", at)]
