"""What of a message is signed, in the reading pane: frames with lines of their own (RFC 9787)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.frame_mails import mails
from tests.browser.reading_pane import PHONE, WIDE, Pane, reading_pane

pytestmark = pytest.mark.browser
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
ADDED = "Added on the way, as mailing lists do. It could be from anyone."


@pytest.fixture(scope="module")
def pane(collected) -> Iterator[Pane]:
    with reading_pane("tests.browser.frame_mails:mails") as running:
        yield running


@pytest.fixture(scope="module", params=[WIDE, PHONE], ids=["wide", "phone"])
def tab(pane: Pane, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with pane.tab(chromium, request.param) as page:
        yield page


def drawn(within: Locator) -> list[object]:
    """The tree as it is drawn: a frame is its text, a box its seal, its line and what is in it."""
    found: list[object] = []
    for child in within.locator(":scope > iframe, :scope > section.part").all():
        if child.evaluate("element => element.localName") == "iframe":
            assert child.get_attribute("sandbox") == SANDBOX
            found.append(" ".join(child.content_frame.locator("body").inner_text().split()))
            continue
        seal = child.locator(":scope > .part-line > svg use")
        symbol = (seal.get_attribute("href") or "").partition("#")[2] if seal.count() else ""
        line = child.locator(":scope > .part-line").inner_text()
        body = child.locator(":scope > .part-body")
        found.append((symbol, line, drawn(body) if body.count() else []))
    return found


PAY, FOOTER = "Please pay 100 EUR to account 1.", "_____ plans mailing list"
SIGNED = "Signed by Alice Matches the sender and unchanged since signing."
OUTSIDE = "Not signed It stands outside the signed part. It could be from anyone."
CLEAR = "Not encrypted It was readable on the way."
EXPECTED: dict[str, list[object]] = {
    "whole": [PAY],
    "list": [("seal-ok", SIGNED, [PAY]), ("", f"Not signed {ADDED}", [FOOTER])],
    "mailman": [
        ("", f"Not signed {ADDED}", [FOOTER]),
        ("seal-ok", SIGNED, ["Secret here"]),
        ("", f"Not signed {ADDED}", [FOOTER]),
    ],
    "altered": [
        ("", OUTSIDE, [FOOTER]),
        (
            "seal-warn",
            (
                "This message was changed after it was signed A mail gateway may have done this, or "
                "someone may have tampered with it. Ask the sender by another way before you act on it."
            ),
            ["Please pay 900 EUR to account 1."],
        ),
    ],
    "nested": [
        ("", OUTSIDE, [FOOTER]),
        (
            "seal-ok",
            (
                f"{SIGNED} A part of this message was encrypted; it is framed. "
                "The rest was readable on the way."
            ),
            [
                ("", CLEAR, [PAY]),
                (
                    "lock",
                    (
                        "Encrypted, sender not proven It reached you encrypted. Nobody can say who "
                        "wrote it, or whether it was encrypted all the way."
                    ),
                    ["Secret here"],
                ),
                ("", CLEAR, [PAY]),
            ],
        ),
    ],
    "closed": [
        ("", f"{CLEAR} It could be from anyone.", [FOOTER]),
        (
            "lock",
            (
                "You cannot open this message yet It is encrypted for a certificate you do not have "
                "here."
            ),
            [],
        ),
    ],
    "malleable": [
        ("", f"{CLEAR} It could be from anyone.", ["Secret here"]),
        (
            "seal-warn",
            "Encrypted with an old method Its text could have been changed on the way.",
            ["Secret here <https://evil.example/>"],
        ),
    ],
    "forwarded": [PAY],
}


def test_each_mail_has_its_drawing() -> None:
    assert [mail.name for mail in mails()] == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_frames_and_their_lines(name: str, pane: Pane, tab: Page) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(pane.address(name))
    assert drawn(tab.locator(".body-card")) == EXPECTED[name]
    assert [url for url in asked if not url.startswith((pane.origin, "data:"))] == []
    headline = tab.locator(".verdict-headline, .verdict-quiet").first.inner_text()
    assert headline.startswith("Signed by") == (name == "whole")
    # Nothing of the message draws outside of its card, and no frame reaches over another's line.
    width = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, "the page scrolls sideways"
    lines = tab.locator(".part-line").all()
    for line in lines:
        line.scroll_into_view_if_needed()
        assert line.evaluate(
            """line => { const box = line.getBoundingClientRect();
              return line.contains(document.elementFromPoint(box.left + 3, box.top + 3)); }"""
        )


def test_a_malleable_part_says_what_is_off_in_it(pane: Pane, tab: Page) -> None:
    tab.goto(pane.address("malleable"))
    notes = tab.locator(".part .plain-note")
    assert notes.all_inner_texts() == ["Plain text only. Links and images are off."]
    assert tab.locator(".part-warn iframe").content_frame.locator("a, img").count() == 0


def test_a_forwarded_message_keeps_its_signature_to_itself(pane: Pane, tab: Page) -> None:
    """It is a card; opened, it has a verdict of its own (test_attachments_forwarded)."""
    tab.goto(pane.address("forwarded"))
    assert tab.locator(".verdict-quiet").inner_text().startswith("Not signed, not encrypted.")
    assert tab.locator(".file-name").all_inner_texts() == ["Message.eml"]
    assert tab.locator(".verdict-note").all_inner_texts() == [
        "A forwarded message inside is signed; this one is not covered by it."
    ]
    assert tab.locator("main .seal-ok").count() == 0
