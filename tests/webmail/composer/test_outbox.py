"""Queueing: refused in words, once per click, called back in time."""

import uuid

import pytest
from django.http import Http404
from django.utils import timezone

from webmail.composer import drafts, due, outbox, preparing, sealed_files, validation
from webmail.composer.models import Delivery, Draft, OutgoingMail, Variant
from webmail.composer.outbox import NotSendable
from webmail.composer.presenting import RecipientState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def run_on_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        yield


def queue(writer, draft, key=None):
    return outbox.queue(writer.user, draft, idempotency_key=key or uuid.uuid4(), request=None)


def prepared(writer, **options):
    mail = queue(writer, writer.draft(**options))
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    return mail


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"to": ""}, "no-recipient", "Add at least one recipient."),
        ({"to": "bob"}, "bad-address", "“bob” is not an address"),
        ({"to": "bob@example.org", "bcc": "x y@example.org"}, "bad-address", "“x y@example.org”"),
        ({"to": ",".join(f"p{n}@example.org" for n in range(501))}, "too-many-recipients", "500"),
        ({"text": "x" * 200_000}, "too-large", "Too large for this server"),
        ({"sign": True}, "own-key-missing", "You have no certificate"),
        ({"encrypt": True}, "own-key-missing", "You have no certificate"),
    ],
)
def test_refusals(alice, options, kind, words):
    alice.account.server.submission_size_limit = 300_000
    alice.account.server.save()
    draft = alice.draft(**options)
    with pytest.raises(NotSendable, match=words) as caught:
        queue(alice, draft)
    assert caught.value.kind == kind
    assert not OutgoingMail.objects.exists()


def test_a_quote_that_came_encrypted_does_not_leave_in_the_clear(alice):
    draft = alice.draft()
    Draft.objects.filter(pk=draft.pk).update(holds_encrypted_quote=True)
    with pytest.raises(NotSendable) as caught:
        queue(alice, draft)
    assert caught.value.protection.kind == "encrypted-quote"


def test_a_draft_is_queued_once_for_a_key_and_once_at_all(alice, posted):
    draft, key = alice.draft(), uuid.uuid4()
    first = queue(alice, draft, key)
    assert queue(alice, draft, key) == first
    assert queue(alice, draft) == first  # a second tab has another key
    assert OutgoingMail.objects.count() == 1


def test_the_same_key_finds_the_mail_after_its_draft_is_gone(alice):
    draft, key = alice.draft(), uuid.uuid4()
    mail = queue(alice, draft, key)
    OutgoingMail.objects.update(state="accepted", draft=None)
    Draft.objects.all().delete()
    assert queue(alice, draft, key) == mail
    with pytest.raises(Http404):
        queue(alice, draft)


def test_others_drafts_cannot_be_sent(alice, mallory):
    with pytest.raises(Http404):
        queue(alice, mallory.draft())


def test_preparing_makes_the_bytes_once(alice, settings):
    settings.UNDO_SEND_SECONDS = 10
    mail = prepared(alice, to="Bob <bob@example.org>", cc="cy@example.org", bcc="dee@example.org")
    assert mail.state == "queued"
    assert 9 < (mail.due_at - timezone.now()).total_seconds() <= 10
    variant = Variant.objects.get()
    assert set(variant.deliveries.values_list("recipient", flat=True)) == {
        "bob@example.org", "cy@example.org", "dee@example.org",
    }  # fmt: skip
    content = sealed_files.read_all(variant.key)
    assert b"dee@" not in content
    assert mail.message_id.encode() in content
    assert b"dee@example.org" in sealed_files.read_all(mail.sent_copy_key)
    preparing.prepare(mail.pk, "")  # delivered twice by the broker
    assert Variant.objects.get().key == variant.key


