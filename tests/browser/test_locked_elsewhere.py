"""What came out of encrypted mail leaves every open tab when its keys do, in whichever tab."""

import re

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_protected_fields import PASSPHRASE, SECRET, deliver_secret

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def tabs(person, request):
    """Two tabs of one session: one shows the secret, the other the keys."""
    mira = person(request.param)
    reading = mira.page()
    mira.sign_in(reading)
    deliver_secret(mira)
    expect(reading.locator(".row .row-subject")).to_have_text("Encrypted message")
    reading.locator(".row-link").click()
    unlock(reading)
    shows_secret(reading)
    keys = mira.page()
    keys.goto(f"{mira.site.url}/keys")
    return reading, keys


def unlock(page: Page) -> None:
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()


def shows_secret(page: Page) -> None:
    expect(page.locator("h2.subject")).to_have_text(SECRET)
    expect(page.frame_locator("iframe.body-frame").get_by_text("Only for you.")).to_be_visible()


def lock(page: Page) -> None:
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_text("Your keys are locked.")).to_be_visible()


def shows_nothing(page: Page) -> None:
    expect(page.locator("iframe.body-frame")).to_have_count(0)
    expect(page.locator("h2.subject")).not_to_have_text(SECRET)
    expect(page.locator(".row .row-subject")).to_have_text("Encrypted message")
    expect(page).not_to_have_title(re.compile(SECRET))
    assert "at nine" not in page.content()


def test_locked_and_unlocked_in_another_tab(tabs):
    reading, keys = tabs
    lock(keys)
    shows_nothing(reading)
    expect(reading.get_by_label("Passphrase")).to_be_attached()
    unlock(keys)
    shows_secret(reading)  # nobody touched this tab


def test_the_key_is_deleted_in_another_tab(tabs):
    reading, keys = tabs
    keys.locator(".own-key > summary").click()
    digits = keys.locator(".own-key .fingerprint").first.inner_text().replace(":", "")
    keys.locator("input[name=confirm]").fill(digits[:8].lower())
    keys.get_by_role("button", name="Delete key").click()
    expect(keys.get_by_text("The key is deleted.")).to_be_visible()
    shows_nothing(reading)
    reading.reload()  # and no cache has it
    shows_nothing(reading)


def test_signed_out_in_another_tab(tabs):
    reading, keys = tabs
    keys.evaluate("document.querySelector('form[action$=\"/sign-out\"]').submit()")
    expect(reading).to_have_url(re.compile("/sign-in"))
    assert "at nine" not in reading.content()


def test_an_answer_that_was_on_its_way_when_the_keys_were_locked(tabs):
    reading, keys = tabs
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    url = reading.url
    reading.goto(re.sub(r"/message/.*", "/mail/inbox", url))
    expect(reading.locator(".row .row-subject")).to_have_text(SECRET)
    reading.wait_for_load_state("networkidle")
    reading.route("**/message/*?*", hold)
    reading.locator(".row-link").click()
    while not held:
        reading.wait_for_timeout(20)
    route, response = held[0]
    assert SECRET in response.text()
    lock(keys)
    expect(reading.locator(".row .row-subject")).to_have_text("Encrypted message")
    route.fulfill(response=response)
    expect(reading.locator("#reading[data-message]")).to_be_attached()
    shows_nothing(reading)
