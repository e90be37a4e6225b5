"""Attachments in Chromium: cards, the viewer by keyboard alone, invitations; axe, no strange request."""

import imaplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_accessibility import violations
from tests.servers.dovecot import PASSWORD
from tests.webmail.attached.made import invitation, pdf, picture, png_bomb

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


def put(person, subject, *files):
    """Put a letter with files (name, media type, content) into the person's inbox."""
    letter = EmailMessage()
    letter["From"] = "Anna Lindqvist <anna@nordlys.example>"
    letter["To"] = person.address
    letter["Subject"] = subject
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = make_msgid(domain="nordlys.example")
    letter.set_content("The files.\n")
    for name, media_type, content in files:
        main, _, sub = media_type.partition("/")
        letter.add_attachment(content, maintype=main, subtype=sub, filename=name)
    context = ssl.create_default_context(cadata=person.servers.ca_pem)
    with imaplib.IMAP4_SSL(
        person.servers.host, person.servers.imaps_port, ssl_context=context
    ) as connection:
        connection.login(person.name, PASSWORD)
        connection.append("INBOX", "", "", letter.as_bytes())


FILES = (
    ("offer.pdf", "application/pdf", pdf(3)),
    ("room.jpg", "image/jpeg", picture(900, 600, "JPEG")),
    ("notes.txt", "text/plain", b"<script>document.title='run'</script>\n"),
    ("bomb.png", "image/png", png_bomb()),
)


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light")])
def test_attachments_are_looked_at_one_after_the_other_with_the_keyboard(person, size, theme):
    mira = person(size, theme=theme)
    put(mira, "Files", *FILES)
    page = mira.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    expect(page.locator(".file-picture")).to_have_count(2)
    expect(page.locator(".file-meta").first).to_contain_text("PDF, 3 pages")
    assert violations(page) == []
    first = page.locator("a[data-view]").first
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    expect(viewer.locator(".viewer-title")).to_have_text("offer.pdf")
    expect(viewer.locator(".viewer-sheet")).to_have_count(3)
    for sheet in viewer.locator(".viewer-sheet").all():
        sheet.scroll_into_view_if_needed()
        assert sheet.evaluate("one => one.decode().then(() => one.naturalWidth)") > 300
    assert violations(page) == []
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".viewer-title")).to_have_text("room.jpg")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".viewer-text")).to_contain_text("<script>")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".viewer-problem")).to_contain_text("more pixels than can be shown")
    expect(viewer.locator("#viewer-place")).to_have_text("4 of 4")
    assert violations(page) == []
    page.keyboard.press("ArrowLeft")
    expect(viewer.locator(".viewer-title")).to_have_text("notes.txt")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(viewer.locator(".viewer-title")).to_have_text("offer.pdf")
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_be_hidden()
    expect(first).to_be_focused()
    assert "run" not in page.title()
    assert [url for url in asked if not url.startswith((mira.site.url, "data:"))] == []


def test_an_invitation_is_answered_in_place(person):
    mira = person()
    text = invitation(attendee=mira.address, organizer=mira.address).encode()
    put(mira, "Offsite", ("invite.ics", "text/calendar", text))
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row-link").first.click()
    card = page.locator(".finding")
    expect(card).to_contain_text("Friday 4 December 2026")
    assert violations(page) == []
    card.get_by_role("button", name="Accept").click()
    expect(page.locator(".finding-mine")).to_have_text("You accepted.")
    expect(page.locator(".toast")).to_contain_text("Anna")


def test_without_script_attachments_open_as_pages(person):
    mira = person(javascript=False)
    put(mira, "Files", *FILES[:2])
    page = mira.page()
    mira.sign_in(page)
    for _ in range(20):  # without script a page does not learn of new mail
        if page.locator(".row-link").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    page.locator(".row-link").first.click()
    while not page.locator(".file-card").count():
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".file-card")).to_have_count(2)
    with page.expect_download() as download:
        page.locator(".file-card a").first.click()
    assert download.value.suggested_filename == "offer.pdf"
