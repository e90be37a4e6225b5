"""The header told, and the hint above the body: wide and on a phone, light and dark, axe silent."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_accessibility import violations
from tests.browser.test_rendering_pages import put

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)
HINT = "This comes from exarnple.test, which looks like example.test but is not."
# The body says the same in our own words and looks.
MAIL = (
    b"Received: from out.exarnple.test (out.exarnple.test [198.51.100.4]) by mx.example.test"
    b" with ESMTPS; Mon, 23 Nov 2026 09:12:01 +0000\r\n"
    b"Authentication-Results: mx.example.test; dmarc=fail header.from=exarnple.test;"
    b" dkim=none; spf=pass smtp.mailfrom=exarnple.test\r\n"
    b"Received: from a-very-long-name-of-a-host-that-does-not-fit-on-a-phone.inside.exarnple.test"
    b" by out.exarnple.test; Mon, 23 Nov 2026 09:00:01 +0000\r\n"
    b"Received: from desk by a-very-long-name-of-a-host-that-does-not-fit-on-a-phone.inside."
    b"exarnple.test; Mon, 23 Nov 2026 09:00:31 +0000\r\n"
    b"From: Board <ceo@exarnple.test>\r\nTo: somebody@example.test\r\nSubject: Urgent\r\n"
    b"Organization: Example\r\nReply-To: ceo@elsewhere.test\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nContent-Type: text/html\r\n\r\n"
    b'<p class="notice aid">You know this sender.</p><ol class="path"><li>mx</li></ol><p>Pay.</p>\r\n'
)


@pytest.fixture
def trusted(site, mail_servers):
    """The private server's word counts, as an administrator says."""
    site.manage(
        "mailserver", "add", mail_servers.domain,
        "--imap", f"localhost:{mail_servers.imap_port}", "--imap-security", "starttls",
        "--submission", f"localhost:{mail_servers.submission_port}",
        "--submission-security", "starttls", "--ca-file", str(site.directory / "ca.pem"),
        "--authserv-id", "mx.example.test",
    )  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_way_and_the_hint(person, trusted, size, theme):
    mira = person(size, theme=theme)
    put(mira, MAIL)
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    hint = page.locator(".aid")
    expect(hint).to_have_text(HINT)
    expect(hint).to_have_count(1)
    frame = page.locator("iframe.body-frame")
    expect(frame).to_be_visible()
    assert hint.bounding_box()["y"] < frame.bounding_box()["y"]
    page.locator(".message-to > summary").click()
    way = page.get_by_role("list", name="On the way 3 servers, 11 minutes")
    expect(way.get_by_role("listitem")).to_have_count(3)
    last = way.get_by_role("listitem").last
    expect(last).to_contain_text("mx.example.test")
    expect(last).to_contain_text("12 minutes later")
    expect(way.get_by_role("listitem").nth(1)).to_contain_text("30 seconds behind")
    checks = page.locator(".details-checks")
    expect(checks).to_contain_text("Someone else may have sent it")
    expect(checks).to_contain_text("Replies go to ceo@elsewhere.test")
    expect(checks).to_contain_text("mx.example.test found no signature of a mail server (DKIM).")
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    edges = page.evaluate(
        "[...document.querySelectorAll('.details *')].map(each => each.getBoundingClientRect())"
        ".filter(box => box.width && (box.right > innerWidth + 1 || box.left < -1)).length"
    )
    assert edges == 0
    # as wide as the text, on a phone too
    assert way.bounding_box()["width"] > min(size[0] * 0.8, 400)
