"""A tab over messages as they are served, whose every request is noted (tests.browser)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.rendering_site import Site, Watched, serving


@pytest.fixture(scope="module")
def attacked_site() -> Iterator[Site]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tab(attacked_site: Site, chromium: Browser) -> Iterator[Watched]:
    context = chromium.new_context(accept_downloads=True)
    yield Watched(context.new_page(), attacked_site)
    context.close()
