"""Drafts: sealed, told when stale, held while on their way, gone with their files."""

import base64
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.utils import timezone

from accounts import rotation
from webmail.composer import attachments, drafts, sealed_files
from webmail.composer.content import DraftContent, open_content, open_summary, seal_summary
from webmail.composer.models import Draft, OutgoingMail
from webmail.composer.recipients import parse

pytestmark = pytest.mark.django_db


def save(writer, draft, text="new words", *, revision=None, **options):
    return drafts.save(
        writer.user,
        draft.pk,
        DraftContent(to=parse("bob@example.org"), subject="S", text=text),
        draft.revision if revision is None else revision,
        identity=writer.identity,
        sign=False,
        encrypt=False,
        **options,
    )


def on_its_way(writer, draft, state="queued"):
    return OutgoingMail.objects.create(
        user=writer.user, account=writer.account, draft=draft, message_id="m@x",
        envelope_from="a@x", sealed_summary=b"", state=state,
    )  # fmt: skip


def test_words_are_sealed_and_bound_to_the_row(alice):
    draft = alice.draft(text="canary-words", subject="canary-subject")
    other = alice.draft()
    assert b"canary" not in bytes(draft.sealed_content)
    assert drafts.content_of(draft).text == "canary-words"
    with pytest.raises(Exception, match="belongs elsewhere"):
        open_content(draft.sealed_content, draft_id=other.pk)


def test_a_save_raises_the_revision(alice):
    draft = alice.draft()
    assert save(alice, draft).revision == draft.revision + 1


def test_a_stale_save_is_told_and_changes_nothing(alice):
    draft = alice.draft()
    save(alice, draft, "first")
    with pytest.raises(drafts.RevisionConflictError) as caught:
        save(alice, draft, "second")
    assert drafts.content_of(caught.value.draft).text == "first"
    assert drafts.content_of(save(alice, draft, "second", overrides=True)).text == "second"


def test_a_repeated_save_is_no_conflict(alice):
    draft = alice.draft()
    once = save(alice, draft)
    assert save(alice, draft).revision == once.revision


def test_forms_do_not_lose_what_they_do_not_hold(alice):
    draft = alice.draft(references=("a@x", "b@x"), in_reply_to="b@x", secret_lines=("We go up",))
    kept = drafts.content_of(save(alice, draft))
    assert (kept.references, kept.in_reply_to, kept.secret_lines) == (
        ("a@x", "b@x"),
        "b@x",
        ("We go up",),
    )


def test_a_page_does_not_conflict_with_its_own_saves(alice):
    draft, page = alice.draft(), uuid.uuid4()
    first = save(alice, draft, "in flight", page=drafts.Page(page, 1))
    # The page closes before the first answer came: its last words count from the old revision.
    last = save(alice, draft, "last words", page=drafts.Page(page, 2))
    assert first.revision < last.revision
    # The first one again, overtaken on its way: the later words stay.
    late = save(alice, draft, "in flight", page=drafts.Page(page, 1))
    assert drafts.content_of(late).text.strip() == "last words"
    with pytest.raises(drafts.RevisionConflictError):
        save(alice, draft, "another page", page=drafts.Page(uuid.uuid4(), 9))


def test_the_page_after_a_reload_does_not_conflict_with_the_one_before(alice):
    draft, left, page = alice.draft(), uuid.uuid4(), uuid.uuid4()
    # The reload was answered before the last save of the page that was left arrived.
    save(alice, draft, "left", page=drafts.Page(left, 4))
    follower = drafts.Page(page, 1, before=left)
    now = save(alice, draft, "left, and more", page=follower)
    assert drafts.content_of(now).text.strip() == "left, and more"
    # That save once more, overtaken on its way, undoes nothing.
    with pytest.raises(drafts.RevisionConflictError):
        save(alice, draft, "left", page=drafts.Page(left, 4))
    # Somebody else's page is somebody else's, whatever this one follows.
    save(alice, now, "elsewhere", page=drafts.Page(uuid.uuid4(), 1))
    with pytest.raises(drafts.RevisionConflictError):
        save(alice, now, "here", page=drafts.Page(page, 2, before=left))


