"""The mailbox in a real browser under the application's CSP, as a person uses it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MIDDLE, PATIENCE, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)

LETTERS = [f"Letter {word}" for word in ("one", "two", "three", "four", "five")]


def test_sign_in_shows_the_newest_mail_by_itself(person):
    mira = person()
    mira.receive(*LETTERS)
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(5)
    expect(page.locator(".row").first).to_contain_text("Letter five")
    expect(page).to_have_title(re.compile("Inbox"))


def test_mail_is_opened_read_and_archived_with_the_keyboard(person):
    mira = person()
    mira.receive(*LETTERS, text="The very words.\n")
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_have_text("Letter four")
    expect(page).to_have_url(re.compile(r"/message/\d+"))
    body = page.frame_locator("iframe.body-frame")
    expect(body.get_by_text("The very words.")).to_be_visible()
    expect(page.locator(".row.is-open")).not_to_have_class(re.compile("is-unread"))
    page.keyboard.press("e")
    expect(page.locator("#subject")).to_have_text("Letter three")
    expect(page.locator(".row")).to_have_count(4)
    expect(page.locator(".toast")).to_contain_text("Archived")
    page.keyboard.press("z")
    expect(page.locator(".row")).to_have_count(5)
    page.keyboard.press("u")
    expect(page.locator("#reading.reading-empty")).to_be_visible()
    page.go_back()
    expect(page.locator("#subject")).to_have_text("Letter three")


def test_every_page_works_by_its_url(person):
    mira = person()
    mira.receive(*LETTERS)
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row-link").nth(2).click()
    expect(page.locator("#subject")).to_have_text("Letter three")
    page.reload()
    expect(page.locator("#subject")).to_have_text("Letter three")
    expect(page.locator(".row")).to_have_count(5)
    expect(page.locator(".row.is-open")).to_contain_text("Letter three")


def test_new_mail_appears_without_being_asked_for(person):
    mira = person()
    mira.receive("First")
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(1)
    mira.receive("Second")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row").first).to_contain_text("Second")


def test_rows_are_checked_and_moved(person):
    mira = person()
    mira.receive(*LETTERS)
    page = mira.page()
    mira.sign_in(page)
    page.locator(".row input").first.check()
    page.locator(".row input").nth(2).check()
    expect(page.locator("[data-selection-count]")).to_have_text("2 selected")
    page.locator(".selection").get_by_label("Delete").click()
    expect(page.locator(".row")).to_have_count(3)
    page.locator("#folders").get_by_text("Trash").click()
    expect(page.locator(".row")).to_have_count(2)


def test_help_and_palette(person):
    mira = person()
    mira.receive("One")
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("settings")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/"))


def test_a_mail_is_written_sent_and_called_back(person):
    mira, karim = person(), person()
    karim.receive("Already here")
    there = karim.page()
    karim.sign_in(there)
    expect(there.locator(".row")).to_have_count(1)
    page = mira.page()
    mira.sign_in(page)
    page.get_by_role("link", name="Compose").first.click()
    page.get_by_label("To", exact=True).fill(karim.address)
    page.keyboard.press("Enter")
    page.get_by_label("Subject", exact=True).fill("Handover plan")
    page.get_by_label("Message", exact=True).click()
    page.keyboard.type("Here is the plan.")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    if page.get_by_label("Sign", exact=True).is_checked():
        page.get_by_label("Sign", exact=True).uncheck()
    page.locator("[data-send]").click()
    expect(page.locator(".toast")).to_contain_text("Sending to")
    expect(there.locator(".row").first).to_contain_text("Handover plan", timeout=60_000)
    there.locator(".row-link").first.click()
    text = there.frame_locator("iframe.body-frame").get_by_text("Here is the plan.")
    expect(text).to_be_visible()


@pytest.mark.parametrize("size", [MIDDLE, PHONE])
def test_narrow_windows_show_one_thing_at_a_time(person, size):
    mira = person(size)
    mira.receive(*LETTERS)
    page = mira.page()
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(5)
    page.locator(".row-link").first.click()
    expect(page.locator("#subject")).to_be_visible()
    if size == PHONE:
        expect(page.locator("#list")).to_be_hidden()
        page.get_by_label("Back to the list").click()
        expect(page.locator("#list")).to_be_visible()
        page.get_by_label("Folders").first.click()
        expect(page.locator("#folders")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]


def test_nothing_shifts_while_mail_is_opened(person):
    mira = person()
    mira.receive(*LETTERS)
    page = mira.page()
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const each of list.getEntries())"
        " if (!each.hadRecentInput) window.shift += each.value; })"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(5)
    page.locator(".row-link").nth(1).click()
    expect(page.locator("#subject")).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.evaluate("window.shift") < 0.01
