"""Everything that must work where no script runs."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.site import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def reader(person):
    mira = person(javascript=False)
    mira.receive("Letter one", "Letter two", text="Plain words.\n")
    page = mira.page()
    mira.sign_in(page)

    def rows():
        page.reload()
        return page.locator(".row").count() == 2

    wait_for("two rows", rows)
    return mira, page


def test_mail_is_read(reader):
    _, page = reader
    page.locator(".row-link").first.click()
    expect(page.locator("#subject")).to_have_text("Letter two")
    wait_for("the body", lambda: page.reload() and page.locator("iframe.body-frame").count() == 1)
    expect(page.frame_locator("iframe.body-frame").get_by_text("Plain words.")).to_be_visible()


def test_checked_mail_is_archived_and_brought_back(reader):
    _, page = reader
    page.locator(".row").first.hover()
    page.locator(".row input").first.check()
    page.locator(".selection").get_by_role("button", name="Archive").click()
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row")).to_have_count(2)


def test_a_mail_is_written_and_called_back(reader):
    mira, page = reader
    page.get_by_role("link", name="Compose").first.click()
    page.get_by_label("To", exact=True).fill(mira.address)
    page.get_by_label("Subject", exact=True).fill("To myself")
    page.get_by_label("Message", exact=True).fill("Plain.")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page).to_have_url(re.compile("/outbox"))
    expect(page.get_by_text("To myself")).to_be_visible()
