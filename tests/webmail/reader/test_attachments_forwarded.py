"""Files of a message inside a message: who may have them, and whether they may be looked into."""

import re
from html import unescape

import pytest

from accounts import sealed_cache
from tests.webmail.attached.made import pdf, picture
from webmail.reader import links, opening
from webmail.reader.variants import Variant


def hrefs(page: str, beginning: str) -> list[str]:
    return [unescape(url) for url in re.findall(rf'(?:href|src)="({beginning}[^"]*)"', page)]


@pytest.fixture
def kept(monkeypatch) -> list[tuple[str, bytes | None]]:
    """Names and keys of all that is put into the sealed cache."""
    seen: list[tuple[str, bytes | None]] = []
    put = sealed_cache.put

    def spy(key: str, plain: bytes, *, session_key: bytes | None, seconds: int) -> None:
        seen.append((key, session_key))
        put(key, plain, session_key=session_key, seconds=seconds)

    monkeypatch.setattr(sealed_cache, "put", spy)
    return seen


def inner_page(letters, message) -> str:
    """The forwarded message in the viewer."""
    (url,) = hrefs(letters.cards(message), "/attached/")
    return letters.client.get(url, headers={"HX-Request": "true"}).content.decode()


def secrets(letters):
    return letters.forwarded(
        letters.encrypted_mail(
            ("secret.png", "image/png", picture()),
            ("long.pdf", "application/pdf", pdf(5)),
            ("b.txt", "text/plain", b"for you"),
        )
    )


def test_what_was_encrypted_inside_a_plain_mail_is_kept_for_the_session_alone(letters, kept):
    page = inner_page(letters, secrets(letters))
    assert "b.txt" in page
    for url in hrefs(page, "/attached/"):
        answer = letters.client.get(url)
        assert answer.status_code == 200
        for drawn in hrefs(answer.content.decode(), "/attached/"):
            assert letters.client.get(drawn).content[:4] == b"RIFF"
    for url in hrefs(page, "/part/"):
        assert letters.client.get(url).status_code == 200
    inside = [(name, key) for name, key in kept if "|" in name]
    assert {name.split(":")[1] for name, _ in inside} == {"shown", "page", "part"}
    assert [name for name, key in inside if key is None] == []


def test_without_a_session_nothing_of_it_is_kept(letters, kept, monkeypatch):
    page = inner_page(letters, secrets(letters))
    kept.clear()
    ticket_for = opening.rendering.ticket_for
    monkeypatch.setattr(
        opening.rendering,
        "ticket_for",
        lambda *asked: {**(ticket_for(*asked) or {}), "session_key": None},
    )
    urls = hrefs(page, "/attached/") + hrefs(page, "/part/")[1:]
    assert {letters.client.get(url).status_code for url in urls if "frame" not in url} == {503}
    assert kept == []


FILE = (
    b"Content-Type: text/plain\r\n"
    b'Content-Disposition: attachment; filename="in.txt"\r\n\r\ninner file\r\n'
)


def mail(entity: bytes, *, is_bad: bool = False) -> bytes:
    """A mail of one entity; a bad one is signed, and names nobody as its sender."""
    sender = b"Anna" if is_bad else b"anna@far.example"
    fields = b"From: " + sender + b"\r\nTo: mira@nordlys.example\r\nSubject: Inner\r\n"
    if not is_bad:
        return fields + b"MIME-Version: 1.0\r\n" + entity
    return (
        fields
        + b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=sha-256; boundary=s;\r\n"
        + b' protocol="application/pkcs7-signature"\r\n\r\n--s\r\n'
        + entity
        + b"\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        + b"Content-Transfer-Encoding: base64\r\n\r\nMAMCAQE=\r\n--s--\r\n"
    )


def around(inner: bytes) -> bytes:
    """An entity with a text and a message."""
    return (
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n"
        b"\r\nLook.\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--a--\r\n"
    )


def link_to(message, position: str) -> str:
    """The viewer's address as a page would give it."""
    target = links.Target(message.account.user_id, message.pk, Variant().key, position)
    return links.address("attached", target)


def position_of(message, url: str) -> str:
    """What a download's address points at."""
    token = url.split("/")[2].partition("?")[0]
    return links.read("part", token, user_id=message.account.user_id).position


def test_files_of_a_bad_mail_inside_are_not_looked_into(letters):
    message = letters.forwarded(mail(FILE, is_bad=True))
    page = inner_page(letters, message)
    assert "in.txt" in page
    assert [url for url in hrefs(page, "/attached/") if not url.endswith("/frame")] == []
    (_whole, file) = hrefs(page, "/part/")
    assert b"inner file" in b"".join(letters.client.get(file).streaming_content)
    position = position_of(message, file)
    assert letters.client.get(link_to(message, position)).status_code == 503


@pytest.mark.parametrize(("is_bad", "status"), [(False, 200), (True, 503)])
def test_nor_are_those_of_a_good_mail_inside_a_bad_one(letters, is_bad, status):
    message = letters.forwarded(mail(around(mail(FILE)), is_bad=is_bad))
    page = inner_page(letters, message)
    positions = [position_of(message, url) for url in hrefs(page, "/part/")]
    (nested,) = [position for position in positions if "|" in position]
    assert letters.client.get(link_to(message, f"{nested}|0/1")).status_code == status
