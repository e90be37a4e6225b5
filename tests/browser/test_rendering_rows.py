"""Every row of the attack checklist in a real browser (rendering.md §9).

In the frame with its policies, and as the sanitised document alone without frame and policy:
nothing runs, nothing loads. `ROWS` says which tests a row has.
"""

import base64
import importlib
import json
import pickle
import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser

from tests.browser.rendering_mails import CANARY, MAILS, SERIALISED
from tests.browser.rendering_site import MODES, Site, Watched, serving
from tests.corpora import ROOT
from webmail.celery import app
from webmail.reader.store import Documents

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site():
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tab(site: Site, chromium: Browser):
    context = chromium.new_context(accept_downloads=True)
    yield Watched(context.new_page(), site)
    context.close()


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
        assert tab.problems(raw, mode) == [], raw[:2_000]
        if row in {26, 27, 18}:
            assert time.process_time() - start < 3


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


def test_row_22_nothing_that_was_sent_is_unpacked(tab: Watched) -> None:
    """Session files, pickles and the like are text and files to download; none comes to life."""
    assert not Path(CANARY).exists()
    pickle.loads(base64.b64decode(SERIALISED["pickle"])).close()  # what must not happen
    assert Path(CANARY).exists()
    Path(CANARY).unlink()
    for raw in MAILS[22]:
        made = tab.site.show(raw).made
        kept = json.loads(json.dumps(made.page))
        assert kept == made.page, "what is kept of a page is JSON and nothing else"
        assert Documents.from_json(made.documents.to_json()) == made.documents
    assert not Path(CANARY).exists()


@pytest.mark.parametrize("row", [20, 21])
def test_rows_20_and_21_no_line_end_is_left_in_what_is_shown(row: int, tab: Watched) -> None:
    """Read, such a value is one line; so is what the search and a reply take from it."""
    for raw in MAILS[row]:
        page = tab.site.show(raw).made.page
        people = [
            text for name in ("from", "to", "reply_to") for each in page[name] for text in each
        ]
        files = [text for each in page["attachments"] for text in each[:3] if isinstance(text, str)]
        for text in (page["subject"], page["message_id"], *people, *files):
            assert not set(text) & set("\r\n\0"), text


# What each row of the checklist is about, and the tests of it; those named `test_row` run in the
# frame and bare, as do those of the checks. A row without one fails below.
ROWS: dict[int, tuple[str, str]] = {
    1: ("SVG, MathML, CDATA", "test_row"),
    2: ("SVG animate, set, by", "test_row"),
    3: ("remote load through SVG", "test_row"),
    4: ("CSS tokens, escapes, comments", "test_row"),
    5: ("CSS var() hides url", "test_row"),
    6: ("declaration smuggling by &", "test_row"),
    7: ("background attributes", "test_row"),
    8: (
        "position:fixed, !important, :root",
        "test_row test_row_8_and_30_leave_the_trust_outside_the_frame",
    ),
    9: ("remote stylesheets; private addresses", "test_row tests.checks.test_r47_ssrf"),
    10: ("local URL while remote is blocked", "test_row"),
    11: ("post-processing of sanitised HTML", "test_row"),
    12: ("link references in text/plain", "test_row"),
    13: ("attachment types run script", "test_row tests.checks.test_r44_attachments"),
    14: ("Content-Type and Disposition values", "test_row tests.checks.test_r44_attachments"),
    15: ("extension or type in a warning page", "test_row tests.checks.test_r44_attachments"),
    16: ("subject in a dialog", "test_row"),
    17: ("calendar fields", "test_row"),
    18: ("TNEF loop", "test_row"),
    19: ("text/enriched and styles in the editor", "test_row"),
    20: (
        "IMAP injection",
        "test_row test_rows_20_and_21_no_line_end_is_left_in_what_is_shown tests.checks.test_r45_injection",
    ),
    21: (
        "header injection",
        "test_row test_rows_20_and_21_no_line_end_is_left_in_what_is_shown tests.checks.test_r45_injection",
    ),
    22: (
        "unsafe deserialisation",
        "test_row test_row_22_no_format_that_runs_code_is_read test_row_22_nothing_that_was_sent_is_unpacked",
    ),
    23: ("mXSS shapes", "test_row"),
    24: ("javascript: with zero-width, formaction", "test_row"),
    25: ("meta refresh, base, prefetch, ping", "test_row"),
    26: ("MIME bombs", "test_row"),
    27: ("HTML bombs", "test_row"),
    28: ("EFAIL", "tests.checks.test_r42_efail"),
    29: ("signature wrapping", "tests.checks.test_r43_spoofing"),
    30: ("fake UI in the body", "test_row test_row_8_and_30_leave_the_trust_outside_the_frame"),
}


@pytest.mark.parametrize("row", range(1, 31))
def test_each_row_of_the_checklist_has_its_tests(row: int) -> None:
    theme, named = ROWS[row]
    assert theme
    for name in named.split():
        if name == "test_row":
            assert MAILS.get(row), f"row {row} ({theme}) has no mail"
        elif name.startswith("test_"):
            assert callable(globals()[name])
        else:
            module = importlib.import_module(name)
            tests = [each for each in vars(module) if each.startswith("test_r")]
            assert tests, f"row {row} ({theme}): {name} has no test"
    assert set(MAILS) == {each for each, (_, names) in ROWS.items() if "test_row" in names.split()}
