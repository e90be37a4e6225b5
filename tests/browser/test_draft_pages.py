"""A draft and its page: nothing typed is lost or contradicted, however the page is left."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)

SEND = "[data-send]"


class Held:
    """Requests that wait until they are let go, and later ones not at all."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.is_open = False

    def hold(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.routes.append(route)

    def release(self) -> None:
        self.is_open = True
        for route in self.routes:
            route.continue_()


def test_enter_while_the_editor_is_on_its_way_makes_no_second_page(person):
    mira = person()
    page = mira.page()
    script = Held()
    page.route("**/build/composer*.js", script.hold)
    mira.sign_in(page)
    page.get_by_role("link", name="Compose").first.click()
    page.get_by_label("To", exact=True).fill(mira.address)
    page.keyboard.press("Enter")
    page.get_by_label("Subject", exact=True).fill("Handover plan")
    page.locator(SEND).first.click()
    script.release()
    # Send was pressed before the editor was there: it is carried out, once.
    expect(page.locator(".toast")).to_contain_text("Sending to")
    expect(page).not_to_have_url(re.compile("draft="))


def test_words_typed_before_another_mail_is_opened_are_kept(person):
    mira = person()
    mira.receive("One")
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(1)
    _begin(page, "Typed and left")
    page.locator(".row-link").first.click()
    with page.expect_response(lambda answer: answer.url.endswith("/save")):
        expect(page.locator("#subject")).to_have_text("One")
    page.locator("#folders").get_by_text("Drafts").click()
    expect(page.get_by_text("Typed and left")).to_be_visible()


# The browser sends it when the page is gone, and the test when it wants to.
HOLD_BEACONS = """
navigator.sendBeacon = (url, fields) => {
  const held = JSON.stringify([url, [...fields].filter((each) => typeof each[1] === "string")]);
  sessionStorage.setItem("held", held);
  return true;
};
"""


def test_a_reload_right_after_typing_waits_for_its_own_words(person):
    mira = person()
    page = mira.page()
    page.add_init_script(HOLD_BEACONS)
    mira.sign_in(page)
    _begin(page, "Typed and reloaded")
    page.reload()
    expect(page.locator("#composer-form[inert]")).to_be_attached()
    url, fields = json.loads(page.evaluate("sessionStorage.getItem('held')"))
    saved = page.request.post(f"{mira.site.url}{url}", form=dict(fields))
    assert saved.ok
    subject = page.get_by_label("Subject", exact=True)
    expect(subject).to_have_value("Typed and reloaded")
    expect(page.locator("#composer-form[data-editor]")).to_be_attached()
    with page.expect_response(lambda answer: answer.url.endswith("/save")) as answered:
        subject.fill("Typed, reloaded and saved")
    assert answered.value.status == 200
    page.reload()
    expect(subject).to_have_value("Typed, reloaded and saved")


def test_a_page_whose_last_words_never_arrive_goes_on_without_them(person):
    mira = person()
    page = mira.page()
    page.add_init_script(HOLD_BEACONS)
    mira.sign_in(page)
    _begin(page, "Lost on the way")
    page.reload()
    expect(page.locator("#composer-form[data-editor]")).to_be_attached()
    url, fields = json.loads(page.evaluate("sessionStorage.getItem('held')"))
    subject = page.get_by_label("Subject", exact=True)
    with page.expect_response(lambda answer: answer.url.endswith("/save")) as answered:
        subject.fill("Written again")
    assert answered.value.status == 200
    # At last: nobody is told of a conflict, and what was written since stays.
    page.request.post(f"{mira.site.url}{url}", form=dict(fields))
    page.reload()
    expect(subject).to_have_value("Written again")
    with page.expect_response(lambda answer: answer.url.endswith("/save")) as answered:
        subject.fill("And on")
    assert answered.value.status == 200


def _begin(page: Page, subject: str) -> None:
    """Write a subject; the editor is there, and nothing was saved yet."""
    if "compose" not in page.url:
        page.get_by_role("link", name="Compose").first.click()
    expect(page.locator("#composer-form[data-editor]")).to_be_attached()
    page.get_by_label("Subject", exact=True).fill(subject)
