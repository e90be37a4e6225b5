"""The composer over HTTP, without script and with it."""

import json
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from webmail.composer import attachments, certificates, drafts, outbox, preparing, sending_off
from webmail.composer.models import CorrespondentUse, Draft, OutgoingMail
from webmail.composer.protection import OwnKeys

pytestmark = pytest.mark.django_db
SCRIPT = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch, settings):
    settings.UNDO_SEND_SECONDS = 10
    monkeypatch.setattr(outbox.wait_while_preparing, "__kwdefaults__", {"seconds": 0})


@pytest.fixture
def crypto_lane(monkeypatch):
    """A crypto worker that works at once."""
    wait = sending_off.outbox.wait_while_preparing

    def work(mail, **options):
        preparing.prepare(mail.pk, "")
        mail.refresh_from_db()
        return wait(mail, **options)

    monkeypatch.setattr(sending_off.outbox, "wait_while_preparing", work)


def form(draft, **fields):
    return {
        "to": "bob@example.org", "cc": "", "bcc": "", "subject": "Offer", "text": "We go up to 40.", "html": "",
        "revision": draft.revision, "key": uuid.uuid4(),
    } | fields  # fmt: skip


def post(site, draft, name, data, **options):
    return site.post(f"/compose/{draft.pk}/{name}", data, **options)


