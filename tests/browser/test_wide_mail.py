"""Mail wider than its frame: shrunk until it fits, at full size on demand; tables are scrolled."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.reading_pane import PHONE, WIDE, Pane, reading_pane
from tests.browser.test_accessibility import violations
from tests.browser.test_reading_mail import FITTED, body, shown

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)
NEWSLETTER = 700  # pixels, as wide as its sender made it
# How wide it is drawn, in pixels of the window.
DRAWN = """() => document.querySelector('iframe.body-frame').contentDocument
  .getElementById('sheet').getBoundingClientRect().width"""
OVERFLOW = """() => { const part = document.querySelector('iframe.body-frame').contentDocument
  .querySelector('.signet-part'); return part.scrollWidth - part.clientWidth; }"""


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.reading_mails:mails") as running:
        yield running


def settled(page: Page, condition: str) -> None:
    """Wait until the first frame is as `condition` says and as high as its mail."""
    page.wait_for_function(f"() => {{ {condition} }}")
    page.wait_for_function(FITTED)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_newsletter_fits_a_phone_and_is_there_at_full_size(
    pane: Pane, chromium: Browser, theme: str
) -> None:
    with pane.tab(chromium, PHONE, theme) as page:
        frame = shown(page, pane.address("newsletter")).locator("iframe.body-frame")
        room = frame.evaluate("each => each.clientWidth")
        assert page.evaluate(OVERFLOW) <= 1
        margin = 40 if theme == "dark" else 0  # of the white card on a dark page
        assert room - margin - 4 < page.evaluate(DRAWN) <= room - margin
        height = frame.evaluate("each => each.clientHeight")
        button = page.get_by_role("button", name="Full size")
        expect(button).to_be_in_viewport()
        assert button.bounding_box()["height"] >= 44
        assert violations(page) == []
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        assert page.evaluate(DRAWN) == NEWSLETTER
        assert page.evaluate(OVERFLOW) > 300
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.wait_for_function(FITTED)
        button.click()
        assert page.evaluate(OVERFLOW) <= 1
        settled(page, f"return ({DRAWN})() <= {room}")
        assert frame.evaluate("each => each.clientHeight") == height


def test_a_turned_phone_shrinks_no_more_than_it_must(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium, PHONE) as page:
        shown(page, pane.address("newsletter"))
        page.set_viewport_size({"width": 932, "height": 430})
        settled(page, f"return ({DRAWN})() === {NEWSLETTER}")
        expect(page.get_by_role("button", name="Full size")).to_be_hidden()
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        settled(page, f"return ({DRAWN})() < {PHONE[0]}")
        expect(page.get_by_role("button", name="Full size")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, WIDE])
def test_what_would_be_too_small_to_read_is_scrolled(pane: Pane, chromium: Browser, size) -> None:
    """Twelve columns that never break: at full size, within their frame."""
    with pane.tab(chromium, size) as page:
        shown(page, pane.address("wide"))
        part = body(page).locator(".signet-part")
        assert part.evaluate("each => each.style.zoom") == ""
        assert page.evaluate(OVERFLOW) > 100
        expect(page.get_by_role("button", name="Full size")).to_be_hidden()


def test_mail_that_fits_is_left_alone(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium, PHONE) as page:
        for name in ("links", "quoted", "short", "hebrew"):
            shown(page, pane.address(name))
            part = body(page).locator(".signet-part").first
            assert part.evaluate("each => each.style.zoom") == "", name
            expect(page.get_by_role("button", name="Full size")).to_be_hidden()