def test_a_draft_that_no_page_saved_is_nobodys_own(alice):
    draft = alice.draft()
    drafts.rewrite(drafts.draft_for(alice.user, draft.pk), DraftContent(text="with a quote"))
    with pytest.raises(drafts.RevisionConflictError):
        save(alice, draft, "words", page=drafts.Page(uuid.uuid4(), 1, before=None))


def test_a_save_that_changes_nothing_names_its_page(alice):
    """The page that follows in the tab knows by it that nothing is on its way any more."""
    draft, page = alice.draft(), uuid.uuid4()
    save(alice, draft, "words", page=drafts.Page(uuid.uuid4(), 1))
    now = save(alice, draft, "words", page=drafts.Page(page, 3))
    assert (now.saved_by, now.saved_step) == (page, 3)


def test_a_save_that_changes_nothing_still_counts(alice):
    draft, page = alice.draft(), uuid.uuid4()
    first = save(alice, draft, "long paragraph", page=drafts.Page(page, 1))
    # Deleted (2, on its way), undone and closed (3, arrives first).
    save(alice, first, "long paragraph", page=drafts.Page(page, 3))
    late = save(alice, first, "", page=drafts.Page(page, 2))
    assert drafts.content_of(late).text.strip() == "long paragraph"


def test_words_made_by_a_worker_are_no_save_of_the_page(alice):
    draft, page = alice.draft(), uuid.uuid4()
    saved = save(alice, draft, "words", page=drafts.Page(page, 1))
    drafts.rewrite(saved, DraftContent(text="with a quote"))
    with pytest.raises(drafts.RevisionConflictError):
        save(alice, draft, "more words", page=drafts.Page(page, 2))


def test_html_is_washed_and_its_text_is_made(alice):
    draft = alice.draft()
    content = DraftContent(
        html='<p>Hello <b>Bo</b></p><script>alert(1)</script><img src="https://t.example/p.gif">'
    )
    saved = drafts.save(
        alice.user, draft.pk, content, 1, identity=alice.identity, sign=False, encrypt=False
    )
    stored = drafts.content_of(saved)
    assert "<b>Bo</b>" in stored.html
    assert "script" not in stored.html
    assert "t.example" not in stored.html
    assert stored.text.strip() == "Hello Bo"


def test_encrypt_implies_sign(alice):
    draft = alice.draft()
    saved = drafts.save(
        alice.user, draft.pk, DraftContent(), 1, identity=alice.identity, sign=False, encrypt=True
    )
    assert (saved.sign, saved.encrypt) == (True, True)


def test_subjects_are_one_line(alice):
    saved = drafts.save(
        alice.user, alice.draft().pk, DraftContent(subject="a\r\nBcc: x@y.example"), 1,
        identity=alice.identity, sign=False, encrypt=False,
    )  # fmt: skip
    assert drafts.content_of(saved).subject == "a Bcc: x@y.example"


@pytest.mark.parametrize("state", ["preparing", "queued", "sending", "uncertain"])
def test_a_draft_on_its_way_is_held(alice, state):
    draft = alice.draft()
    on_its_way(alice, draft, state)
    with pytest.raises(drafts.DraftIsSendingError):
        save(alice, draft)
    with pytest.raises(drafts.DraftIsSendingError):
        drafts.discard(alice.user, draft.pk)
    with pytest.raises(drafts.DraftIsSendingError):
        attachments.attach(alice.user, draft.pk, SimpleUploadedFile("a.txt", b"a"))
    assert list(drafts.drafts_for(alice.user)) == []


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_draft_that_came_back_is_free(alice, state):
    draft = alice.draft()
    on_its_way(alice, draft, state)
    assert list(drafts.drafts_for(alice.user)) == [draft]
    save(alice, draft)


