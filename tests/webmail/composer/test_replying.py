"""Answers and forwards: quoted by the crypto lane, once, with keys only for secured mail."""

from datetime import timedelta

import pytest
from django.utils import timezone

from webmail.composer import attachments, drafts, replying
from webmail.composer.models import Draft
from webmail.mailbox.models import Message, Thread

pytestmark = pytest.mark.django_db

RAW = (
    b"From: Bob <bob@example.org>\r\nTo: alice@example.org, cy@example.org\r\nSubject: Offer\r\n"
    b"Date: Tue, 03 Nov 2026 08:15:00 +0000\r\nMessage-ID: <a@x>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nWe go up to 40.\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--b--\r\n"
)


@pytest.fixture
def message(alice):
    now = timezone.now()
    return Message.objects.create(
        account=alice.account, thread=Thread.objects.create(account=alice.account, last_date=now),
        content_key="k", internal_date=now, message_id="a@x", from_address="mirror@lies.example",
        recipients={"to": [["", "alice@example.org"], ["", "mirror@lies.example"]]},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def world(monkeypatch, posted):
    monkeypatch.setattr(replying, "WAIT", 0)
    monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: RAW)
    monkeypatch.setattr("smime.vault.key_ticket", lambda request: "a-ticket")


def started(alice, message, relation="reply"):
    return replying.start(alice.user, message, relation=relation, request=None)


def prepared(alice, message, relation="reply"):
    draft = started(alice, message, relation)
    replying.prepare_reply(draft.pk, "")
    draft.refresh_from_db()
    return draft


def test_it_waits_for_the_crypto_lane(alice, message, posted, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        draft = started(alice, message)
    assert draft.is_preparing
    assert posted == [("composer.prepare_reply", draft.pk, "", "crypto")]


def test_keys_are_handed_over_for_secured_mail_alone(
    alice, message, posted, django_capture_on_commit_callbacks
):
    message.is_secured = True
    message.save()
    with django_capture_on_commit_callbacks(execute=True):
        started(alice, message)
    assert posted[0][2] == "a-ticket"


def test_recipients_come_from_the_message_not_from_the_mirror(alice, message):
    content = drafts.content_of(prepared(alice, message, "reply-all"))
    assert [str(r) for r in content.to] == ["Bob <bob@example.org>"]
    assert [str(r) for r in content.cc] == ["cy@example.org"]
    assert content.subject == "Re: Offer"
    assert "> We go up to 40." in content.text
    assert content.in_reply_to == "a@x"


def test_an_answer_has_no_files_and_a_forward_has_them(alice, message):
    assert not prepared(alice, message).attachments.exists()
    (file,) = prepared(alice, message, "forward").attachments.all()
    assert b"".join(attachments.content_of(file)).strip() == b"%PDF"
    assert not file.is_from_encrypted


def test_prepared_twice_is_prepared_once(alice, message):
    draft = prepared(alice, message, "forward")
    replying.prepare_reply(draft.pk, "")
    assert draft.attachments.count() == 1
    assert draft.revision == 0


def test_a_worker_that_died_is_replaced_on_reload(
    alice, message, posted, django_capture_on_commit_callbacks
):
    draft = started(alice, message, "forward")
    Draft.objects.update(preparation="filling")
    with django_capture_on_commit_callbacks(execute=True):
        replying.ask_again(draft, None)
        assert posted == []
        Draft.objects.update(updated_at=timezone.now() - timedelta(seconds=21))
        replying.ask_again(draft, None)
        replying.ask_again(draft, None)
    assert [task[0] for task in posted] == ["composer.prepare_reply"]
    replying.prepare_reply(draft.pk, "")
    draft.refresh_from_db()
    assert (draft.preparation, draft.attachments.count()) == ("", 1)


def test_what_cannot_be_opened_is_told_and_names_nobody(alice, message, monkeypatch):
    raw = RAW.partition(b"Content-Type:")[0] + (
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nMAA=\r\n"
    )
    monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: raw)
    draft = prepared(alice, message)
    assert draft.preparation == "failed"
    assert "could not be opened" in draft.failure
    assert drafts.content_of(draft).everyone() == ()


def test_a_server_that_is_away_is_told(alice, message, monkeypatch):
    def away(message, **_):
        raise OSError("canary")

    monkeypatch.setattr("webmail.mailbox.bodies.raw", away)
    draft = prepared(alice, message)
    assert draft.failure == "The message could not be read. The mail server may not answer."


def test_the_link_of_the_page(site, alice, message, mallory):
    answer = site.get("/compose", {"reply": message.pk, "all": "1"})
    draft = Draft.objects.get()
    assert answer["Location"] == f"/compose?draft={draft.pk}"
    assert draft.relation == "reply-all"
    assert site.get("/compose", {"reply": "x"}).status_code == 404
    site.force_login(mallory.user)
    assert site.get("/compose", {"reply": message.pk}).status_code == 404
    assert site.get("/compose", {"forward": message.pk}).status_code == 404
