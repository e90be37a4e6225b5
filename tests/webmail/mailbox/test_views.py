"""Buttons: what they change, what they answer, and whose mail they never touch."""

import json
import uuid

import pytest
from django.test import Client

from webmail.mailbox.models import Conversation, Flag, PendingChange

pytestmark = [pytest.mark.django_db, pytest.mark.urls("webmail.mailbox.urls")]


@pytest.fixture(autouse=True)
def _no_session_limits(settings):
    # Sessions and pages have tests of their own; here are only this app's addresses.
    keep = ("sessions", "auth.", "messages", "csrf")
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if any(word in one for word in keep)]


@pytest.fixture
def filled(alice):
    placements = [alice.place(uid=n + 1, minutes=n) for n in range(3)]
    alice.refresh(*placements)
    return alice


def _client(owner, **options):
    client = Client(**options)
    client.force_login(owner.user)
    return client


def _post(owner, path="/actions", **fields):
    return _client(owner).post(path, fields, headers={"HX-Request": "true"})


def _conversation_ids():
    return list(Conversation.objects.order_by("latest_at").values_list("id", flat=True))


@pytest.mark.parametrize(
    ("action", "folder", "words"),
    [
        ("archive", "archive", "2 archived"),
        ("trash", "trash", "2 deleted"),
        ("junk", "junk", "2 moved to Spam"),
    ],
)
def test_moves(filled, action, folder, words):
    response = _post(filled, action=action, ids=_conversation_ids()[:2])
    assert response.status_code == 204
    toast = json.loads(response["Signet-Toast"])
    assert toast["words"] == words
    assert filled.folders[folder].placements.count() == 2
    assert filled.inbox.placements.filter(is_leaving=False).count() == 1
    undone = _post(filled, "/undo", group=toast["undo"])
    assert json.loads(undone["Signet-Toast"])["words"] == "Undone"
    assert filled.inbox.placements.filter(is_leaving=False).count() == 3
    assert filled.folders[folder].placements.count() == 0


def test_move_to_a_folder(filled):
    target = filled.folders["drafts"]
    response = _post(filled, action="move", ids=_conversation_ids()[0], target=target.pk)
    assert json.loads(response["Signet-Toast"])["words"] == "Moved to Drafts"
    assert target.placements.count() == 1


def test_marks(filled):
    _post(filled, action="read", ids=",".join(map(str, _conversation_ids())))
    filled.inbox.refresh_from_db()
    assert filled.inbox.unseen_count == 0
    message_id = filled.inbox.placements.first().message_id
    _post(filled, action="star", kind="message", ids=message_id)
    assert Conversation.objects.filter(is_flagged=True).count() == 1
    _post(filled, action="unread", kind="message", ids=message_id)
    assert filled.inbox.placements.first().shown_flags == Flag.FLAGGED


def test_without_script_the_answer_is_a_page_and_stays_on_this_site(filled):
    ids = _conversation_ids()
    for following, location in (
        ("/mail/inbox", "/mail/inbox"),
        ("https://evil.test/", "/"),
        ("", "/"),
    ):
        fields = {"action": "star", "ids": ids[0], "next": following}
        response = _client(filled).post("/actions", fields)
        assert (response.status_code, response["Location"]) == (303, location)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "explode", "ids": "1"},
        {"action": "star"},
        {"action": "star", "ids": "x"},
        {"action": "star", "ids": "9" * 40},
        {"action": "star", "ids": "1", "kind": "folder"},
        {"action": "move", "ids": "1", "target": "-1"},
    ],
)
def test_malformed(filled, fields):
    assert _post(filled, **fields).status_code == 400


def test_mail_of_others_is_absent(filled, mallory):
    ids = _conversation_ids()
    assert _post(mallory, action="trash", ids=ids).status_code == 404
    assert _post(mallory, action="trash", ids=[10**6]).status_code == 404
    own = filled.inbox.placements.first().message_id
    assert _post(mallory, action="read", kind="message", ids=own).status_code == 404
    foreign = mallory.folders["archive"].pk
    assert _post(filled, action="move", ids=ids, target=foreign).status_code == 404
    assert not PendingChange.objects.exists()
    group = json.loads(_post(filled, action="trash", ids=ids)["Signet-Toast"])["undo"]
    _post(mallory, "/undo", group=group)
    assert set(PendingChange.objects.values_list("state", flat=True)) == {"pending"}
    _post(filled, "/undo", group=uuid.uuid4())
    assert set(PendingChange.objects.values_list("state", flat=True)) == {"pending"}


def test_only_signed_in_posts_with_a_token(filled):
    assert Client().post("/actions", {"action": "star"}).status_code == 302
    assert _client(filled).get("/actions").status_code == 405
    strict = _client(filled, enforce_csrf_checks=True)
    assert strict.post("/actions", {"action": "star"}).status_code == 403
