"""Lines of a plain text: quote depth and format=flowed, in one pass and bounded memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

SIGNATURE_MARK = "-- "
_LINE_END = re.compile(r"\r\n|\n")
_QUOTE_MARKS = re.compile(r"(?:>[ \t]?)*>")
_FLOWED_MARKS = re.compile(r">+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message: its quote depth, its text without quote marks."""

    depth: int
    text: str


@dataclass(slots=True)
class LineReader:
    """Reads the lines of a text; `is_cut` once there were more than `most_lines`.

    Undoes format=flowed (RFC 3676 §4) when asked. After `most_changes` changes of depth the marks
    stay in the text: each change costs elements.
    """

    flowed: bool = False
    delsp: bool = False
    deepest: int = 20
    most_lines: int = 40_000
    most_changes: int = 5_000
    is_cut: bool = field(default=False, init=False)

    def read(self, text: str) -> Iterator[Line]:
        """The lines in order."""
        depth = changes = 0
        pieces: list[str] = []  # of the line in work
        is_open = False  # it ended in a soft break
        is_first = True
        for raw in islice(_split(text), self.most_lines):
            found, content = self._unquoted(raw)
            if found != depth:
                changes += 1
                if changes > self.most_changes:
                    found, content = depth, raw
            is_signature = content == SIGNATURE_MARK
            if not (is_open and not is_signature and found == depth):
                if not is_first:
                    yield Line(depth, "".join(pieces))
                pieces = []
            is_first = False
            depth = found
            is_open = self.flowed and content.endswith(" ") and not is_signature
            pieces.append(content[:-1] if is_open and self.delsp else content)
        yield Line(depth, "".join(pieces))
        self.is_cut = text.count("\n") >= self.most_lines

    def _unquoted(self, raw: str) -> tuple[int, str]:
        marks = _FLOWED_MARKS.match(raw) if self.flowed else _QUOTE_MARKS.match(raw)
        depth = min(marks[0].count(">"), self.deepest) if marks else 0
        content = raw[marks.end() :] if marks else raw
        if self.flowed or depth:
            content = content.removeprefix(" ")  # space-stuffing, RFC 3676 §4.4
        return depth, content


def _split(text: str) -> Iterator[str]:
    at = 0
    for found in _LINE_END.finditer(text):
        yield text[at : found.start()]
        at = found.end()
    yield text[at:]