def test_signing_in_comes_first(client, alice):
    draft = alice.draft()
    for method, url in (
        ("get", "/compose"), ("get", "/drafts"), ("get", "/outbox"), ("get", "/compose/suggest?q=a"),
        ("get", "/compose/recipients?address=a@x"), ("post", f"/compose/{draft.pk}/send"),
        ("post", f"/compose/{draft.pk}/save"), ("post", f"/compose/{draft.pk}/discard"), ("post", "/outbox/1/undo"),
    ):  # fmt: skip
        answer = getattr(client, method)(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in")


def test_pages_act_by_post_alone(site, alice):
    draft = alice.draft()
    for name in ("save", "attach", "detach", "protection", "send", "discard"):
        assert site.get(f"/compose/{draft.pk}/{name}").status_code == 405
    for name in ("undo", "send-now", "again", "settle"):
        assert site.get(f"/outbox/1/{name}").status_code == 405


def test_compose_makes_a_draft_and_goes_to_it(site, alice):
    answer = site.get(
        "/compose", {"to": "Bob <bob@example.org>", "subject": "Hi\r\nBcc: x@y", "body": "a\r\nb"}
    )
    draft = Draft.objects.get()
    assert answer["Location"] == f"/compose?draft={draft.pk}"
    content = drafts.content_of(draft)
    assert [str(r) for r in content.to] == ["Bob <bob@example.org>"]
    assert (content.subject, content.text) == ("Hi Bcc: x@y", "a\nb")
    assert site.get(answer["Location"]).status_code == 200


def test_asking_for_a_certificate(site, alice):
    site.get("/compose", {"to": "petra@example.org", "ask": "certificate"})
    assert "Could you send me a signed message?" in drafts.content_of(Draft.objects.get()).text


def test_someone_without_an_account_is_told(site, alice):
    alice.identity.delete()
    assert site.get("/compose").status_code == 409


def test_saving_without_script(site, alice):
    draft = alice.draft()
    answer = post(site, draft, "save", form(draft, subject="Changed"))
    assert answer["Location"] == f"/compose?draft={draft.pk}"
    assert drafts.content_of(drafts.draft_for(alice.user, draft.pk)).subject == "Changed"


def test_saving_by_script(site, alice):
    draft = alice.draft()
    answer = post(site, draft, "save", form(draft, subject="Changed"), headers=SCRIPT)
    assert answer["Signet-Revision"] == "2"
    assert re.fullmatch(r"Draft saved, encrypted, \d\d:\d\d", answer.context["saved"].words)


def test_a_conflict_keeps_both_texts(site, alice):
    draft = alice.draft()
    post(site, draft, "save", form(draft, text="elsewhere"))
    answer = post(site, draft, "save", form(draft, text="typed here"))
    assert answer.status_code == 409
    assert answer.context["composer"].is_conflict
    assert answer.context["composer"].content.text == "typed here"
    assert (
        post(site, draft, "save", form(draft, text="typed here"), headers=SCRIPT).status_code == 409
    )
    answer = post(site, draft, "save", form(draft, text="typed here", keep="this"))
    assert answer.status_code == 302
    assert drafts.content_of(drafts.draft_for(alice.user, draft.pk)).text == "typed here"


def test_files_are_attached_and_taken_out(site, alice):
    draft = alice.draft()
    files = [SimpleUploadedFile("a.txt", b"aa"), SimpleUploadedFile("b.txt", b"bb")]
    answer = post(site, draft, "attach", form(draft, subject="Kept", files=files))
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert drafts.content_of(draft).subject == "Kept"
    assert [f.filename for f in draft.attachments.order_by("id")] == ["a.txt", "b.txt"]
    first = draft.attachments.first()
    post(site, draft, "detach", form(draft, subject="Kept", attachment=first.pk))
    assert [f.filename for f in draft.attachments.all()] == ["b.txt"]
    assert post(site, draft, "detach", {"attachment": first.pk}).status_code == 404


def test_a_file_too_large(site, alice):
    alice.account.server.submission_size_limit = 60_000
    alice.account.server.save()
    draft = alice.draft()
    files = [SimpleUploadedFile("plan.pdf", b"x" * 70_000), SimpleUploadedFile("b.txt", b"bb")]
    answer = post(site, draft, "attach", form(draft, files=files))
    assert answer.status_code == 422
    (said,) = answer.context["composer"].attachments_failures
    assert said.startswith("plan.pdf is not attached. Too large for this server (limit")
    page = answer.content.decode()
    assert said in page
    assert "Your message was not sent" not in page
    assert [file.filename for file in draft.attachments.all()] == ["b.txt"]


def test_too_many_files(site, alice, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_FILES", 1)
    draft = alice.draft()
    files = [SimpleUploadedFile("a.txt", b"a"), SimpleUploadedFile("b.txt", b"b")]
    answer = post(site, draft, "attach", form(draft, files=files), headers=SCRIPT)
    assert answer.status_code == 422
    assert "b.txt is not attached. A message can hold at most 1 files." in answer.content.decode()


def test_an_old_failure_is_not_said_of_the_files(site, alice):
    draft = alice.draft()
    Draft.objects.filter(pk=draft.pk).update(failure="550 5.1.1 No such person")
    files = [SimpleUploadedFile("a.txt", b"a")]
    answer = post(site, draft, "attach", form(draft, files=files), headers=SCRIPT)
    assert "No such person" not in answer.content.decode()
    assert "No such person" in site.get("/compose", {"draft": draft.pk}).content.decode()


def test_a_mail_too_large_is_said_at_its_files(site, alice):
    draft = alice.draft()
    post(site, draft, "attach", form(draft, files=[SimpleUploadedFile("a", b"x" * 70_000)]))
    alice.account.server.submission_size_limit = 60_000
    alice.account.server.save()
    draft.refresh_from_db()
    answer = post(site, draft, "send", form(draft))
    view = answer.context["composer"]
    assert (answer.status_code, view.failure) == (422, "")
    assert "Too large for this server" in view.attachments_failures[0]
    assert not OutgoingMail.objects.exists()


def test_discarding(site, alice):
    draft = alice.draft()
    assert post(site, draft, "discard", {})["Location"] == "/drafts"
    assert not Draft.objects.exists()
    again = alice.draft()
    assert post(site, again, "discard", {"next": "//evil.example/"})["Location"] == "/drafts"


def test_sending(site, alice, posted, crypto_lane):
    draft = alice.draft()
    answer = post(site, draft, "send", form(draft))
    assert (answer.status_code, answer["Location"]) == (302, "/outbox")
    (item,) = site.get("/outbox").context["items"]
    assert re.fullmatch(r"Sending to bob@example.org in \d+ s", item.words)
    assert (item.state, item.subject, item.can_undo, item.can_send_now) == (
        "queued",
        "Offer",
        True,
        True,
    )


def test_sending_by_script(site, alice, crypto_lane):
    draft = alice.draft()
    answer = post(site, draft, "send", form(draft), headers=SCRIPT)
    toast = json.loads(answer["Signet-Toast"])
    mail = OutgoingMail.objects.get()
    assert answer.status_code == 204
    assert toast["words"].startswith("Sending to bob@example.org in ")
    assert toast["undo"] == f"/outbox/{mail.pk}/undo"
    assert 0 < toast["seconds"] <= 10


def test_a_refusal_keeps_what_was_typed(site, alice):
    draft = alice.draft()
    answer = post(site, draft, "send", form(draft, to="bob", text="precious words"))
    assert answer.status_code == 422
    assert "is not an address" in answer.context["composer"].recipients_failure
    assert "Your message was not sent" not in answer.content.decode()
    assert answer.context["composer"].content.text == "precious words"


def test_the_panel_is_a_page_and_a_choice_is_carried_out(site, alice, crypto_lane):
    draft = alice.draft()
    data = form(draft, encrypt="on")
    answer = post(site, draft, "send", data)
    view = answer.context["composer"]
    assert answer.status_code == 422
    assert view.protection.kind == "own-key-missing"
    assert [choice.value for choice in view.protection.choices] == ["plain"]
    assert view.key == data["key"]
    assert not OutgoingMail.objects.exists()
    draft.refresh_from_db()
    answer = post(
        site, draft, "send", {"key": data["key"], "revision": draft.revision, "choice": "plain"}
    )
    assert answer["Location"] == "/outbox"
    assert OutgoingMail.objects.get().state == "queued"


def test_the_panel_comes_while_recipients_are_typed(site, alice):
    draft = alice.draft()
    typed = {"to": "bob@example.org, not yet an addr", "sign": "on", "encrypt": "on"}
    answer = post(site, draft, "protection", typed, headers=SCRIPT)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'data-kind="own-key-missing"' in page
    assert 'role="alert"' not in page  # it would speak at each key
    assert post(site, draft, "protection", {"to": "bob@example.org"}).status_code == 204
    draft.refresh_from_db()
    assert (draft.revision, draft.encrypt) == (1, False)  # asking stores nothing


def test_the_panel_counts_addresses_alone(site, alice, monkeypatch):
    can = OwnKeys(can_sign=True, can_decrypt=True, is_locked=False)
    monkeypatch.setattr(certificates, "own_keys", lambda *_: can)
    draft = alice.draft()
    typed = {"to": "bob@example.org, bo", "cc": "petra@example.org", "encrypt": "on"}
    page = post(site, draft, "protection", typed).content.decode()
    assert "2 of 2 people cannot read encrypted mail yet" in page
    assert post(site, draft, "protection", {"to": "bo", "encrypt": "on"}).status_code == 204


def test_a_repeat_gets_the_same_answer(site, alice, crypto_lane):
    draft = alice.draft()
    data = form(draft)
    answers = [post(site, draft, "send", data) for _ in range(3)]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/outbox")}
    OutgoingMail.objects.update(state="accepted", draft=None)
    Draft.objects.all().delete()
    assert post(site, draft, "send", data)["Location"] == "/outbox"
    assert OutgoingMail.objects.count() == 1
    assert post(site, draft, "send", form(draft)).status_code == 404


def test_a_repeat_while_it_is_being_made_is_told(site, alice):
    draft = alice.draft()
    data = form(draft)
    assert post(site, draft, "send", data)["Location"] == "/outbox"
    assert post(site, draft, "send", data).status_code == 409
    assert OutgoingMail.objects.count() == 1


def test_undo(site, alice, crypto_lane):
    draft = alice.draft()
    post(site, draft, "send", form(draft))
    mail = OutgoingMail.objects.get()
    assert site.post(f"/outbox/{mail.pk}/undo")["Location"] == f"/compose?draft={draft.pk}"
    answer = site.post(f"/outbox/{mail.pk}/undo")
    assert answer.status_code == 409
    assert answer.context["failure"] == "Too late: the message was already handed over."


def test_send_now_again_and_settle(site, alice, crypto_lane):
    draft = alice.draft()
    post(site, draft, "send", form(draft))
    mail = OutgoingMail.objects.get()
    assert site.post(f"/outbox/{mail.pk}/send-now").status_code == 302
    assert site.post(f"/outbox/{mail.pk}/again").status_code == 409
    OutgoingMail.objects.update(state="uncertain")
    assert site.post(f"/outbox/{mail.pk}/again").status_code == 302
    OutgoingMail.objects.update(state="uncertain", due_at=timezone.now(), lease_until=None)
    assert site.post(f"/outbox/{mail.pk}/settle").status_code == 302
    assert site.post(f"/outbox/{mail.pk}/settle").status_code == 409


def test_others_drafts_and_mails_do_not_exist(site, mallory):
    draft = mallory.draft()
    mail = OutgoingMail.objects.create(
        user=mallory.user,
        account=mallory.account,
        message_id="m",
        envelope_from="m@x",
        sealed_summary=b"",
    )
    for outgoing_id in (mail.pk, 99_999):
        for name in ("undo", "send-now", "again", "settle"):
            assert site.post(f"/outbox/{outgoing_id}/{name}").status_code == 404
    for draft_id in (draft.pk, 99_999):
        assert site.get("/compose", {"draft": draft_id}).status_code == 404
        for name in ("save", "attach", "detach", "protection", "send", "discard"):
            assert site.post(f"/compose/{draft_id}/{name}", form(draft)).status_code == 404


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "1e3", "²"])
def test_odd_ids(site, alice, value):
    assert site.get("/compose", {"draft": value}).status_code == 404
    draft = alice.draft()
    assert post(site, draft, "detach", {"attachment": value}).status_code == 404


