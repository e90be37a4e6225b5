"""axe finds nothing on any page, in both themes and at three widths."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MIDDLE, PATIENCE, PHONE, WIDE
from tests.site import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)
AXE = ROOT / "node_modules/axe-core/axe.min.js"


def violations(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({iframes: false})")["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"][:3]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, MIDDLE, PHONE])
def test_no_page_has_a_violation(person, size, theme):
    mira = person(size, theme=theme)
    mira.receive("Letter one", "Letter two")
    page = mira.page()
    page.goto(f"{mira.site.url}/sign-in")
    assert violations(page) == []
    mira.sign_in(page)
    expect(page.locator(".row")).to_have_count(2)
    assert violations(page) == []
    page.locator(".row-link").first.click()
    expect(page.locator("#subject")).to_be_visible()
    assert violations(page) == []
    for path in ("/settings/", "/help/protection", "/outbox", "/drafts", "/compose", "/keys"):
        page.goto(f"{mira.site.url}{path}")
        page.wait_for_load_state()
        assert violations(page) == [], path
