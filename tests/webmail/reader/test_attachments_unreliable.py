"""Files of mail that must not be relied on: each behind a second click, never drawn, never packed
together, and the page says so (verdicts.md, class `bad`).
"""

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from smime.pki.authority import issue, new_root
from smime.writing import protect
from tests.webmail.attached.made import picture
from tests.webmail.reader.test_attachments import hrefs, whole
from webmail.mailbox import blobs
from webmail.mime import Address
from webmail.mime.write import Attachment, Composition, build_entity, header_fields
from webmail.reader import pipeline
from webmail.reader.models import Reading

FILES = (("room.png", "image/png", picture()), ("a.txt", "text/plain", b"text\n"))
REFUSED = "Not everything in this message can be relied on."


def signed(*files: tuple[str, str, bytes], text: str = "See the files.\n") -> bytes:
    """A letter of Anna's with files, signed under an authority nobody knows here."""
    now = datetime.now(UTC)
    root = new_root("Far Root", now - timedelta(days=9))
    pair = issue(
        root, "anna@nordlys.example", "Anna", key="p256",
        not_before=now - timedelta(days=3), not_after=now + timedelta(days=90),
    )  # fmt: skip
    made = Composition(
        from_=Address("Anna", "anna@nordlys.example"),
        to=(Address("Mira", "mira@nordlys.example"),),
        subject="Files",
        date=now,
        message_id="files@nordlys.example",
        text=text,
        attachments=tuple(Attachment(*file) for file in files),
    )
    return protect(build_entity(made), header_fields(made), signer=pair, recipients=[])


def with_two_senders(raw: bytes) -> bytes:
    """The same with a second From: nobody can say whose it is (`from-malformed`, bad)."""
    return b"From: Boss <boss@nordlys.example>\r\n" + raw


def archive_url(page: str) -> list[str]:
    return [url for url in hrefs(page, "/attached/") if url.endswith(".zip")]


def assert_one_by_one(letters, page: str) -> None:
    """No picture, no viewer, no archive; each file behind a second click, and it comes whole."""
    assert "data:image" not in page
    assert hrefs(page, "/attached/") == []
    assert "To be downloaded one by one" in page
    assert page.count("Download anyway") == len(FILES)
    downloads = [url for url in hrefs(page, "/part/") if "download=1" in url]
    for url, (_name, _type, content) in zip(downloads, FILES, strict=True):
        assert whole(letters.client.get(url)) == content


def test_a_message_with_two_senders_gives_its_files_one_by_one(letters):
    message = letters.put(with_two_senders(signed(*FILES)), is_secured=True)
    page = letters.opened(message)
    assert "The sender field is malformed" in page
    assert "Plain text only." in page
    assert_one_by_one(letters, page)


def test_so_does_one_without_a_word_of_text(letters):
    """Nothing but files: the note and the second click stand there, too."""
    letter = signed(*FILES)
    boundary = re.search(rb'multipart/mixed; boundary="([^"]+)"', letter)[1]
    text_begins = letter.index(b"--" + boundary)
    file_begins = letter.index(b"--" + boundary, text_begins + 4)
    letter = letter[:text_begins] + letter[file_begins:]
    message = letters.put(with_two_senders(letter), is_secured=True)
    page = letters.opened(message)
    assert "/frame" not in page
    assert "Plain text only." in page
    assert_one_by_one(letters, page)


@pytest.mark.parametrize("is_first", [True, False])
def test_one_part_that_must_not_be_relied_on_is_enough(letters, monkeypatch, is_first):
    """An archive would be without its files and not say so; the others are still shown."""
    plain = (
        b"Content-Type: text/plain\r\n\r\nHello\r\n--outer\r\n"
        b'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="rows.csv"\r\n'
        b"\r\na;b\r\n"
    )
    _head, _, body = signed(*FILES).partition(b"Content-Type: multipart/signed")
    framed = b"Content-Type: multipart/signed" + body
    parts = [framed, plain] if is_first else [plain, framed]
    raw = (
        b"From: Anna <anna@nordlys.example>\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="outer"\r\n\r\n--outer\r\n'
        + b"\r\n--outer\r\n".join(parts)
        + b"\r\n--outer--\r\n"
    )
    message = letters.put(raw)
    page = letters.cards(message)
    (together,) = archive_url(page)  # signed by a stranger is no danger: all three, as they are
    with zipfile.ZipFile(io.BytesIO(whole(letters.client.get(together)))) as archive:
        assert sorted(archive.namelist()) == ["a.txt", "room.png", "rows.csv"]
    views = [url for url in hrefs(page, "/attached/") if url != together]
    assert len(views) == 3

    # Now the signed part turns out to be one that must not be relied on.
    judged = pipeline.permission_for

    def permission(verdict, *, variant):
        is_framed = verdict.signature.code != "partly-signed"
        if is_framed:
            return pipeline.Permission(html=False, remote=False, links=False)
        return judged(verdict, variant=variant)

    monkeypatch.setattr(pipeline, "permission_for", permission)
    answer = letters.client.get(together)
    assert answer.status_code == 403
    assert REFUSED in answer.content.decode()
    Reading.objects.filter(message=message).delete()
    page = letters.cards(message)
    assert archive_url(page) == []
    assert "To be downloaded one by one" in page
    assert page.count("Download anyway") == len(FILES)
    (view,) = hrefs(page, "/attached/")
    assert "a;b" in letters.client.get(view).content.decode()
    assert letters.client.get(view).status_code == 200


def test_addresses_of_before_say_why(letters):
    """The verdict turned after the page was made: a word, not an empty archive or "try again"."""
    good = signed(*FILES)
    message = letters.put(good, is_secured=True)
    page = letters.cards(message)
    (together,) = archive_url(page)
    views = [url for url in hrefs(page, "/attached/") if url != together]
    blobs.put(letters.mailbox.account, with_two_senders(good), message=message)
    for url in (together, *views):
        answer = letters.client.get(url)
        assert answer.status_code == 403, url
        assert REFUSED in answer.content.decode()
        assert "could not be fetched" not in answer.content.decode()
