"""What a message asks, in Chromium: a list is left by keyboard, a receipt sent by mouse; spam."""

import imaplib
import ssl
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_accessibility import violations
from tests.servers.dovecot import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)
LIST = (
    "From: Fjell Nytt <news@fjell.example>\r\n"
    'List-Id: "The week at Fjell" <week.fjell.example>\r\n'
    "List-Unsubscribe: <mailto:leave@fjell.example?subject=leave>, <https://out.fjell.example/u>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
ASKS = (
    "From: Anna Lindqvist <anna@nordlys.example>\r\n"
    "Disposition-Notification-To: <anna@office.example>\r\n"
)


def put(person, subject: str, fields: str, *, folder: str = "INBOX") -> None:
    """Put a letter with these fields into a folder of the person."""
    letter = (
        f"{fields}To: {person.address}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.lower()}@nordlys.example>\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n"
        '<p>Read <a href="https://fjell.example/week">the week</a>.</p>\r\n'
    )
    context = ssl.create_default_context(cadata=person.servers.ca_pem)
    with imaplib.IMAP4_SSL(
        person.servers.host, person.servers.imaps_port, ssl_context=context
    ) as connection:
        connection.login(person.name, PASSWORD)
        connection.append(folder, "", "", letter.encode())


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
def test_a_list_is_left_with_the_keyboard(person, size, theme):
    mira = person(size, theme=theme)
    put(mira, "Week", LIST)
    page = mira.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    summary = page.locator(".ask-summary")
    expect(summary).to_have_text("Unsubscribe")
    summary.focus()
    page.keyboard.press("Enter")
    card = page.locator(".ask-card")
    expect(card).to_contain_text("Unsubscribe from The week at Fjell?")
    expect(card).to_contain_text("out.fjell.example")
    assert violations(page) == []
    page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="Unsubscribe")).to_be_focused()
    page.keyboard.press("Enter")
    # Nobody signed it: the list's server is not asked, and the other ways are offered.
    expect(page.locator(".ask-said")).to_contain_text("Nothing was sent")
    expect(page.locator(".asks")).to_be_focused()
    assert violations(page) == []
    link = card.get_by_role("link", name="Open the page on out.fjell.example")
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    assert [url for url in asked if not url.startswith((mira.site.url, "data:"))] == []
    card.get_by_role("button", name="Write a mail instead").click()
    expect(page.locator("#subject-field")).to_have_value("leave")
    expect(page.locator("[data-chips=to]")).to_contain_text("leave@fjell.example")


def test_a_receipt_is_sent_by_one_click_and_the_composer_can_ask_for_one(person):
    mira = person()
    put(mira, "Lease", ASKS)
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    line = page.locator(".ask-line")
    expect(line).to_contain_text("Anna Lindqvist asks to be told that you have read this.")
    expect(line).to_contain_text("This message came from anna@nordlys.example")
    assert violations(page) == []
    line.get_by_role("button", name="Send receipt").click()
    expect(page.locator(".ask-said")).to_have_text(
        "You told Anna Lindqvist that you have read this."
    )
    expect(page.locator(".toast")).to_be_visible()
    page.goto(f"{mira.site.url}/compose")
    page.get_by_label("More options").click()
    box = page.get_by_label("Ask for a read receipt")
    expect(box).not_to_be_checked()
    box.check()
    assert violations(page) == []
    page.get_by_label("Subject").fill("Asked")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    page.get_by_label("More options").click()
    expect(page.get_by_label("Ask for a read receipt")).to_be_checked()


def test_spam_by_one_key_is_undone_and_is_words_alone(person):
    mira = person()
    put(mira, "Week", LIST)
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    expect(page.frame_locator(".body-frame").locator("a")).to_have_count(1)
    page.keyboard.press("!")
    expect(page.locator(".toast")).to_contain_text("Moved to Spam")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row-link")).to_have_count(1)
    page.locator(".row-link").first.click()
    expect(page.locator(".subject")).to_have_text("Week")
    page.keyboard.press("!")
    expect(page.locator(".row-link")).to_have_count(0)
    page.goto(f"{mira.site.url}/mail/junk")
    page.locator(".row-link").first.click()
    bar = page.locator(".junk-bar")
    expect(bar).to_contain_text("This message is in Spam.")
    expect(page.frame_locator(".body-frame").locator("body")).to_contain_text("Read the week")
    expect(page.frame_locator(".body-frame").locator("a")).to_have_count(0)
    expect(page.locator(".ask")).to_have_count(0)
    assert violations(page) == []
    bar.get_by_role("button", name="Not spam").click()
    expect(page.locator(".toast")).to_contain_text("Moved to Inbox")
