"""A draft of another mail program: continued here, sent, and gone from the Drafts folder."""

import imaplib
import re
import ssl
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE, Person
from tests.servers.dovecot import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


def mailbox_of(person: Person) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cadata=person.servers.ca_pem)
    opened = imaplib.IMAP4_SSL(person.servers.host, person.servers.imaps_port, ssl_context=context)
    opened.login(person.name, PASSWORD)
    return opened


def leave_draft(person: Person) -> None:
    """Leave a draft to oneself in the folder, as another program would."""
    draft = EmailMessage()
    draft["From"] = person.address
    draft["To"] = person.address
    draft["Subject"] = "Begun elsewhere"
    draft["Message-ID"] = f"<draft.{person.name}@nordlys.example>"
    draft.set_content("We go up to\n")
    draft.add_attachment(b"%PDF-1.4\n", "application", "pdf", filename="offer.pdf")
    with mailbox_of(person) as session:
        session.append("Drafts", r"(\Draft \Seen)", None, draft.as_bytes())


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_draft_of_another_program_is_finished_here(person, size):
    mira = person(size)
    leave_draft(mira)
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/drafts")
    page.get_by_role("link", name="Drafts of other mail programs").click()
    page.locator(".row-link").click()
    button = page.get_by_role("link", name="Continue writing")
    expect(button).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    bar = page.locator(".reply-bar")
    assert bar.evaluate("(bar) => bar.scrollWidth <= bar.clientWidth + 1")
    button.click()
    expect(page.locator("#composer-form[data-editor]")).to_be_attached()
    subject = page.get_by_label("Subject", exact=True)
    expect(subject).to_have_value("Begun elsewhere")
    expect(page.locator("[data-attachments]")).to_contain_text("offer.pdf")
    subject.fill("Begun elsewhere, finished here")
    page.get_by_role("button", name="Send", exact=True).locator("visible=true").first.click()
    expect(page.locator(".toast")).to_contain_text("Sending to")
    page.goto(f"{mira.site.url}/outbox")
    page.get_by_role("button", name="Send now").click()
    page.goto(f"{mira.site.url}/mail/inbox")
    expect(page.locator(".row")).to_contain_text("Begun elsewhere, finished here")
    page.goto(f"{mira.site.url}/mail/drafts")
    expect(page.locator(".row")).to_have_count(0)
    expect(page).to_have_url(re.compile("/mail/drafts"))
