"""Mail as it is looked at: frames that fit, the phone, zoom, paper, the dark, links, the keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.reading_mails import mails
from tests.browser.reading_pane import PHONE, WIDE, Pane, reading_pane
from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)
NAMES = [mail.name for mail in mails()]
SHIFTS = """window.shift = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
}).observe({type: 'layout-shift', buffered: true})"""
FITTED = """() => [...document.querySelectorAll('iframe.body-frame')].every((frame) => {
  const root = frame.contentDocument?.documentElement;
  return frame.style.height && root.scrollHeight <= frame.clientHeight + 1;
})"""
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
INVERTED = "getComputedStyle(document.documentElement).filter"
CAUTION = "\N{WARNING SIGN}"


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.reading_mails:mails") as running:
        yield running


def shown(page: Page, address: str) -> Page:
    """Open a mail and wait until its frames have their height."""
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("iframe.body-frame").first.wait_for()
    page.wait_for_function(FITTED)
    return page


def body(page: Page):
    frame = page.query_selector("iframe.body-frame").content_frame()
    frame.wait_for_load_state()
    return frame


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_frames_fit_and_nothing_moves(pane: Pane, chromium: Browser, size) -> None:
    with pane.tab(chromium, size) as page:
        shown(page, pane.address(NAMES[-1]))  # fonts are here from now on
        page.add_init_script(SHIFTS)
        for name in NAMES:
            shown(page, pane.address(name))
            page.wait_for_load_state("networkidle")
            assert page.evaluate("window.shift") < 0.001, name
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        attachments = shown(page, pane.address("short")).locator(".attachments")
        expect(attachments).to_be_visible()


def test_a_wide_table_scrolls_by_itself_with_the_keyboard(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium, PHONE) as page:
        frame = body(shown(page, pane.address("wide")))
        part = frame.locator(".signet-part")
        assert part.evaluate("each => each.scrollWidth > each.clientWidth + 100")
        part.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(  # nothing of a promise or timer runs in a frame without script
            "() => document.querySelector('iframe.body-frame').contentDocument"
            ".querySelector('.signet-part').scrollLeft > 0"
        )
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_at_200_percent_nothing_is_lost(pane: Pane, chromium: Browser) -> None:
    """A window of 1280 by 800 at 200 % has half of it in CSS pixels (WCAG 1.4.4, 1.4.10)."""
    with pane.tab(chromium, (640, 400)) as page:
        for name in NAMES:
            shown(page, pane.address(name))
            assert page.evaluate("document.documentElement.scrollWidth") <= 640, name
            for role, words in (("link", "Reply all"), ("button", "Archive")):
                box = page.get_by_role(role, name=words, exact=True).last.bounding_box()
                assert box, words
                assert box["x"] >= 0 and box["x"] + box["width"] <= 640, words


def test_on_paper_the_whole_message_and_nothing_else(
    pane: Pane, chromium: Browser, tmp_path: Path
) -> None:
    """Quotes are unfolded, the frame is as long as it gets; no tools, no list, no addresses."""
    with pane.tab(chromium) as page:
        shown(page, pane.address("quoted"))
        page.pdf(path=tmp_path / "paper.pdf")
        assert "is-printing" not in (page.locator("html").get_attribute("class") or "")
    paper = pypdfium2.PdfDocument(tmp_path / "paper.pdf")
    # A PDF knows no words, only where letters stand.
    pages = ["".join(each.get_textpage().get_text_range().split()) for each in paper]
    text = "".join(pages)
    # The body begins under its header, not on a page of its own, and what follows it does so too.
    assert "Line20oftheanswer." in pages[0]
    assert "Line70oftheanswer." in pages[1]
    assert pages[-1].count("report.pdf") == 1 and "AnnaLindqvist" in pages[-1]
    for words in ("quoted", "Anna Lindqvist", "Yes, Thursday.", "Line 80 of the answer.",
                  "We should meet this week.", "report.pdf", "Not signed, not encrypted"):  # fmt: skip
        assert words.replace(" ", "") in text, words
    for words in ("Compose", "Reply", "Inbox", "http", "Skip", "Showin"):
        assert words not in text, words


def test_quotes_are_folded_until_asked_for(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium) as page:
        frame = body(shown(page, pane.address("quoted")))
        expect(frame.get_by_text("We should meet this week.")).to_be_hidden()
        before = page.locator("iframe.body-frame").bounding_box()["height"]
        frame.get_by_text("Quoted text").focus()
        page.keyboard.press("Enter")
        expect(frame.get_by_text("We should meet this week.")).to_be_visible()
        page.wait_for_function(
            f"() => document.querySelector('iframe.body-frame').clientHeight > {before}"
        )
        page.wait_for_function(FITTED)


def test_dark_pages_leave_mail_its_colours_until_asked(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium, theme="dark") as page:
        frame = body(shown(page, pane.address("links")))
        assert frame.evaluate(GROUND) == "rgb(255, 255, 255)"
        assert frame.evaluate(INVERTED) == "none"
        page.get_by_role("link", name="Show in dark").click()
        page.wait_for_url(re.compile("shade=dark"))
        page.wait_for_function(FITTED)
        frame = body(page)
        assert "invert(1)" in frame.evaluate(INVERTED)
        page.get_by_role("link", name="Show in light").click()
        page.wait_for_url(re.compile("shade=light"))
        page.wait_for_function(FITTED)
        assert body(page).evaluate(INVERTED) == "none"
        painted = body(shown(page, pane.address("painted")))
        assert painted.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(16, 24, 32)"
        )
        plain = body(shown(page, pane.address("quoted")))
        assert plain.evaluate("getComputedStyle(document.body).color") == "rgb(239, 233, 223)"
        assert page.get_by_role("link", name=re.compile("Show in")).count() == 0
    with pane.tab(chromium) as page:
        shown(page, pane.address("links"))
        assert page.get_by_role("link", name=re.compile("Show in")).count() == 0


def test_links_that_deceive_are_marked_before_the_click(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium) as page:
        frame = body(shown(page, pane.address("links")))
        mark = "id => getComputedStyle(document.getElementById(id), '::after').content"
        for name in ("shown", "at", "alike"):
            assert CAUTION in frame.evaluate(mark, name), name
        assert CAUTION not in frame.evaluate(mark, "honest")
        for name in ("script", "inline"):
            assert frame.evaluate("id => document.getElementById(id).href", name) == "", name
        line = page.locator("#link-line")
        frame.locator("#honest").hover()
        expect(line).to_have_text("https://nordlys.example/plan")
        frame.locator("#honest").focus()
        expect(line).to_have_text("https://nordlys.example/plan")
        bar = page.locator(".bar", has_text="1 remote image is blocked.")
        expect(bar).to_contain_text("1 hidden image")
        expect(bar).to_contain_text("track.example")
        picture = frame.get_by_role("img", name="The turbine hall")
        assert picture.evaluate("each => each.getBoundingClientRect().height") == 180


def test_the_language_and_direction_of_the_mail_are_kept(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium) as page:
        frame = body(shown(page, pane.address("hebrew")))
        assert frame.locator("html").get_attribute("lang") == "he"
        assert frame.locator(".signet-part").get_attribute("dir") == "rtl"


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light")])
def test_no_mail_has_a_violation(pane: Pane, chromium: Browser, size, theme) -> None:
    with pane.tab(chromium, size, theme) as page:
        for name in NAMES:
            shown(page, pane.address(name))
            assert violations(page) == [], name


def test_from_the_list_to_the_answer_without_a_mouse(pane: Pane, chromium: Browser) -> None:
    """List, message, attachment, reply: what has the focus is visible at each step."""
    with pane.tab(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(f"{pane.origin}/mail/inbox")
        expect(page.locator(".row")).to_have_count(len(NAMES))
        while page.locator(".row.is-cursor, .row:focus-within").get_by_text("short").count() == 0:
            page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#subject")).to_have_text("short")
        expect(page).to_have_title("short · Inbox · Signet")
        with page.expect_response(
            lambda answer: answer.request.headers.get("hx-target") == "aside#list"
        ):
            page.locator("[data-refresh]").click()
        page.wait_for_load_state("networkidle")
        expect(page).to_have_title("short · Inbox · Signet")
        page.locator("#reading").focus()
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("!!document.activeElement.closest('.attachments')"):
                break
        focused = page.locator(".attachments :focus").first
        expect(focused).to_be_visible()
        assert focused.evaluate("each => getComputedStyle(each).outlineStyle") != "none"
        page.keyboard.press("r")
        expect(page).to_have_url(re.compile("/compose"))
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
