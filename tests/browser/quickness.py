"""How quickly the mailbox answers in Chromium, and what moves meanwhile (goal P17).

Times are taken in the page, from the moment that the browser gave the event to the end of the frame
that followed it, so that neither Playwright nor its wire is in them.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.pane_mails import Mail
from tests.browser.reading_mails import LINKS, NEWSLETTER, context, letter

WATCH = """
window.reactions = [];
window.shifts = [];
const afterFrame = (then) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = then;
  channel.port2.postMessage(0);
});
for (const type of ['keydown', 'click']) {
  addEventListener(type, (event) => {
    if (!event.isTrusted || (type === 'click' && event.detail === 0)) return;
    window.asked = event.timeStamp;
    afterFrame(() => window.reactions.push(performance.now() - event.timeStamp));
  }, true);
}
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifts.push(each.value);
}).observe({type: 'layout-shift', buffered: true});
window.isAhead = (row) => {
  const address = row && new URL(row.querySelector('.row-link').getAttribute('href'), location).href;
  return performance.getEntriesByType('resource').some((each) => each.name === address);
};
// When another message's pane stands there, and when its text does.
window.opened = null;
const watchOpening = () => {
  const pane = document.querySelector('#reading');
  if (!pane || pane === window.pane) return;
  window.pane = pane;
  const frame = pane.querySelector('iframe.body-frame');
  if (!frame || window.asked === undefined) return;
  const asked = window.asked, opened = { pane: performance.now() - asked, text: null };
  frame.addEventListener('load', () => afterFrame(() => {
    opened.text = performance.now() - asked;
    window.opened = opened;
  }), { once: true });
};
new MutationObserver(watchOpening).observe(document, { childList: true, subtree: true });
"""

# Every document of the open message stands at its height.
FITTED = """() => {
  const frames = [...document.querySelectorAll('iframe.body-frame')];
  return frames.length > 0 && frames.every((frame) => frame.style.height);
}"""
TWO_FRAMES = (
    """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""
)

# What is pressed or clicked in an open mailbox; none of it changes mail.
KEYS = ("j", "j", "k", "x", "x", "?", "Escape", "Control+k", "Escape", "/", "Escape", "i", "i")
CLICKS = (
    ".row:nth-of-type(3) .row-check label",
    ".row:nth-of-type(3) .row-check label",
    ".message-to > summary",
    ".message-to > summary",
    ".reading-tools details[data-move] > summary",
    ".reading-tools details[data-move] > summary",
)


# Subjects of every length round the end of a phone's line: one of them breaks where the fonts differ.
_SUBJECT = "Handover plan for the substations of the northern grid and what is left"


def mails() -> Iterator[Mail]:
    """Yield letters, the newest first."""
    for number, length in enumerate(range(26, 46, 2)):
        subject = f"{number}{_SUBJECT}"[:length]
        raw = letter(subject, html=NEWSLETTER if number % 2 else "<p>Here is the plan.</p>")
        yield Mail(subject, raw, context(), age=number)
    yield Mail("links", letter("links", html=LINKS), context(), age=99)  # with notices of two lines


@dataclass(frozen=True, slots=True)
class Opening:
    """Milliseconds from the key to the message's pane and to its text."""

    pane: float
    text: float


def reactions(page: Page) -> list[float]:
    """Press and click through an open message; milliseconds of each, in order."""
    page.evaluate("() => { document.activeElement?.blur(); window.reactions.length = 0; }")
    expected = 0
    for key in KEYS:
        if key == "j":
            page.evaluate("() => document.activeElement?.blur()")  # out of the search field
        expected += 2 if "+" in key else 1  # the modifier is a key, too
        page.keyboard.press(key)
        page.wait_for_function("n => window.reactions.length >= n", arg=expected)
    for place in CLICKS:
        expected = page.evaluate("window.reactions.length") + 1
        page.locator(place).first.click()
        page.wait_for_function("n => window.reactions.length >= n", arg=expected)
    taken: list[float] = page.evaluate("window.reactions")
    return taken


def open_next(page: Page) -> Opening:
    """Open the row below the open one by keys, once it was fetched ahead."""
    page.wait_for_function("() => window.isAhead(document.querySelector('.row.is-open + .row'))")
    page.evaluate("() => { window.opened = null; document.activeElement?.blur(); }")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.opened !== null")
    found = page.evaluate("window.opened")
    return Opening(found["pane"], found["text"])


def shifted(page: Page) -> float:
    """All that moved by itself or after a key, as Chromium scores it; 0 is nothing."""
    moved: float = page.evaluate("window.shifts.reduce((sum, each) => sum + each, 0)")
    return moved


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)
