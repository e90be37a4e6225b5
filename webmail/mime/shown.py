"""Text of a message made safe to show: nothing in it ends a line, hides or turns what follows."""

import re
from typing import Final

# CR, LF, NUL, other C0, DEL, C1, line and paragraph separators, bidirectional controls. Lone
# surrogates cannot be stored or sent as UTF-8.
_REMOVED: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def shown_safe(text: str) -> str:
    """Remove controls and bidirectional marks; a tab becomes a space."""
    if text.isprintable():  # holds for nearly all text, and for none of what is removed
        return text
    return _SURROGATES.sub("\ufffd", _REMOVED.sub("", text.replace("\t", " ")))


def has_unsafe(text: str) -> bool:
    """Does the text hold anything that `shown_safe` would remove?"""
    return _REMOVED.search(text) is not None or _SURROGATES.search(text) is not None
