"""Writing as a person does it: who can read it is said while they type, refusals where they belong."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.certified import certify
from tests.browser.conftest import PATIENCE, PHONE, WIDE, Person
from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


def name_recipient(page: Page, address: str) -> None:
    page.get_by_label("To", exact=True).first.fill(address)
    page.keyboard.press("Enter")


def refused(person: Person) -> None:
    """Take the browser's note of one refusal (422) from the console; without one, fail."""
    note = next(line for line in person.complaints if "status of 422" in line)
    person.complaints.remove(note)


def encrypt(page: Page) -> None:
    page.get_by_role("switch", name="Encrypt").check(force=True)


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
def test_the_panel_comes_and_goes_while_recipients_are_typed(person, size, theme):
    mira = person(size, theme=theme)
    page = mira.page()
    mira.sign_in(page)
    certify(mira)
    page.goto(f"{mira.site.url}/compose")
    encrypt(page)
    panel = page.locator(".protection")
    expect(panel).to_have_count(0)  # nobody is named yet
    name_recipient(page, "Petra Schulz <petra@werkstrom.example>")
    expect(panel.get_by_role("heading")).to_have_text("Petra Schulz cannot read encrypted mail yet")
    expect(panel.get_by_role("link", name="Ask Petra Schulz for it")).to_be_visible()
    assert violations(page) == []
    name_recipient(page, mira.address)
    expect(panel.get_by_role("heading")).to_have_text(
        "1 of 2 people cannot read encrypted mail yet"
    )
    # Send goes to the panel, not on its way.
    page.get_by_role("button", name="Send", exact=True).first.click()
    expect(panel).to_be_focused()
    page.get_by_role("button", name="Remove Petra Schulz").click()
    expect(panel).to_have_count(0)


def test_turning_encryption_off_ends_the_panel(person):
    mira = person()
    page = mira.page()
    mira.sign_in(page)
    certify(mira)
    page.goto(f"{mira.site.url}/compose")
    name_recipient(page, "petra@werkstrom.example")
    encrypt(page)
    expect(page.locator(".protection")).to_be_visible()
    page.get_by_role("switch", name="Encrypt").uncheck(force=True)
    expect(page.locator(".protection")).to_have_count(0)


def test_without_script_the_panel_is_a_page_after_send(person):
    mira = person(javascript=False)
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/compose")
    page.get_by_label("To", exact=True).fill("petra@werkstrom.example")
    page.get_by_label("Message", exact=True).fill("Plain.")
    encrypt(page)
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.get_by_role("heading", name="You have no certificate")).to_be_visible()
    refused(mira)
    page.get_by_role("button", name="Send without signature and encryption").click()
    expect(page).to_have_url(re.compile("/outbox"))


def test_a_file_too_large_is_refused_at_the_files_and_the_rest_goes_on(person):
    mira = person()
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/compose")
    page.evaluate("document.getElementById('composer-form').dataset.maxSize = 40")
    large = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"x" * 50}
    small = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"x"}
    page.locator("[data-files]").set_input_files([large, small])
    files = page.locator("#composer-attachments")
    card = files.locator("li", has_text="plan.pdf")
    expect(files.locator("li", has_text="note.txt")).to_contain_text("1 B")
    expect(card).to_contain_text("Too large for this server")
    expect(page.locator(".composer-failure")).to_have_count(0)
    card.get_by_role("button", name="Remove plan.pdf").click()
    expect(files.locator("li")).to_have_count(1)


def test_a_mail_to_nobody_is_refused_at_the_recipients(person):
    mira = person()
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/compose")
    page.get_by_label("Message", exact=True).first.click()
    page.keyboard.type("Words that stay.")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.locator("#recipients-failure")).to_have_text("Add at least one recipient.")
    expect(page.get_by_label("To", exact=True).first).to_be_focused()
    expect(page.locator(".editor")).to_contain_text("Words that stay.")
    expect(page.locator(".composer-failure")).to_have_count(0)
    assert violations(page) == []
    refused(mira)
