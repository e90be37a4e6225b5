"""Print how quickly the mailbox answers in Chromium on this machine, beside the goals (P17).

    .venv/bin/python -m tools.quickness

A site of its own over made-up mail; nothing of a running one is touched.
"""

import sys
from collections.abc import Sequence

from playwright.sync_api import sync_playwright

import tests.environment  # noqa: F401 - nothing of a site that is set up here shines through
from tests.browser import quickness
from tests.browser.reading_pane import Pane, reading_pane
from tests.chromium import ARGUMENTS, CHROMIUM

ROUNDS = 5


def main() -> None:
    """Measure and print medians and the slowest."""
    with (
        reading_pane("tests.browser.quickness:mails") as pane,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        reactions: list[float] = []
        panes: list[float] = []
        texts: list[float] = []
        moved = 0.0
        for _ in range(ROUNDS):
            with pane.tab(chromium) as page:
                page.add_init_script(quickness.WATCH)
                page.goto(_newest(pane))
                page.locator("iframe.body-frame").first.wait_for()
                opened = [quickness.open_next(page) for _ in range(4)]
                panes += [each.pane for each in opened]
                texts += [each.text for each in opened]
                moved = max(moved, quickness.shifted(page))
                reactions += quickness.reactions(page)
        chromium.close()
    _say("key or click to the frame after it", reactions, 50)
    _say("key to the next message's pane, fetched ahead", panes, 100)
    _say("key to the next message's text", texts, 100)
    sys.stdout.write(f"{'layout shift while messages are opened':46}{moved:8.4f}\n")


def _newest(pane: Pane) -> str:
    return pane.address(next(iter(pane.mails)))


def _say(what: str, taken: Sequence[float], goal: int) -> None:
    median, slowest = quickness.median(taken), max(taken)
    sys.stdout.write(f"{what:46}{median:6.0f} ms  slowest {slowest:4.0f}  goal < {goal}\n")


if __name__ == "__main__":
    main()
