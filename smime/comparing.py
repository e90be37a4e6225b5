"""Two addresses side by side: what differs is marked, so that a look-alike is seen. Pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher

_ALIKE = 0.6  # below it no two letters stand for each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of characters of one address."""

    text: str
    differs: bool


def compare(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both addresses in pieces; equal pieces stand in both. At most 320 characters each."""
    one, other = one[:320], other[:320]
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return (Piece(text=one, differs=True),), (Piece(text=other, differs=True),)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        differs = kind != "equal"
        if one[start:end]:
            left.append(Piece(text=one[start:end], differs=differs))
        if other[other_start:other_end]:
            right.append(Piece(text=other[other_start:other_end], differs=differs))
    return tuple(left), tuple(right)
