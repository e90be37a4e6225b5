"""A new mail begins as the last one was written."""

import uuid

import pytest

from webmail.composer import certificates, drafts, habits, outbox
from webmail.composer.habits import Habits
from webmail.composer.models import Draft
from webmail.composer.protection import OwnKeys

pytestmark = pytest.mark.django_db
HAS = OwnKeys(can_sign=True, can_decrypt=True, is_locked=False)
NONE = OwnKeys(can_sign=False, can_decrypt=False, is_locked=False)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(outbox.wait_while_preparing, "__kwdefaults__", {"seconds": 0})
    monkeypatch.setattr(certificates, "key_ticket", lambda _request: "")


def send(site, draft, **fields):
    form = {
        "to": "bob@example.org", "cc": "", "bcc": "", "subject": "Offer", "text": "Words.",
        "revision": draft.revision, "key": uuid.uuid4(),
    }  # fmt: skip
    return site.post(f"/compose/{draft.pk}/send", form | fields)


def new_page(site):
    return site.get(site.get("/compose")["Location"]).context["composer"]


def test_cc_bcc_and_plain_text_are_as_in_the_last_mail(site, alice, mallory):
    view = new_page(site)
    assert (view.shows_cc, view.shows_bcc, view.is_plain) == (False, False, False)
    send(site, alice.draft(), cc="anna@example.org", plain="yes")
    view = new_page(site)
    assert (view.shows_cc, view.shows_bcc, view.is_plain) == (True, False, True)
    send(site, alice.draft(), bcc="anna@example.org")  # without script: plain stays as it was
    view = new_page(site)
    assert (view.shows_cc, view.shows_bcc, view.is_plain) == (False, True, True)
    send(site, alice.draft(), plain="no")
    assert habits.habits_of(alice.user) == Habits()
    assert habits.habits_of(mallory.user) == Habits()


def test_a_plain_writer_gets_a_plain_signature(site, alice):
    alice.identity.signature = "Alice<br>Sales"
    alice.identity.save()
    habits.remember(alice.user, shows_cc=False, shows_bcc=False, writes_plain=True)
    new_page(site)
    content = drafts.content_of(Draft.objects.get())
    assert (content.html, content.text) == ("", "\n\n-- \nAlice\nSales")


def test_what_was_saved_as_text_opens_as_text(site, alice):
    draft = alice.draft()
    assert site.get("/compose", {"draft": draft.pk}).context["composer"].is_plain
    rich = alice.draft(html="<p>Words</p>")
    assert not site.get("/compose", {"draft": rich.pk}).context["composer"].is_plain


@pytest.mark.parametrize(
    ("own", "fields", "kept"),
    [
        (HAS, {"moved": "yes"}, (False, False)),
        (HAS, {"moved": "yes", "sign": "on"}, (True, False)),
        (HAS, {"moved": "no", "sign": "on"}, (None, None)),
        (HAS, {"moved": "yes", "choice": "signed", "sign": "on"}, (None, None)),
        (NONE, {"moved": "yes"}, (None, None)),
    ],
)
def test_switches_are_kept_when_they_were_moved(site, alice, monkeypatch, own, fields, kept):
    monkeypatch.setattr(certificates, "own_keys", lambda *_: own)
    send(site, alice.draft(), **fields)
    alice.identity.refresh_from_db()
    assert (alice.identity.sign_by_default, alice.identity.encrypt_by_default) == kept


def test_a_reply_changes_no_habit(site, alice):
    draft = alice.draft()
    Draft.objects.filter(pk=draft.pk).update(relation="reply")
    send(site, draft, cc="anna@example.org", plain="yes", moved="yes")
    assert habits.habits_of(alice.user) == Habits()
