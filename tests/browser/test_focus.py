"""Whatever was opened is closed: the keyboard is where it was, or beside it when that is gone.

The viewer of attachments is tried in `test_attachments`, where a worker draws what it shows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.conversation_mails import COUNT
from tests.browser.reading_pane import PHONE, Pane, reading_pane
from tests.browser.test_reading_mail import shown

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)
ROW = ".row.is-open .row-link"
CLOSE_DRAFT = ".composer-close:visible"


@dataclass(frozen=True, slots=True)
class Opener:
    """Focus `by`, press `key`, see `opened`; press `close` or the button so named; see `back`."""

    name: str
    by: str
    key: str
    opened: str
    close: str = "Escape"
    back: str = ""  # "": what it was opened by
    mail: str = "files"


OPENERS = (
    Opener("account", ".avatar-me", "Enter", ".top-end .menu-panel"),
    Opener("filter", ".list-filter", "Enter", "#list .list-head .menu-panel"),
    Opener("move", "#reading-form [data-move] > summary", "Enter", "#reading-form .menu-panel"),
    Opener("move by key", ROW, "v", "#reading-form .menu-panel"),
    Opener("more", ".message [data-menu] > summary", "Enter", ".message .menu-panel"),
    Opener("header", ".message-to > summary", "Enter", ".details", close="Enter"),
    Opener("help", "[data-command=help]", "Enter", "#help"),
    Opener("help, its button", "[data-command=help]", "Enter", "#help", "#help .icon-button"),
    Opener("help by key", ROW, "?", "#help"),
    Opener("help beside mail", ".message-to > summary", "?", "#help"),
    Opener("commands", "[data-command=palette]", "Enter", "#palette"),
    Opener("commands by key", ROW, "Control+k", "#palette"),
    Opener("suggestions", "#search", "f", ".suggestions"),
    Opener("compose", ".side [data-open-compose]", "Enter", "#composer-form", CLOSE_DRAFT),
    Opener("compose by key", ROW, "c", "#composer-form", CLOSE_DRAFT, back=".row-link[tabindex='0']"),
    # The message with its link is gone: its row is where it was.
    Opener("reply", "[data-reply]", "Enter", "#composer-form", CLOSE_DRAFT, ".row-link[tabindex='0']"),
)  # fmt: skip


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.conversation_mails:mails") as running:
        yield running


@pytest.fixture(scope="module")
def tab(pane: Pane, chromium: Browser) -> Iterator[Page]:
    with pane.tab(chromium) as page:
        page.set_default_timeout(PATIENCE)
        yield page


@pytest.mark.parametrize("opener", OPENERS, ids=lambda each: each.name)
def test_what_opened_it_has_the_focus_again(pane: Pane, tab: Page, opener: Opener) -> None:
    shown(tab, pane.address(opener.mail))
    by = tab.locator(opener.by).first
    expect(by).to_be_visible()
    by.focus()
    tab.keyboard.press(opener.key)
    opened = tab.locator(opener.opened).first
    expect(opened).to_be_visible()
    if re.fullmatch(r"[A-Z]\w+", opener.close):
        tab.keyboard.press(opener.close)
    else:
        tab.locator(opener.close).first.click()
    expect(opened).to_be_hidden()
    expect(tab.locator(opener.back).first if opener.back else by).to_be_focused()


def test_escape_leaves_a_menu_from_inside(pane: Pane, tab: Page) -> None:
    shown(tab, pane.address("files"))
    summary = tab.locator(".message [data-menu] > summary")
    summary.focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    expect(tab.locator(".message .menu-item").first).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator(".message .menu-panel")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_link_is_put_where_it_was_asked_for(pane: Pane, tab: Page) -> None:
    tab.goto(f"{pane.origin}/compose")
    expect(tab.locator("#composer-form[data-editor=started]")).to_be_attached()
    editor = tab.locator(".editor")
    editor.click()
    tab.keyboard.type("See")
    if tab.locator("[data-format=link]").is_hidden():
        tab.locator("[data-format=toggle]").click()
    tab.locator("[data-format=link]").click()
    expect(tab.locator("[data-link-dialog]")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(editor).to_be_focused()


def test_the_row_that_takes_its_place_after_an_act(pane: Pane, chromium: Browser) -> None:
    """Archived from the list's tools, taken back by the toast, archived open by its own button."""
    with pane.tab(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(f"{pane.origin}/mail/inbox")
        rows = page.locator(".row")
        expect(rows).to_have_count(4)
        names = [row.get_attribute("data-id") for row in rows.all()]
        rows.nth(1).locator("input").check()
        page.locator(".selection [value=archive]").focus()
        page.keyboard.press("Enter")
        expect(rows).to_have_count(3)
        expect(page.locator(f"#c{names[2]} .row-link")).to_be_focused()
        undo = page.get_by_role("button", name="Undo")
        undo.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".row-link:focus")).to_have_count(1)
        expect(rows).to_have_count(4)
        rows.nth(2).locator("input").check()
        page.locator("[data-command=select-none]").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".row-link:focus")).to_have_count(1)
        rows.nth(1).locator(".row-link").click()
        expect(page.locator("#reading-form")).to_be_visible()
        page.locator("#reading-form [value=archive]").focus()
        page.keyboard.press("Enter")
        expect(page.locator(f"#c{names[2]} .row-link")).to_be_focused()
        undo.click()
        expect(rows).to_have_count(4)


