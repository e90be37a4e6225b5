"""The accessible names that outsiders' checks rely on, used without waiting for anything."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


def test_a_mail_is_written_by_names_alone(person):
    mira = person()
    page = mira.page()
    mira.sign_in(page)
    expect(page.get_by_label("Search mail")).to_be_visible()
    page.get_by_role("link", name="Compose").first.click()
    page.get_by_label("To", exact=True).fill(mira.address)
    page.get_by_label("Subject").fill("By names")
    page.get_by_label("Message").fill("Words.")
    expect(page.get_by_label("Encrypt", exact=True)).to_be_attached()
    sign = page.get_by_label("Sign", exact=True)
    if sign.is_checked():
        sign.uncheck()
    page.get_by_role("button", name="Send", exact=True).click()
    # With script a toast, without (it may not be there yet) the outbox.
    expect(page.locator(".toast, .outbox").first).to_contain_text("Sending")


def test_a_composer_opened_by_its_url_takes_words_at_once(person):
    mira = person()
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/compose", wait_until="commit")
    page.get_by_label("To", exact=True).fill(mira.address)
    page.get_by_label("Subject").fill("At once")
    page.get_by_label("Message").fill("Words.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".toast, .outbox").first).to_contain_text("Sending")
    page.goto(f"{mira.site.url}/outbox")
    expect(page.get_by_text("At once")).to_be_visible()
