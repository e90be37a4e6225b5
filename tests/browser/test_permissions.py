"""What leaves the page for other hosts: images once asked for, links once clicked, counted."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import PATIENCE
from tests.browser.image_mails import COUNT
from tests.browser.reading_pane import Pane, reading_pane
from tests.browser.test_reading_mail import body, shown

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)
IMAGE = re.compile(r"/img/[^/]+$")
BLOCKED = f"{COUNT} remote images are blocked."
SHOWN = f"{COUNT} remote images are shown."


def _png() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (120, 80), "#1f5a3d").save(written, "PNG")
    return written.getvalue()


@dataclass  # without slots: Playwright marks the methods it is given
class Counted:
    """Requests for images through the proxy, and all that name another host, which answers."""

    origin: str
    images: list[str] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)  # address, referrer

    def listen(self, context: BrowserContext) -> None:
        # The proxy's own work is tried over HTTP in tests/webmail/reader/test_image_proxy.py.
        context.route(IMAGE, self._image)
        outside = re.compile(rf"^(?!{re.escape(self.origin)}/|data:)")
        context.route(outside, self._strange)

    def _image(self, route: Route) -> None:
        self.images.append(route.request.url)
        route.fulfill(content_type="image/png", body=_png())

    def _strange(self, route: Route) -> None:
        self.strange.append((route.request.url, route.request.headers.get("referer", "")))
        route.fulfill(content_type="text/html", body="<title>There</title>")

    def taken(self) -> int:
        """How many images were asked for since the last question."""
        count = len(self.images)
        self.images.clear()
        return count


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.image_mails:mails") as running:
        yield running


@pytest.fixture(scope="module")
def linked(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.reading_mails:mails") as running:
        yield running


def opened(page: Page, pane: Pane, name: str, says: str) -> None:
    """Open a mail of which the bar says this; what it loads was asked for when this returns."""
    shown(page, pane.address(name))
    expect(page.locator(".bar-info")).to_contain_text(says)
    page.wait_for_load_state("networkidle")


def choose(page: Page, button: str, says: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.locator(".bar-info")).to_contain_text(says)
    page.wait_for_load_state("networkidle")


def test_images_are_asked_for_once_always_and_no_more(pane: Pane, chromium: Browser) -> None:
    with pane.tab(chromium) as page:
        counted = Counted(pane.origin)
        counted.listen(page.context)
        opened(page, pane, "first", BLOCKED)
        assert counted.taken() == 0
        choose(page, "Load images", SHOWN)
        assert counted.taken() == COUNT
        picture = body(page).get_by_role("img", name="The turbine hall")
        assert picture.evaluate("each => each.naturalWidth") == 120
        # Once is for this message and this time.
        for name in ("next", "first"):
            opened(page, pane, name, BLOCKED)
            assert counted.taken() == 0, name
        choose(page, "Always from this sender", SHOWN)
        assert counted.taken() == COUNT
        opened(page, pane, "next", SHOWN)
        assert counted.taken() == COUNT
        # Somebody else can write this address into From as well.
        opened(page, pane, "unsigned", BLOCKED)
        assert counted.taken() == 0
        expect(page.get_by_role("button", name="Always from this sender")).to_have_count(0)
        opened(page, pane, "next", SHOWN)
        counted.taken()
        choose(page, "Stop for this sender", BLOCKED)
        assert counted.taken() == 0
        for name in ("first", "next"):
            opened(page, pane, name, BLOCKED)
            expect(page.get_by_role("button", name="Always from this sender")).to_be_visible()
        assert counted.taken() == 0
        assert counted.strange == []


def test_unsigned_mail_shows_its_images_when_asked_and_never_always(
    pane: Pane, chromium: Browser
) -> None:
    with pane.tab(chromium) as page:
        counted = Counted(pane.origin)
        counted.listen(page.context)
        opened(page, pane, "unsigned", BLOCKED)
        expect(page.get_by_role("button", name="Always from this sender")).to_have_count(0)
        choose(page, "Load images", SHOWN)
        assert counted.taken() == COUNT
        assert counted.strange == []


@pytest.mark.parametrize(
    ("link", "host"),
    [("shown", "evil.example"), ("at", "evil.example"), ("alike", "xn--pple-43d.example")],
)
def test_a_deceptive_link_stops_at_a_page_that_names_its_host(
    linked: Pane, chromium: Browser, link: str, host: str
) -> None:
    with linked.tab(chromium) as page:
        counted = Counted(linked.origin)
        counted.listen(page.context)
        frame = body(shown(page, linked.address("links")))
        frame.locator(f"#{link}").focus()
        with page.context.expect_page() as opening:
            page.keyboard.press("Enter")
        stop = opening.value
        stop.wait_for_load_state()
        assert "/go/" in stop.url
        expect(stop.locator(".go-target")).to_contain_text(host)
        assert counted.strange == []
        with stop.expect_navigation():
            stop.get_by_role("link", name="Open it anyway").click()
        ((address, referrer),) = counted.strange
        assert host in address
        assert referrer == ""
        assert page.url == linked.address("links")


def test_an_honest_link_opens_in_a_tab_of_its_own(linked: Pane, chromium: Browser) -> None:
    with linked.tab(chromium) as page:
        counted = Counted(linked.origin)
        counted.listen(page.context)
        frame = body(shown(page, linked.address("links")))
        assert counted.strange == []
        with page.context.expect_page() as opening:
            frame.locator("#honest").click()
        there = opening.value
        there.wait_for_load_state()
        expect(there).to_have_title("There")
        assert counted.strange == [("https://nordlys.example/plan", "")]
        assert there.evaluate("window.opener") is None
        assert page.url == linked.address("links")
