"""Every row of the attack checklist in a real browser (rendering.md §9).

In the frame with its policies, and as the sanitised document alone without frame and policy:
nothing runs, nothing loads. Rows that are about forms and protocols have their tests where those
are (20, 21: test_r45_injection.py; 22: below).
"""

import importlib
import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Error

from tests.browser.rendering_mails import ACTIVE, MAILS, attacked
from tests.browser.rendering_site import Site, Watched, serving
from tests.corpora import ROOT
from webmail.celery import app

pytestmark = pytest.mark.browser
MODES = ["framed", "alone"]


@pytest.fixture(scope="module")
def site():
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tab(site: Site, chromium: Browser):
    context = chromium.new_context(accept_downloads=True)
    yield Watched(context.new_page(), site)
    context.close()


def problems(tab: Watched, raw: bytes, mode: str) -> list[str]:
    shown = tab.site.show(raw)
    if mode == "framed":
        return tab.open_framed(shown)
    return [what for url in shown.alone for what in tab.open(url)]


def test_what_the_counters_see(tab: Watched) -> None:
    """Without the sanitiser each way out is noticed: the tests below could fail."""
    raw = (
        "<img src='{evil}/a'><link rel=preconnect href='{evil}'><svg onload=alert(1)></svg>"
        "<style>body{background:url({evil}/b)}</style><img src='/logout'>"
        "<p style='position:fixed'>x</p>"
    ).replace("{evil}", tab.site.sink.origin)
    tab.site.pages["/raw"] = ({"Content-Type": "text/html"}, raw.encode())
    found = tab.open(f"{tab.site.origin}/raw")
    for expected in (
        "left: svg",
        "left: onload",
        "left: LINK",
        "position of P",
        "dialog 1",
        "sink",
        "/logout",
    ):
        assert any(expected in what for what in found), (expected, found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", sorted(MAILS))
def test_row(row: int, mode: str, tab: Watched) -> None:
    for raw in MAILS[row]:
        start = time.process_time()
        assert problems(tab, raw, mode) == [], raw[:2_000]
        if row in {26, 27, 18}:
            assert time.process_time() - start < 3


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


def test_row_8_and_30_leave_the_trust_outside_the_frame(tab: Watched) -> None:
    shown = tab.site.show(MAILS[30][0])
    assert tab.open_framed(shown) == []
    assert shown.made.verdict.level == "none"
    assert "Verified" not in tab.page.locator("#verdict").inner_text()


def test_row_22_no_format_that_runs_code_is_read() -> None:
    assert set(app.conf.accept_content) == {"json"}
    assert app.conf.task_serializer == "json"
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    sources = [
        path for room in ("webmail", "accounts", "smime") for path in (ROOT / room).rglob("*.py")
    ]
    readers = re.compile(r"^\s*(?:import|from) (?:pickle|marshal|shelve|dill|yaml)\b", re.MULTILINE)
    assert [
        path for path in sources if readers.search(Path(path).read_text(encoding="utf-8"))
    ] == []


def test_rows_are_all_here() -> None:
    """Rows 20, 21, 28 and 29 are in the named modules; every other row is above."""
    elsewhere = {
        20: "tests.checks.test_r45_injection",
        21: "tests.checks.test_r45_injection",
        28: "tests.browser.test_rendering_trust",
        29: "tests.browser.test_rendering_trust",
    }
    for module in set(elsewhere.values()):
        importlib.import_module(module)
    assert set(MAILS) | set(elsewhere) | {22} == set(range(1, 31))


@pytest.mark.corpus
@pytest.mark.parametrize("mode", MODES)
def test_r40_hostile_corpora(mode: str, tab: Watched) -> None:
    """Check 40: every vector of the corpora, in the frame and alone."""
    import json

    from tests.corpora import corpus

    sources = []
    for name in ("html5sec/vectors.json", "signet-own/attack-html.json"):
        sources += json.loads((corpus("mime") / name).read_text(encoding="utf-8"))
    assert len(sources) > 200
    for source in sources:
        assert problems(tab, attacked(source), mode) == [], source


def test_r41_nothing_remote_before_consent(tab: Watched) -> None:
    """Check 41: images, fonts, prefetch, DNS, redirectors; and the count is said."""
    raw = attacked(
        "<link rel=dns-prefetch href=//evil.example><link rel=prefetch href=https://evil.example/p>"
        "<style>@font-face{font-family:a;src:url(https://evil.example/f)}p{font-family:a}</style>"
        "<img src=https://evil.example/open.gif width=1 height=1><img src=https://evil.example/a.png>"
        "<img src=https://evil.example/redirect?to=https://evil.example/b.png>"
        "<p background=https://evil.example/c>x<a href=https://evil.example/click>y</a>"
    )
    for mode in MODES:
        assert problems(tab, raw, mode) == []
    made = tab.site.show(raw).made
    assert made.page["images"]["blocked"] >= 2
    assert made.page["images"]["trackers"] == 1
    assert made.documents.images == ()