def test_on_a_phone_the_list_and_the_drawer(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium, PHONE) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(f"{pane.origin}/mail/inbox")
        row = page.locator(".row-link").nth(1)
        row.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#subject")).to_be_focused()
        page.get_by_label("Back to the list").focus()
        page.keyboard.press("Enter")
        expect(row).to_be_focused()
        menu = page.locator("[data-drawer]")
        menu.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#side.is-open a").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#folders [data-role=sent]").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#list")).to_be_focused()  # nothing is in there
        expect(page.locator("#side")).not_to_have_class(re.compile("is-open"))


def test_a_message_is_unfolded_and_folded_where_it_stands(pane: Pane, tab: Page) -> None:
    shown(tab, pane.address(f"answer {COUNT}"))
    expect(tab.locator(".subject-note")).to_contain_text(f"{COUNT} messages with Anna Lindqvist")
    lines = tab.locator("#reading .folded-link")
    expect(lines).to_have_count(COUNT - 1)
    expect(tab.locator("#reading article.message")).to_have_count(1)
    expect(tab.locator("[data-fold]")).to_be_hidden()  # what the page is about stays open
    article = tab.locator("#reading article").nth(2)
    line = article.locator("a")
    line.focus()
    tab.keyboard.press("Enter")
    name = article.locator(".message-from")
    expect(name).to_be_focused()
    expect(lines).to_have_count(COUNT - 2)
    frame = article.locator("iframe.body-frame").content_frame
    expect(frame.get_by_text("Answer 3.")).to_be_visible()
    expect(frame.get_by_text("Answer 2 stood here.")).to_be_hidden()
    tab.keyboard.press("p")
    expect(tab.locator("#reading article").nth(1).locator("a")).to_be_focused()
    tab.keyboard.press("n")
    expect(name).to_be_focused()
    article.get_by_role("button", name="Fold").focus()
    tab.keyboard.press("Enter")
    expect(article.locator("a")).to_be_focused()
    expect(lines).to_have_count(COUNT - 1)
    tab.keyboard.press("Enter")  # once more
    expect(article.locator(".message-from")).to_be_focused()
    # The address is still that of the message whose page it is.
    assert tab.url == pane.address(f"answer {COUNT}")


def test_one_message_of_many_is_printed(pane: Pane, tab: Page, tmp_path: Path) -> None:
    shown(tab, pane.address(f"answer {COUNT}"))
    article = tab.locator("#reading article").nth(2)
    article.locator("a").click()
    expect(
        article.locator("iframe.body-frame").content_frame.get_by_text("Answer 3.")
    ).to_be_visible()
    # The browser's own dialog cannot be answered here; what it would print can be taken.
    tab.evaluate("window.print = () => document.body.dataset.asked = 'print'")
    article.locator("[data-menu] > summary").click()
    article.get_by_role("button", name="Print").click()
    expect(tab.locator("body")).to_have_attribute("data-asked", "print")
    expect(article.locator(".menu-panel").first).to_be_hidden()
    texts = [printed(tab, tmp_path), printed(tab, tmp_path)]
    for text in texts:
        assert "Answer3." in text
    # Afterwards the page prints as it stands.
    assert [f"Answer{COUNT}." in text for text in texts] == [False, True]


def printed(page: Page, directory: Path) -> str:
    """What stands on paper, without blanks: a PDF knows no words, only where letters stand."""
    page.pdf(path=directory / "paper.pdf")
    paper = pypdfium2.PdfDocument(directory / "paper.pdf")
    return "".join("".join(each.get_textpage().get_text_range().split()) for each in paper)


def test_trimmed_words_are_shown_with_the_keyboard(pane: Pane, tab: Page) -> None:
    """The quotes of HTML mail, quotes in quotes and signatures of plain text: folded until asked."""
    folded = {
        f"answer {COUNT}": ((f"Answer {COUNT - 1} stood here.",), "Quoted text"),
        "quoted": (("We should meet.",), "Quoted text"),
    }
    for mail, (words, label) in folded.items():
        frame = shown(tab, pane.address(mail)).locator("iframe.body-frame").first.content_frame
        summary = frame.locator("summary", has_text=label).first
        for each in words:
            expect(frame.get_by_text(each)).to_be_hidden()
        summary.focus()
        expect(summary).to_be_focused()
        tab.keyboard.press("Enter")
        for each in words:
            expect(frame.get_by_text(each)).to_be_visible()
        tab.keyboard.press("Enter")
        for each in words:
            expect(frame.get_by_text(each)).to_be_hidden()
