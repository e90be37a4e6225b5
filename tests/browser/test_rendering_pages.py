"""Hostile mail through all of Signet: list, reader, attachments, reply (rows 12 to 19, check 40)."""

import imaplib
import ssl
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.browser.rendering_mails import MAILS
from tests.browser.rendering_site import Sink
from tests.servers.dovecot import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)
ROWS = [12, 15, 16, 17, 19, 30]


@pytest.fixture
def sink():
    listening = Sink()
    yield listening
    listening.socket.close()


def put(person, raw: bytes) -> None:
    context = ssl.create_default_context(cadata=person.servers.ca_pem)
    with imaplib.IMAP4_SSL(
        person.servers.host, person.servers.imaps_port, ssl_context=context
    ) as connection:
        connection.login(person.name, PASSWORD)
        connection.append("INBOX", "", None, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("row", ROWS)
def test_row_in_the_whole_site(row: int, person, sink: Sink) -> None:
    """Opened from the list and answered: no dialog, no request to another host, no new page."""
    mira = person()
    put(mira, MAILS[row][-1].replace(b"{evil}", sink.origin.encode()))
    page = mira.page()
    events: list[str] = []
    page.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: events.append(popup.url))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    expect(page.locator("#subject")).to_be_visible()
    expect(page.locator("iframe.body-frame, .attachment, .notice").first).to_be_visible()
    message = page.url
    assert (
        page.evaluate(
            "document.querySelectorAll('main [onerror], main [onload], main [onclick]').length"
        )
        == 0
    )
    page.get_by_role("link", name="Reply", exact=True).first.click()
    expect(page.get_by_label("Subject").first).to_be_visible()
    page.goto(message)
    expect(page.locator("#subject")).to_be_visible()
    own = urlsplit(mira.site.url).netloc
    assert [url for url in requests if urlsplit(url).netloc not in {own, ""}] == []
    # The quoted mail's styles stay in the editor's HTML; the policy of the page does not apply them.
    mira.complaints[:] = [each for each in mira.complaints if "inline style" not in each]
    assert events == []
    assert sink.asked == []