def test_recipient_states(site, alice):
    answer = site.get("/compose/recipients", {"address": ["bob@example.org", "bob"]})
    assert [(r["address"], r["state"], r["words"]) for r in answer.json()["recipients"]] == [
        ("bob@example.org", "none", "No certificate"),
        ("bob", "invalid", "Not an address"),
    ]


def test_suggestions_are_ones_own(site, alice, mallory):
    CorrespondentUse.objects.create(
        user=alice.user, address="bob@example.org", name="Bob Berg", sent_count=1
    )
    CorrespondentUse.objects.create(user=mallory.user, address="bobby@example.org", name="Bobby")
    people = site.get("/compose/suggest", {"q": "bo"}).json()["people"]
    assert people == [{"name": "Bob Berg", "address": "bob@example.org"}]


def test_list_of_drafts(site, alice):
    alice.draft(subject="Second thoughts")
    assert site.get("/drafts").status_code == 200


def test_a_mailto_link_fills_the_form_and_nobody_is_written_to_unseen(site, alice):
    link = "mailto:out@l.example?subject=Take%20me%20off+now&body=a%0D%0Ab&bcc=x@y.example"
    page = site.get("/compose", {"mailto": link}, follow=True).content.decode()
    content = drafts.content_of(Draft.objects.get())
    assert [each.address for each in content.to] == ["out@l.example"]
    assert (content.subject, content.text.partition("\n\n-- ")[0]) == ("Take me off+now", "a\nb")
    assert content.bcc == ()
    assert 'value="out@l.example"' in page
