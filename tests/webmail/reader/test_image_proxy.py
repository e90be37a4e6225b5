"""Remote images over HTTP: nothing before it is asked for, then by signed addresses of ours alone,
once fetched, kept sealed, and given to nobody else (rendering.md §6).
"""

import base64
import re
from html import unescape

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.test import Client

from accounts.redis import client as redis
from tests.webmail.attached.made import picture
from webmail.html.addresses import RefusedUrl
from webmail.reader import images, links

REMOTE = "https://pictures.example/secret-path/a.png?reader=mira"
MAIL = (
    "From: Anna <anna@nordlys.example>\r\nSubject: Pictures\r\nContent-Type: text/html\r\n\r\n"
    f'<p background="{REMOTE}">Hello</p><img src="{REMOTE}" alt="The hall" width=320 height=180>'
    '<img src="https://pictures.example/b.png">'
).encode()


class Far:
    """The hosts far away: what they answer, and what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: bytes | Exception = picture()

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def far(monkeypatch) -> Far:
    made = Far()
    monkeypatch.setattr(images, "fetch", made.fetch)
    return made


def document(letters, message, *, images: bool) -> str:
    """The message's document, as the page that was asked for images or not loads it."""
    page = letters.client.get(f"/message/{message.pk}{'?images=once' if images else ''}")
    (frame,) = re.findall(r'<iframe[^>]* src="([^"]+)"', page.content.decode())
    return letters.client.get(unescape(frame)).content.decode()


def image_urls(text: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'"(/img/[^"]*)"', text)]


def test_nothing_is_asked_for_before_the_reader_does(letters, far) -> None:
    message = letters.put(MAIL)
    page = letters.opened(message)
    assert "2 remote images are blocked" in page
    blocked = document(letters, message, images=False)
    assert "pictures.example" not in blocked
    assert image_urls(blocked) == []
    assert 'alt="The hall"' in blocked
    assert 'width="320"' in blocked
    assert far.asked == []


def test_an_image_comes_from_here_and_is_fetched_once(letters, far, workers) -> None:
    message = letters.put(MAIL)
    loaded = document(letters, message, images=True)
    assert "pictures.example" not in loaded  # neither the page nor its addresses say where it was
    ground, shown, other = image_urls(loaded)
    assert ground == shown != other
    workers.clear()
    answer = letters.client.get(shown)
    assert answer["Content-Type"] == "image/png"
    assert answer.content == images.re_encode(picture()).content
    assert workers == ["reader.fetch_image", "reader.re_encode_image"]
    assert letters.client.get(shown).content == answer.content
    assert far.asked == [REMOTE]
    assert "pictures.example" not in str(base64.urlsafe_b64decode(shown[5:].split(":")[0] + "=="))


def test_what_is_kept_tells_nobody_whose_it_was(letters, far) -> None:
    """Neither the address nor the picture is in the cache in clear; the raw octets do not stay."""
    message = letters.put(MAIL)
    letters.client.get(image_urls(document(letters, message, images=True))[0])
    raw_key = f"{images.cache_key(REMOTE)}:raw"
    from accounts import sealed_cache

    assert sealed_cache.get(raw_key, session_key=None) is None
    for key in redis().keys("*"):
        assert b"pictures" not in key
        if redis().type(key) == b"string":
            value = redis().get(key)
            assert b"pictures.example" not in value
            assert b"\x89PNG" not in value


@pytest.mark.parametrize(
    "answer",
    [
        images.NoImage("status 404"),
        RefusedUrl("address"),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html><script>alert(1)</script>",
        b"@import url(http://10.0.0.1/)",
        b"wOF2" + bytes(99),
        b"",
    ],
)
def test_no_image_is_not_asked_for_at_each_look(letters, far, answer) -> None:
    far.answer = answer
    (url, *_) = image_urls(document(letters, letters.put(MAIL), images=True))
    for _ in range(3):
        assert letters.client.get(url).status_code == 404
    assert far.asked == [REMOTE]


