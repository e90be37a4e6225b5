"""axe finds nothing in any state of the mail pages: what is opened, said, refused, folded, hovered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.conversation_mails import COUNT
from tests.browser.reading_pane import PHONE, WIDE, Pane, reading_pane
from tests.browser.state_mails import VERDICTS
from tests.browser.test_accessibility import violations
from tests.browser.test_reading_mail import shown

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)
NEWEST = f"answer {COUNT}"
type Do = Callable[[Page], None]


def click(selector: str) -> Do:
    return lambda page: page.locator(selector).first.click()


def press(*keys: str) -> Do:
    return lambda page: [page.keyboard.press(key) for key in keys] and None


def type_into(selector: str, words: str) -> Do:
    def do(page: Page) -> None:
        page.locator(selector).first.click()
        page.keyboard.type(words)

    return do


def refused(page: Page) -> None:
    expect(page.locator("#composer-form[data-editor=started]")).to_be_attached()
    page.get_by_role("button", name="Send", exact=True).last.click()


def all_details(page: Page) -> None:
    page.locator("#reading .opened").wait_for()
    page.evaluate(
        "for (const each of document.querySelectorAll('#reading details:not(.menu)'))"
        " each.open = true"
    )


def hover_link(page: Page) -> None:
    page.locator("iframe.body-frame").content_frame.locator("#honest").hover()


@dataclass(frozen=True, slots=True)
class State:
    """On a mail's page, or at an address: what is done, and what is seen then."""

    name: str
    where: str
    do: Do
    seen: str
    size: tuple[int, int] | None = None  # None: both


STATES = (
    State("account menu", NEWEST, click(".avatar-me"), ".top-end .menu-panel", WIDE),
    State("filter menu", "/mail/inbox", click(".list-filter"), ".list-head .menu-panel"),
    State("move menu", NEWEST, click("#reading-form [data-move] > summary"), "#reading .menu-move"),
    State("more menu", NEWEST, click(".message [data-menu] > summary"), ".message .menu-panel"),
    State("header details", "links", all_details, ".details-fields .header-rows"),
    State("blocked images, deceptive link, hint", "links", press("Tab"), ".bar-info"),
    State("link's target", "links", hover_link, "#link-line", WIDE),
    State("help", NEWEST, press("?"), "#help"),
    State("commands", NEWEST, press("Control+k"), "#palette"),
    State("no command", NEWEST, press("Control+k", "q", "q", "q"), "#palette"),
    State("suggestions", "/mail/inbox", type_into("#search", "f"), ".suggestions", WIDE),
    State("token", "/search?q=from:anna+plan", press("Tab"), ".token", WIDE),
    State("nothing found", "/search?q=nothing+of+this", press("Tab"), ".empty-title"),
    State("empty folder", "/mail/trash", press("Tab"), ".empty-title"),
    State("skip link", "/keys", press("Tab"), ".skip a:focus"),
    State("drawer", "/mail/inbox", click("[data-drawer]"), "#side.is-open", PHONE),
    State("checked", "/mail/inbox", click(".row-check input"), ".selection"),
    State("toast", "/mail/inbox", press("x", "s", "x", "Shift+U", "e"), ".toast"),
    State("unfolded", NEWEST, click(".folded-link"), "[data-fold]"),
    State("composer", "/compose", click("[data-show=cc]"), "[data-recipients-row=cc]"),
    State("nobody named", "/compose", refused, "#recipients-failure"),
    State("formats", "/compose", click("[data-format=toggle]"), "#format-bar"),
    State("options", "/compose", click("[aria-label='More options']"), "[name=receipt]"),
    State("chips", "/compose", type_into("#to", "a@nordlys.example, not an address,"), ".chip"),
    State("reply", NEWEST, press("r"), "#composer-form[data-editor=started]"),
    *(
        State(name, name, all_details, ".opened:not([data-state=rendering])")
        for name in VERDICTS
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.state_mails:mails") as running:
        yield running


@pytest.mark.parametrize(
    ("size", "theme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_no_state_has_a_violation(pane: Pane, chromium: Browser, size, theme) -> None:
    found: dict[str, list[str]] = {}
    with pane.tab(chromium, size, theme) as page:
        page.set_default_timeout(PATIENCE)
        page.emulate_media(reduced_motion="reduce")  # colours half way are nobody's choice
        for state in STATES:
            if state.size not in {None, size}:
                continue
            if state.where.startswith("/"):
                page.goto(f"{pane.origin}{state.where}")
            elif state.where in VERDICTS:
                page.goto(pane.address(state.where))
            else:
                shown(page, pane.address(state.where))
            state.do(page)
            expect(page.locator(state.seen).first, state.name).to_be_visible()
            if problems := violations(page):
                found[state.name] = problems
    assert found == {}