@pytest.mark.parametrize(("seconds", "is_posted"), [(0, True), (10, False)])
def test_a_mail_without_undo_window_is_sent_at_once(
    alice, settings, monkeypatch, seconds, is_posted
):
    sent = []
    monkeypatch.setattr(preparing, "post", lambda *task, lane: sent.append((*task, lane)))
    settings.UNDO_SEND_SECONDS = seconds
    mail = prepared(alice)
    assert (("composer.send", mail.pk, "send") in sent) is is_posted


def test_undo_brings_the_draft_back(alice):
    mail = prepared(alice)
    variant = Variant.objects.get()
    draft = outbox.undo(alice.user, mail.pk)
    assert draft is not None
    mail.refresh_from_db()
    assert mail.state == "cancelled"
    assert list(drafts.drafts_for(alice.user)) == [draft]
    assert queue(alice, draft) != mail  # it can be sent anew
    assert variant.pk


def test_undo_while_the_bytes_are_made(alice):
    mail = queue(alice, alice.draft())
    assert outbox.undo(alice.user, mail.pk) is not None
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert mail.state == "cancelled"
    assert not Variant.objects.exists()


@pytest.mark.parametrize(
    "state", ["sending", "accepted", "filed", "failed", "uncertain", "cancelled"]
)
def test_undo_too_late(alice, state):
    mail = prepared(alice)
    OutgoingMail.objects.update(state=state)
    assert outbox.undo(alice.user, mail.pk) is None
    mail.refresh_from_db()
    assert mail.state == state


def test_undo_too_late_for_some(alice):
    mail = prepared(alice, to="bob@example.org, cy@example.org")
    Delivery.objects.filter(recipient="bob@example.org").update(state="accepted")
    assert outbox.undo(alice.user, mail.pk) is None


def test_send_now(alice):
    mail = prepared(alice)
    assert outbox.send_now(alice.user, mail.pk)
    mail.refresh_from_db()
    assert mail.due_at <= timezone.now()
    OutgoingMail.objects.update(state="sending")
    assert not outbox.send_now(alice.user, mail.pk)


@pytest.mark.parametrize("act", [outbox.undo, outbox.send_now, outbox.send_again, outbox.settle])
def test_others_mail_and_absent_mail_are_alike(alice, mallory, act):
    mail = prepared(mallory)
    for outgoing_id in (mail.pk, 999_999):
        with pytest.raises(Http404):
            act(alice.user, outgoing_id)


def test_a_lost_preparation_is_posted_again(alice, monkeypatch):
    sent = []
    monkeypatch.setattr(due, "post_again", lambda *task, lane, seconds: sent.append((*task, lane)))
    mail = queue(alice, alice.draft())
    due.hand_over()
    assert sent == []  # its task was only just posted
    OutgoingMail.objects.update(handed_until=timezone.now())
    due.hand_over()
    due.hand_over()
    assert sent == [("composer.prepare", mail.pk, "crypto")]


def test_a_mail_that_cannot_be_made_reopens_its_draft(alice, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("canary")

    monkeypatch.setattr(preparing, "build_entity", broken)
    mail = prepared(alice)
    assert mail.state == "failed"
    assert drafts.draft_for(alice.user, mail.draft_id).failure == (
        "The message could not be made ready. It is safe in Drafts."
    )


def test_certificates_that_vanish_between_click_and_crypto_stop_the_mail(alice, monkeypatch):
    monkeypatch.setattr(validation, "protection_of", lambda *_args, **_options: None)
    monkeypatch.setattr("smime.vault.key_ticket", lambda request: "")
    mail = prepared(alice, encrypt=True)
    assert mail.state == "failed"
    assert not Variant.objects.exists()


def test_recipient_states_reach_the_panel(alice, monkeypatch):
    content = drafts.content_of(alice.draft(to="bob@example.org, nonsense"))
    states = {chip.address: chip.state for chip in validation.recipient_chips(alice.user, content)}
    assert states == {"bob@example.org": RecipientState.NONE, "nonsense": RecipientState.INVALID}