def test_nor_is_one_that_takes_too_long_to_decode(letters, far, monkeypatch) -> None:
    decoded: list[int] = []

    def hang(content: bytes) -> images.Picture:
        decoded.append(len(content))
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(images, "re_encode", hang)
    (url, *_) = image_urls(document(letters, letters.put(MAIL), images=True))
    for _ in range(3):
        assert letters.client.get(url).status_code == 404
    assert decoded == [len(picture())]


def test_an_address_is_one_readers_one_messages_and_one_days(
    letters, far, stranger, monkeypatch
) -> None:
    message = letters.put(MAIL)
    (url, *_) = image_urls(document(letters, message, images=True))
    other = Client()
    other.force_login(stranger.user)
    assert other.get(url).status_code == 404
    assert Client().get(url).status_code == 302  # to the sign-in page
    token = url.removeprefix("/img/")
    user = letters.mailbox.user
    target = links.read("img", token, user_id=user.pk)
    beyond = links.Target(user.pk, message.pk, target.variant, "99")
    blocked = links.Target(user.pk, message.pk, target.variant.replace("images=yes", ""), "0")
    for forged in (
        f"/img/{token[:-1]}x",
        f"/img/{token}x",
        "/img/x",
        f"/img/{base64.urlsafe_b64encode(REMOTE.encode()).decode()}",
        links.address("img", beyond),
        links.address("img", blocked),  # a document made without images has none to give
        links.address("part", target).replace("/part/", "/img/"),
    ):
        assert letters.client.get(forged).status_code == 404, forged
    assert far.asked == []
    monkeypatch.setattr(links, "LIFETIME", -1)
    assert letters.client.get(url).status_code == 404


SHOWN = {"PNG": "image/png", "GIF": "image/gif", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif"}  # fmt: skip


def related(*parts: bytes) -> bytes:
    return (
        b"From: Anna <anna@nordlys.example>\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\n'
        + b"\r\n--b\r\n".join(parts)
        + b"\r\n--b--\r\n"
    )


def file(content: bytes, media_type: str, content_id: str = "one@x") -> bytes:
    return (
        f"Content-Type: {media_type}\r\nContent-ID: <{content_id}>\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + base64.encodebytes(content)


HTML = b'Content-Type: text/html\r\n\r\n<p>Hi</p><img src="cid:one@x" alt=A>'


@pytest.mark.parametrize("kind", SHOWN)
def test_pictures_that_travel_with_the_mail_are_shown_by_what_they_are(letters, kind) -> None:
    raw = related(HTML, file(picture(kind=kind), SHOWN[kind]))
    text = document(letters, letters.put(raw), images=False)
    (url,) = re.findall(r'src="(/part/[^"]*)"', text)
    answer = letters.client.get(unescape(url))
    assert answer["Content-Type"] == SHOWN[kind]
    assert answer["Content-Disposition"].startswith("inline;")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png"),
        (b"<html><script>alert(1)</script>", "image/gif"),
        (picture(kind="BMP"), "image/bmp"),
        (picture(kind="TIFF"), "image/png"),
        (b"%PDF-1.4", "image/jpeg"),
        (b"", "image/png"),
    ],
)
def test_others_are_never_shown_in_place(letters, content, media_type) -> None:
    text = document(letters, letters.put(related(HTML, file(content, media_type))), images=False)
    assert "/part/" not in text


def test_a_picture_outside_of_the_signed_part_is_not_drawn_into_it(letters) -> None:
    """cid: names parts of the same tree of trust only."""
    signed = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="s"'
        b"\r\n\r\n--s\r\n" + HTML + b"\r\n--s\r\n"
        b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"AAAA\r\n--s--"
    )
    outside = file(picture(), "image/png")
    raw = related(signed, outside).replace(b"multipart/related", b"multipart/mixed")
    assert "/part/" not in document(letters, letters.put(raw), images=False)
    raw = related(HTML, outside)  # while it is in the one it belongs to
    assert "/part/" in document(letters, letters.put(raw), images=False)
