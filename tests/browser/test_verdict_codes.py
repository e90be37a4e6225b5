"""Each code and note of verdicts.md in the reading pane and in the list, as ui.md §4 draws it.

The examples are those of tests/smime/test_verdict_codes.py, made with a PKI and a clock of their
own; they go through the pipeline and are drawn by the site's pages: one load of a page a code.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page

from smime import words
from tests.browser.reading_pane import Pane, reading_pane
from tests.browser.verdict_mails import rich_and_bad
from tests.smime.verdict_examples import ENCRYPTIONS, NOTES, SIGNATURES

pytestmark = pytest.mark.browser
FILLED = {
    "sender-on-behalf": "Sent by office@example.org on behalf of the author.",
    "late-signing": "It was signed on 21 November 2026, some days apart from its date.",
}
# Codes whose words are a tail of the signature's: (headline, end of the sentence).
TAILS = {
    "encrypted-signed": ("Signed by Alice", "Encrypted for you."),
    "not-encrypted": ("Signed by Alice", "Not encrypted."),
}
LIST_SEALS = {"ok", "warn", "bad", "unknown"}
BAD = [*rich_and_bad(), "forged"]


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.verdict_mails:mails") as running:
        yield running


@pytest.fixture(scope="module")
def tab(pane: Pane, chromium: Browser) -> Iterator[Page]:
    with pane.tab(chromium, javascript=False) as page:
        yield page


def opened(tab: Page, pane: Pane, name: str) -> Locator:
    """The panel above the body; for mail that needs none, the quiet line."""
    tab.goto(pane.address(name), wait_until="domcontentloaded")
    panel = tab.locator("main .verdict, main .verdict-quiet")
    assert panel.count() == 1
    assert "{" not in (panel.text_content() or "")
    return panel


def symbols(within: Locator) -> list[str]:
    """The names of the seals and locks drawn in it."""
    used = within.locator("svg use")
    hrefs = used.evaluate_all("all => all.map(use => use.getAttribute('href'))")
    return [
        name for href in hrefs if (name := href.partition("#")[2]).startswith(("seal-", "lock"))
    ]


def is_of(template: str, text: str) -> bool:
    """Is it the catalogue's sentence, with something in each placeholder?"""
    pieces = re.split(r"\{\w+\}", template)
    return re.fullmatch(r"[^{}]+?".join(map(re.escape, pieces)), text) is not None


def check_panel(
    panel: Locator, level: str, *, headline: str, template: str, tail: str = ""
) -> None:
    assert panel.get_attribute("class") == f"verdict verdict-{level}"
    assert panel.locator(".verdict-headline").inner_text() == headline
    sentence = panel.locator(".verdict-sentence").inner_text()
    assert is_of(f"{template} {tail}".strip(), sentence), sentence
    if level != "none":
        symbol = "seal-ok-large" if level == "ok" else f"seal-{level}"
        assert symbols(panel.locator(".verdict-head")) == [symbol]
        box = panel.locator(".verdict-head svg.seal").bounding_box()
        assert box is not None
        assert box["width"] == box["height"] == 34
    answers = panel.locator(".fact")
    if level == "bad":
        assert answers.locator(".fact-yes").count() == 0, "no tick may stand in a bad panel"
        assert panel.get_by_role("button", name="Move to Spam").count() == 1


def check_row(tab: Page, pane: Pane, name: str, level: str, flag: str) -> None:
    row = tab.locator(f'.row[data-message="{pane.mails[name]["id"]}"]')
    assert row.locator(".flag").all_text_contents() == ([flag] if flag else [])
    seals = [each for each in symbols(row.locator(".glyphs")) if each.startswith("seal-")]
    assert seals == ([f"seal-{level}"] if level in LIST_SEALS else [])
    if flag:
        assert flag in (row.locator(".row-link").get_attribute("aria-label") or "")


@pytest.mark.parametrize("code", SIGNATURES)
def test_signature(code: str, pane: Pane, tab: Page) -> None:
    _, _, level, headline, _ = SIGNATURES[code]
    said, name = words.SIGNATURE[code], f"signature {code}"
    panel = opened(tab, pane, name)
    assert is_of(said.headline, headline)
    if code == "unsigned":
        quiet = " ".join(panel.inner_text().split())
        assert quiet == "Not signed, not encrypted. What does this mean?"
        assert symbols(panel) == ["seal-none"]
        check_row(tab, pane, name, "", "")
        return
    details = panel.locator(".verdict-details")
    assert details.get_attribute("data-verdict") == code
    check_panel(panel, level, headline=headline, template=said.sentence)
    assert (details.get_attribute("open") is not None) == (
        level in {"warn", "bad"} or code == "revoked-later"
    )
    assert panel.locator(".fact").count() == 6
    check_row(tab, pane, name, level, said.flag)