def test_others_drafts_and_absent_ones_are_alike(alice, mallory):
    draft = mallory.draft()
    for draft_id in (draft.pk, 999_999):
        with pytest.raises(Http404):
            drafts.draft_for(alice.user, draft_id)
        with pytest.raises(Http404):
            drafts.save(
                alice.user,
                draft_id,
                DraftContent(),
                1,
                identity=alice.identity,
                sign=False,
                encrypt=False,
            )
        with pytest.raises(Http404):
            drafts.discard(alice.user, draft_id)
        with pytest.raises(Http404):
            attachments.attach(alice.user, draft_id, SimpleUploadedFile("a.txt", b"a"))


def test_one_cannot_write_as_somebody_else(alice, mallory):
    assert drafts.identity_for(alice.user, mallory.identity.pk) == alice.identity


def test_attachments_go_with_the_draft(alice, django_capture_on_commit_callbacks):
    draft = alice.draft()
    upload = SimpleUploadedFile(
        "../../Plan\u202e.pdf", b"%PDF" * 1000, content_type="application/pdf; x=y"
    )
    attached = attachments.attach(alice.user, draft.pk, upload)
    assert attached.content_type == "application/pdf"
    assert "/" not in attached.filename and "\u202e" not in attached.filename
    assert b"".join(attachments.content_of(attached)) == b"%PDF" * 1000
    with django_capture_on_commit_callbacks(execute=True):
        drafts.discard(alice.user, draft.pk)
    with pytest.raises(FileNotFoundError):
        sealed_files.read_all(attached.key)


@pytest.mark.parametrize(
    ("announced", "kept"),
    [
        ("image/PNG", "image/png"),
        ("text/html; charset=x", "text/html"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("text/html\r\nX: y", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_content_types_are_plain(alice, announced, kept):
    attached = attachments.attach_content(
        alice.user, alice.draft().pk, filename="a", content_type=announced, chunks=[b"a"]
    )
    assert attached.content_type == kept


def test_a_file_too_large_for_the_server_is_refused_in_words(alice):
    alice.account.server.submission_size_limit = 100_000
    alice.account.server.save()
    draft = alice.draft()
    attachments.attach(alice.user, draft.pk, SimpleUploadedFile("a", b"x" * 40_000))
    with pytest.raises(attachments.AttachmentRefusedError, match="Too large for this server"):
        attachments.attach(alice.user, draft.pk, SimpleUploadedFile("b", b"x" * 40_000))
    assert draft.attachments.count() == 1


def test_a_full_disk_is_told(alice, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sealed_files, "write", full)
    with pytest.raises(attachments.AttachmentRefusedError, match="could not be stored"):
        attachments.attach(alice.user, alice.draft().pk, SimpleUploadedFile("a", b"a"))


def test_untouched_drafts_expire(alice):
    old = drafts.new(alice.user, identity=alice.identity)
    young = drafts.new(alice.user, identity=alice.identity)
    written = alice.draft()
    Draft.objects.filter(pk__in=[old.pk, written.pk]).update(
        created_at=timezone.now() - timedelta(days=2)
    )
    assert list(drafts.drafts_for(alice.user)) == [written]
    assert drafts.expire_unsaved() == 1
    assert set(Draft.objects.values_list("pk", flat=True)) == {young.pk, written.pk}


def test_rotating_the_keyring_keeps_drafts_and_summaries_readable(alice, settings):
    old, new = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    settings.KEYRING = old
    draft = alice.draft(text="words")
    mail = on_its_way(alice, draft, "failed")
    mail.sealed_summary = seal_summary(people="Bob", subject="S", envelope_id=str(mail.envelope_id))
    mail.save()
    settings.KEYRING = f"{new} {old}"
    rotation.rotate()
    settings.KEYRING = new
    draft.refresh_from_db()
    mail.refresh_from_db()
    assert drafts.content_of(draft).text == "words"
    assert open_summary(mail.sealed_summary, envelope_id=str(mail.envelope_id)) == ("Bob", "S")
