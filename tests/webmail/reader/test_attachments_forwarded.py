"""Files of a message inside a message: who may have them, and whether they may be looked into."""

import re
from html import unescape

import pytest

from accounts import sealed_cache
from tests.webmail.attached.made import pdf, picture
from webmail.reader import opening


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