@pytest.mark.parametrize("code", ENCRYPTIONS)
def test_encryption(code: str, pane: Pane, tab: Page) -> None:
    _, _, level, _, _ = ENCRYPTIONS[code]
    said, name = words.ENCRYPTION[code], f"encryption {code}"
    panel = opened(tab, pane, name)
    if code in TAILS:
        headline, tail = TAILS[code]
        signed = words.SIGNATURE["signed"].sentence
        check_panel(panel, level, headline=headline, template=signed, tail=tail)
    elif panel.get_attribute("class") == "verdict-quiet":
        assert panel.locator("span").inner_text() == f"{said.headline}. {said.sentence}"
    else:
        check_panel(panel, level, headline=said.headline, template=said.sentence)
    if level == "none":
        assert "lock" in symbols(panel) or panel.locator("use[href$='#key-round']").count() == 1
    is_closed = code in {"key-missing", "no-own-key", "key-locked", "damaged", "tampered"} | {
        "too-nested", "too-large",
    }  # fmt: skip
    assert tab.locator("main iframe.body-frame").count() == (0 if is_closed else tab_frames(code))
    if said.action:
        assert panel.get_by_role("link", name=said.action, exact=True).count() == 1
    assert panel.locator("form.unlock").count() == (code == "key-locked")
    row = tab.locator(f'.row[data-message="{pane.mails[name]["id"]}"]')
    is_encrypted = code not in {"partly-encrypted", "not-encrypted", "too-nested", "too-large"}
    assert ("lock" in symbols(row.locator(".glyphs"))) == is_encrypted


def tab_frames(code: str) -> int:
    return 2 if code == "partly-encrypted" else 1


@pytest.mark.parametrize("note", NOTES)
def test_note(note: str, pane: Pane, tab: Page) -> None:
    opened(tab, pane, f"note {note}")
    texts = [text.strip() for text in tab.locator("main .verdict-note").all_text_contents()]
    assert FILLED.get(note, words.NOTES[note]) in texts
    assert not any("{" in text for text in texts)


@pytest.mark.parametrize("code", BAD)
def test_what_a_bad_verdict_hides(code: str, pane: Pane, tab: Page) -> None:
    """Plain text, links as text, no images, files only after "Download anyway" (ui.md §4.4)."""
    panel = opened(tab, pane, f"bad {code}")
    assert panel.locator(".verdict-details").get_attribute("data-verdict") == code
    assert panel.get_attribute("class") == "verdict verdict-bad"
    assert panel.locator(".verdict-details").get_attribute("open") is not None
    assert panel.locator(".fact-yes").count() == 0
    notes = tab.locator(".plain-note").all_inner_texts()
    assert notes == ["Plain text only. Links, images and files are off."]
    assert tab.locator("main .images-bar, main .bar").count() == 0
    body = tab.locator("main iframe.body-frame").first.content_frame
    assert body.locator("a, img").count() == 0
    if code != "forged":
        assert "Please pay here <https://evil.example/pay>" in body.locator("body").inner_text()
        held = tab.locator("main .file-card details.file-hold")
        assert held.count() == tab.locator("main .file-card").count() == 1
        assert held.get_by_text("Download anyway").count() == 1


def test_a_good_verdict_hides_none_of_it(pane: Pane, tab: Page) -> None:
    """The same mail under a good signature: what the test above looks for would be there."""
    opened(tab, pane, "good")
    assert tab.locator("main .plain-note").count() == 0
    body = tab.locator("main iframe.body-frame").first.content_frame
    assert body.locator("a, img").count() == 2
    assert tab.locator("main .bar").count() == 1
    assert tab.locator("main .file-hold").count() == 0


def test_a_name_that_holds_another_address_is_not_shown(pane: Pane, tab: Page) -> None:
    panel = opened(tab, pane, "note name-holds-other-address")
    assert panel.get_attribute("class") == "verdict verdict-warn"
    assert "boss@example.org" not in tab.locator("main .message-from").inner_text()


def test_each_code_and_note_has_a_page(pane: Pane) -> None:
    """A code of the catalogue without an example here fails by its name."""
    wanted = {f"signature {code}" for code in words.SIGNATURE}
    wanted |= {f"encryption {code}" for code in words.ENCRYPTION}
    wanted |= {f"note {note}" for note in words.NOTES}
    assert wanted - set(pane.mails) == set()
    bad = {code for code, said in words.SIGNATURE.items() if said.level == "bad"}
    assert bad - set(BAD) == set(), "a class bad whose hiding is not looked at"


def test_seals_have_a_shape_a_class(pane: Pane, tab: Page) -> None:
    """Whole, hollow, broken, dashed, none: five silhouettes, also where colours are not seen."""
    href = tab.locator("svg use").first.get_attribute("href") or ""
    sprite = tab.request.get(f"{pane.origin}{href.partition('#')[0]}").text()
    shapes = {
        name: re.search(rf'<symbol id="seal-{name}".*?</symbol>', sprite, re.DOTALL)
        for name in ("ok", "warn", "bad", "unknown", "none")
    }
    drawn = {name: found[0].partition(">")[2] if found else "" for name, found in shapes.items()}
    assert all(drawn.values())
    assert len(set(drawn.values())) == 5
    assert "stroke-dasharray" in drawn["unknown"] and "stroke-dasharray" in drawn["none"]
    assert 'fill="none"' in drawn["warn"] and drawn["bad"].count("<path") == 2
