"""Drafts of other mail programs: continued here, left alone there until they are sent."""

import uuid

import pytest
from django.utils import timezone

from accounts.models import MailServer
from webmail.composer import attachments, drafts, outbox, preparing, replying, sending
from webmail.composer.models import Draft
from webmail.mailbox.models import Folder, Message, PendingChange, Placement, Thread
from webmail.submission import Outcome, Phase

pytestmark = pytest.mark.django_db

RAW = (
    b"From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nCc: cy@example.org\r\n"
    b"Bcc: dee@example.org\r\nSubject: Re: Offer\r\nMessage-ID: <draft@x>\r\n"
    b"In-Reply-To: <b@x>\r\nReferences: <a@x> <b@x>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nWe go up to\r\n"
    b"--b\r\nContent-Type: application/pdf\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--b--\r\n"
)
ACCEPTED = Outcome(state="accepted", stage=Phase.DATA_END, code=250, text="taken")


@pytest.fixture
def placement(alice):
    """A draft in the account's Drafts folder, as another program left it."""
    folders = {
        role: Folder.objects.create(account=alice.account, path=role.title(), role=role)
        for role in ("drafts", "trash", "inbox")
    }
    now = timezone.now()
    message = Message.objects.create(
        account=alice.account, thread=Thread.objects.create(account=alice.account, last_date=now),
        content_key="k", internal_date=now, message_id="draft@x", from_address="alice@example.org",
    )  # fmt: skip
    return Placement.objects.create(
        folder=folders["drafts"], uid=1, message=message, internal_date=now
    )


@pytest.fixture(autouse=True)
def world(monkeypatch, posted, settings, django_capture_on_commit_callbacks):
    settings.UNDO_SEND_SECONDS = 0
    monkeypatch.setattr(replying, "WAIT", 0)
    monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: RAW)


def continued(alice, placement) -> Draft:
    draft = replying.continue_draft(alice.user, placement.message, request=None)
    replying.prepare_reply(draft.pk, "")
    return drafts.draft_for(alice.user, draft.pk)


def moves() -> list[tuple[str, str]]:
    rows = PendingChange.objects.order_by("pk")
    return [(each.operation, each.folder.role) for each in rows]


def test_it_is_continued_as_it_is(alice, placement):
    draft = continued(alice, placement)
    content = drafts.content_of(draft)
    assert [str(each) for each in content.to] == ["Bob <bob@example.org>"]
    assert [each.address for each in (*content.cc, *content.bcc)] == [
        "cy@example.org", "dee@example.org"
    ]  # fmt: skip
    assert (content.subject, content.text, content.html) == ("Re: Offer", "We go up to\n", "")
    assert (content.in_reply_to, content.references) == ("b@x", ("a@x", "b@x"))
    (file,) = draft.attachments.all()
    assert b"".join(attachments.content_of(file)).strip() == b"%PDF"
    assert draft.identity == alice.identity
    assert moves() == []


def test_opened_twice_it_is_one(alice, placement):
    draft = continued(alice, placement)
    assert replying.continue_draft(alice.user, placement.message, request=None) == draft


def test_one_that_could_not_be_read_is_tried_again(alice, placement, monkeypatch):
    with monkeypatch.context() as away:
        away.setattr("webmail.mailbox.bodies.raw", lambda message, **_: 1 / 0)
        failed = continued(alice, placement)
    assert failed.failure
    again = continued(alice, placement)
    assert (again.pk, again.failure) == (failed.pk, "")
    assert drafts.content_of(again).subject == "Re: Offer"


@pytest.mark.parametrize("is_read", [True, False])
def test_thrown_away_it_goes_to_the_trash_unless_it_was_never_read(
    alice, placement, is_read, monkeypatch, django_capture_on_commit_callbacks
):
    if not is_read:
        monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: 1 / 0)
    draft = continued(alice, placement)
    with django_capture_on_commit_callbacks(execute=True):
        drafts.discard(alice.user, draft.pk)
    assert moves() == ([("move", "drafts")] if is_read else [])


def test_sent_it_leaves_the_drafts(
    alice, placement, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr("accounts.credentials.for_account", lambda account: None)
    MailServer.objects.update(submission_size_limit=1_000_000)
    monkeypatch.setattr(sending, "submit", lambda **_: ACCEPTED)
    draft = continued(alice, placement)
    with django_capture_on_commit_callbacks(execute=True):
        mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
        preparing.prepare(mail.pk, "")
    assert moves() == []
    with django_capture_on_commit_callbacks(execute=True):
        sending.send(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "accepted"
    assert moves() == [("move", "drafts")]


def test_only_drafts_are_continued_and_only_ones_own(site, alice, mallory, placement, client):
    url = f"/compose?edit={placement.message_id}"
    assert site.get(url).status_code == 302
    inbox = Folder.objects.get(role="inbox")
    Placement.objects.update(folder=inbox)
    assert site.get(url).status_code == 404
    Placement.objects.update(folder=Folder.objects.get(role="drafts"))
    client.force_login(mallory.user)
    assert client.get(url).status_code == 404


def test_its_page_offers_to_continue_it(site, placement):
    drafts_id, message_id = placement.folder_id, placement.message_id
    page = site.get(f"/message/{message_id}?in={drafts_id}").content.decode()
    assert f'href="/compose?edit={message_id}"' in page
