"""Mails whose pages have much to open, and verdicts of every class: for what is tried in each state."""

from collections.abc import Iterator
from dataclasses import replace

from tests.browser import conversation_mails, reading_mails, verdict_mails
from tests.browser.pane_mails import Mail

VERDICTS = (
    "signature signed",
    "signature expired",
    "signature self-signed",
    "signature partly-signed",
    "encryption key-locked",
    "encryption no-own-key",
    "encryption partly-encrypted",
    "note other-signers",
    "bad altered",
    "bad two-senders",
    "bad impostor",
    "bad revoked",
    "good",
)


def mails() -> Iterator[Mail]:
    """Yield them, for both themes."""
    for each in verdict_mails.mails():
        if each.name in VERDICTS:
            yield replace(each, themes=("light", "dark"))
    yield from (each for each in reading_mails.mails() if each.name == "links")
    yield from conversation_mails.mails()
