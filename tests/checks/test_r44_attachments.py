"""Check 44, rows 13 to 15: attachments are downloaded under clean names, whatever they say they are."""

import re

import pytest
from playwright.sync_api import Error

from tests.browser.rendering_mails import ACTIVE, MAILS
from tests.browser.rendering_site import Watched

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("row", [13, 14, 15])
def test_r44_attachments_run_nowhere(row: int, tab: Watched) -> None:
    """Check 44, rows 13 to 15: opened by their own address they are downloaded, or drawn without running."""
    shown = tab.site.show(MAILS[row][0])
    assert row != 13 or len(shown.parts) >= len(ACTIVE) - 1
    for url in shown.parts:
        tab.site.sink.asked.clear()
        tab.events.clear()
        with tab.page.expect_download() as downloading:
            try:
                tab.page.goto(url)
            except Error as problem:
                assert "Download is starting" in str(problem), problem
        name = downloading.value.suggested_filename
        assert not re.search(r"[\r\n/\\\\<>\"]", name)
        assert (tab.site.sink.asked, tab.events) == ([], [])
        fields, _ = tab.site.pages[url.removeprefix(tab.site.origin)]
        assert not any("\r" in value or "\n" in value for value in fields.values())
        assert fields["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in fields["Content-Security-Policy"]
