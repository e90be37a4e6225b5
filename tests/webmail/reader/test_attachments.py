"""Attachments of a message over HTTP: cards, viewer, downloads, and what hostile files do to them."""

import io
import re
import zipfile
from html import unescape

import pytest
from PIL import Image

from accounts import sealed_cache
from tests.corpora import corpus
from tests.webmail.attached.made import animation, pdf, picture, png_bomb
from webmail.attached import limits
from webmail.mime import parse_message
from webmail.reader import opening, parts, pieces, previews, viewing
from webmail.reader.models import Rendition

PART_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def hrefs(page: str, beginning: str) -> list[str]:
    return [unescape(url) for url in re.findall(rf'(?:href|src)="({beginning}[^"]*)"', page)]


def whole(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_cards_show_pictures_pages_and_sizes(letters):
    message = letters.letter(
        ("offer.pdf", "application/pdf", pdf(3)),
        ("room.jpg", "image/jpeg", picture(900, 600, "JPEG")),
        ("rows.csv", "text/csv", b"a;b\n"),
    )
    first = letters.opened(message)
    assert f'data-pending="/message/{message.pk}/attached"' in first
    assert "data:image/webp" not in first
    page = letters.cards(message)
    assert page.count('src="data:image/webp;base64,') == 2
    assert "PDF, 3 pages" in page
    assert "3 attachments" in page
    assert page.count("data-view") == 3
    again = letters.opened(message)  # what is known is there at once
    assert "data-pending" not in again
    assert again.count('src="data:image/webp;base64,') == 2


def test_hostile_files_get_no_picture_and_no_viewer(letters):
    message = letters.letter(
        ("bomb.png", "image/png", png_bomb()),
        ("cut.jpg", "image/jpeg", picture(99, 99, "JPEG")[:90]),
        ("page.pdf", "application/pdf", b"<html><script>alert(1)</script>"),
        ("logo.svg", "image/svg+xml", b"<svg onload='alert(1)'/>"),
        ("run.html", "text/html", b"<script>alert(1)</script>"),
        ("really.png.exe", "image/png", picture()),
    )
    page = letters.cards(message)
    assert "data:image" not in page
    assert "<script" not in page
    assert page.count("This kind of file can run programs.") == 3  # svg, html, exe
    for url in hrefs(page, "/attached/"):
        answer = letters.client.get(url)
        assert answer.status_code in {200, 404, 503}
        if answer.status_code == 200 and not url.endswith(".zip"):
            assert "You can download it." in answer.content.decode()


def test_the_viewer_shows_a_picture_drawn_anew(letters):
    message = letters.letter(("room.gif", "image/gif", animation()))
    (url,) = hrefs(letters.cards(message), "/attached/")
    dialog = letters.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in dialog
    assert "This picture moves" in dialog
    alone = letters.client.get(url).content.decode()
    assert "<html" in alone  # without script it is a page of its own
    page, moving = hrefs(dialog, "/attached/")
    assert "animated" in letters.cards(message)
    played = Image.open(io.BytesIO(letters.client.get(moving).content))
    assert (played.format, played.n_frames) == ("WEBP", 3)
    answer = letters.client.get(page)
    assert Image.open(io.BytesIO(answer.content)).n_frames == 1
    assert answer.content[:4] == b"RIFF"
    assert answer["Content-Type"] == "image/webp"
    assert answer["Content-Security-Policy"] == PART_POLICY


def test_pages_of_a_pdf_come_one_by_one_and_end_at_a_limit(letters, workers):
    message = letters.letter(("long.pdf", "application/pdf", pdf(limits.PDF_PAGES + 4)))
    (url,) = hrefs(letters.cards(message), "/attached/")
    dialog = letters.client.get(url).content.decode()
    assert f"The first {limits.PDF_PAGES} of {limits.PDF_PAGES + 4} pages are shown." in dialog
    pages = [page for page in hrefs(dialog, "/attached/") if page.endswith("/page")]
    assert len(pages) == limits.PDF_PAGES
    workers.clear()
    assert letters.client.get(pages[2]).status_code == 200
    assert workers == []  # drawn with the first ones
    assert letters.client.get(pages[3]).status_code == 200
    assert letters.client.get(pages[5]).status_code == 200
    assert workers == ["reader.draw_pages"]


def test_text_is_text_and_cut_with_notice(letters):
    message = letters.letter(
        ("notes.txt", "text/plain", b"<script>alert(1)</script>\n"),
        ("long.log", "text/plain", b"line\n" * 200_000),
    )
    short, long = hrefs(letters.cards(message), "/attached/")[-2:]
    page = letters.client.get(short).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "Only the beginning is shown." in letters.client.get(long).content.decode()


def test_the_exact_header_fields_of_a_download(letters):
    message = letters.letter(("Bericht März.pdf", "application/pdf", pdf()))
    (url,) = hrefs(letters.cards(message), "/part/")
    answer = letters.client.get(url)
    assert whole(answer) == pdf()
    sent = {
        name: value
        for name, value in answer.items()
        if name
        not in {"Vary", "Permissions-Policy", "Cross-Origin-Opener-Policy", "Content-Language"}
    }
    assert sent == {
        "Content-Type": "application/pdf",
        "Content-Disposition": (
            "attachment; filename=\"Bericht Marz.pdf\"; filename*=UTF-8''Bericht%20M%C3%A4rz.pdf"
        ),
        "Content-Length": str(len(pdf())),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": PART_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }


@pytest.mark.parametrize(
    ("name", "media_type", "content", "sent_as", "inline"),
    [
        ("a.html", "text/html", b"<script>", "application/octet-stream", False),
        ("a.svg", "image/svg+xml", b"<svg/>", "application/octet-stream", False),
        ("a.xml", "application/xhtml+xml", b"<html/>", "application/octet-stream", False),
        ("a.js", "application/javascript", b"alert(1)", "application/octet-stream", False),
        ("a.png", "image/png", b"<html>", "image/png", False),
        ("a.png", "image/png", picture(), "image/png", True),
        ("a.txt", "text/plain", b"<script>", "text/plain; charset=utf-8", True),
        ("a.pdf", "application/pdf", pdf(), "application/pdf", False),
        ("../../etc/passwd", "x-made/up", b"x", "application/octet-stream", False),
        ("evil\u202egpj.exe", "application/x-msdownload", b"MZ", "application/octet-stream", False),
    ],
)
def test_check_44_no_download_is_more_than_a_file(
    letters, name, media_type, content, sent_as, inline
):
    """reliability.md 44: types that lie, names that hide, paths in names."""
    message = letters.letter((name, media_type, content))
    url = hrefs(letters.opened(message), "/part/")[0]
    answer = letters.client.get(url.removesuffix("?download=1"))
    assert answer["Content-Type"] == sent_as
    assert answer["Content-Disposition"].startswith("inline;" if inline else "attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == PART_POLICY
    assert not re.search(r"[/\\\u202e]", answer["Content-Disposition"].replace("UTF-8''", ""))
    assert letters.client.get(url)["Content-Disposition"].startswith("attachment;")


def test_all_as_one_zip(letters):
    message = letters.letter(
        ("a.txt", "text/plain", b"one"),
        ("A.txt", "text/plain", b"two"),
        ("../a.txt", "text/plain", b"three"),
        ("large.bin", "application/octet-stream", bytes(3 * pieces.PIECE + 5)),
    )
    (url,) = [url for url in hrefs(letters.cards(message), "/attached/") if url.endswith(".zip")]
    answer = letters.client.get(url)
    assert answer.streaming
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Security-Policy"] == PART_POLICY
    assert answer["Content-Disposition"].startswith('attachment; filename="Attachments.zip"')
    with zipfile.ZipFile(io.BytesIO(whole(answer))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "A (2).txt", "a (3).txt", "large.bin"]
        assert archive.read("a (3).txt") == b"three"


def test_what_came_encrypted_is_kept_for_the_session_alone(letters):
    message = letters.encrypted(
        ("secret.png", "image/png", picture()), ("b.txt", "text/plain", b"b")
    )
    page = letters.cards(message)
    assert "data:image/webp" in page
    assert not Rendition.objects.filter(message=message).exists()
    (part, *_) = hrefs(page, "/part/")
    assert whole(letters.client.get(part)) == picture()
    assert sealed_cache.get(parts.name_of(message.pk, "0/2"), session_key=None) is None
    for url in hrefs(page, "/attached/"):
        assert letters.client.get(url).status_code == 200
    # Another session of the same person has to open it anew; it is not read from this one's.
    from django.test import Client

    other = Client()
    other.force_login(letters.mailbox.user)
    assert sealed_cache.get(f"reader:previews:1:1:{message.pk}", session_key=b"x" * 32) is None


def file_under(letters, message, action: str) -> None:
    asked = {"action": action, "kind": "message", "ids": [message.pk]}
    letters.client.post("/actions", asked)


@pytest.mark.parametrize("is_looked_at", [False, True])
def test_files_of_spam_are_downloaded_alone(letters, workers, is_looked_at):
    """Addresses of before lead nowhere, whether or not something was drawn before."""
    files = [("room.png", "image/png", picture()), ("a.txt", "text/plain", b"text\n")]
    message = letters.letter(*files)
    page = letters.cards(message)
    (together,) = (url for url in hrefs(page, "/attached/") if url.endswith(".zip"))
    views = [url for url in hrefs(page, "/attached/") if url != together]
    downloads = hrefs(page, "/part/")
    drawn = []
    if is_looked_at:
        drawn = hrefs(letters.client.get(views[0]).content.decode(), "/attached/")
        assert letters.client.get(drawn[0]).status_code == 200
    file_under(letters, message, "junk")
    workers.clear()
    for url in views:
        answer = letters.client.get(url)
        assert answer.status_code == 403
        assert "Files of messages in Spam are not shown here." in answer.content.decode()
    for url in drawn:
        assert letters.client.get(url).status_code == 404
    assert workers == []
    answer = letters.client.get(together)
    assert answer.status_code == 403
    assert "one by one" in answer.content.decode()
    for url, (_name, _type, content) in zip(dict.fromkeys(downloads), files, strict=True):
        assert whole(letters.client.get(url)) == content
    assert "data:image" not in letters.cards(message)  # asked for by its own address
    file_under(letters, message, "not-junk")
    assert "data:image/webp" in letters.cards(message)
    assert letters.client.get(views[0]).status_code == 200


@pytest.mark.parametrize(("values", "is_seen"), [({}, True), ({"folder": "junk"}, False)])
def test_workers_look_into_no_file_of_spam(letters, monkeypatch, values, is_seen):
    inner = letters.mail_with(("a.txt", "text/plain", b"text\n"))
    message = letters.forwarded(inner, **values)
    monkeypatch.setattr(
        opening.rendering, "ticket_for", lambda asked, ticket: {"user": letters.mailbox.user.pk}
    )
    assert viewing.show(message.pk, "", "0/2", "") == ("done" if is_seen else "gone")
    assert previews.make(message.pk, "") == ("done" if is_seen else "gone")
    assert Rendition.objects.filter(message=message).exists() == is_seen
    opened = opening.open_for(message.pk, "")
    assert opening.locate(opened, "0/2|0/2").may_look_into == is_seen
    assert opening.locate(opened, "0/2|0/2").content == b"text\n"


def test_other_people_see_nothing(letters, stranger):
    message = letters.letter(("a.txt", "text/plain", b"a"), ("b.txt", "text/plain", b"b"))
    urls = hrefs(letters.cards(message), "/attached/") + hrefs(letters.cards(message), "/part/")
    from django.test import Client

    other = Client()
    other.force_login(stranger.user)
    assert other.get(f"/message/{message.pk}/attached").status_code == 404
    for url in urls:
        assert other.get(url).status_code == 404, url
    for what in ("invitation", "contact"):
        assert other.post(f"/message/{message.pk}/{what}").status_code == 404
    assert other.get(f"/message/{message.pk}/reported").status_code == 404


def test_inline_pictures_are_not_listed(letters):
    message = letters.put(
        b"From: a@nordlys.example\r\nTo: mira@nordlys.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        b'<p>x<img src="cid:one@x"></p>\r\n--b\r\nContent-Type: image/png\r\n'
        b"Content-ID: <one@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + __import__("base64").encodebytes(picture())
        + b"\r\n--b--\r\n"
    )
    assert "attachments-title" not in letters.opened(message)


INNER = (
    b"From: Jonas <jonas@far.example>\r\nTo: anna@nordlys.example\r\nSubject: Inner <b>\r\n"
    b"Date: Fri, 20 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\nContent-Type: text/html\r\n\r\n'
    b'<p>Inside</p><img src="https://track.example/x.png"><script>alert(1)</script>\r\n'
    b'--i\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="in.txt"\r\n\r\n'
    b"inner file\r\n--i--\r\n"
)


def test_a_forwarded_message_opens_as_one_of_its_own(letters):
    message = letters.put(
        b"From: a@nordlys.example\r\nTo: mira@nordlys.example\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\n'
        b"Look.\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + INNER + b"\r\n--o--\r\n"
    )
    (url,) = hrefs(letters.cards(message), "/attached/")
    page = letters.client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Inner &lt;b&gt;" in page
    assert "Not signed" in page
    found = hrefs(page, "/attached/")
    (frame,) = [each for each in found if each.endswith("/frame")]
    answer = letters.client.get(frame)
    text = answer.content.decode()
    assert "Inside" in text
    assert "track.example" not in text
    assert "<script" not in text
    assert "sandbox allow-same-origin" in answer["Content-Security-Policy"]
    (inner_file,) = hrefs(page, "/part/")[1:]
    assert whole(letters.client.get(inner_file)) == b"inner file"
    (inner_view,) = [each for each in found if not each.endswith("/frame")]
    assert "inner file" in letters.client.get(inner_view).content.decode()


def test_contacts_are_shown_and_remembered(letters):
    card = b"BEGIN:VCARD\nVERSION:4.0\nFN:Jonas <Berg>\nEMAIL:jonas@far.example\nEND:VCARD\n"
    message = letters.letter(("jonas.vcf", "text/vcard", card))
    page = letters.cards(message)
    assert "Contact, Jonas &lt;Berg&gt;" in page
    (url,) = hrefs(page, "/attached/")
    shown = letters.client.get(url).content.decode()
    assert "jonas@far.example" in shown
    path = re.search(r'name="path" value="([^"]+)"', shown)[1]
    answer = letters.client.post(
        f"/message/{message.pk}/contact",
        {"path": path, "card": "0"},
        headers={"HX-Request": "true"},
    )
    assert "is in your contacts" in answer["Signet-Toast"]
    found = letters.client.get("/compose/suggest?q=jonas").json()
    assert found["people"] == [{"name": "Jonas <Berg>", "address": "jonas@far.example"}]
    for card in ("7", "²", "1" * 5000, "-1", ""):
        fields = {"path": path, "card": card}
        bad = letters.client.post(f"/message/{message.pk}/contact", fields)
        assert bad.status_code == 404


@pytest.mark.corpus
@pytest.mark.slow
def test_every_mail_of_the_corpora_gets_its_cards(letters, django_assert_max_num_queries):
    """No exception, no script, whatever the tree: the whole of corpora/mime."""
    count = 0
    for file in sorted(corpus("mime").rglob("*")):
        if file.suffix not in {".eml", ".txt", ".msg"} or file.stat().st_size > 2_000_000:
            continue
        raw = file.read_bytes()
        tree = parse_message(raw)
        if not any(part.is_multipart for part in tree.walk()):
            continue
        message = letters.put(raw)
        page = letters.opened(message)
        if "data-pending" in page:
            page = letters.cards(message)
            for url in hrefs(page, "/attached/")[:4]:
                assert letters.client.get(url).status_code in {200, 404, 503}, file
        assert "<script>alert" not in page, file
        count += 1
    assert count > 50
