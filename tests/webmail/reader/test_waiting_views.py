"""What may take a worker many seconds, attachments before all: no thread of the web waits."""

import re
from html import unescape

import pytest

from accounts import replies
from accounts.late_replies import HEARD, WAITS_FOR
from tests.webmail.attached.made import pdf
from webmail.reader.models import Rendition

URLS = {
    "cards": r'data-pending="(/message/\d+/attached)"',
    "view": r'href="(/attached/[^"]*)" data-view',
    "page": r'src="(/attached/[^"]*/page)"',
    "zip": r'href="(/attached/[^"]*\.zip)"',
    "part": r'href="(/part/[^"]*)"',
    "frame": r'src="(/m/[^"]*)"',
}


@pytest.mark.parametrize("what", URLS)
def test_the_word_is_awaited_outside_of_the_thread(letters, workers, monkeypatch, what):
    message = letters.letter(
        ("long.pdf", "application/pdf", pdf(5)), ("a.txt", "text/plain", b"text")
    )
    page = letters.opened(message)
    if what == "frame":
        Rendition.objects.all().delete()  # its documents left the cache
    elif what != "cards":
        page = letters.cards(message)
    if what == "page":
        view = unescape(re.search(URLS["view"], page)[1])
        page = letters.client.get(view).content.decode()
    found = re.findall(URLS[what], page)
    url = unescape(found[4] if what == "page" else found[0])  # the first pages are drawn already

    def wait(key: str, patience: float) -> None:
        raise AssertionError("a thread waits")

    monkeypatch.setattr(replies, "wait", wait)
    workers.clear()
    first = letters.client.get(url, headers={HEARD: ""})
    assert first.status_code == 202
    assert first[WAITS_FOR].startswith("reply:")
    assert len(workers) == 1
    second = letters.client.get(url, headers={HEARD: "=done"})
    assert second.status_code == 200
    assert len(workers) == 1
