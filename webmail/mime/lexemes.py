"""Words, quoted strings and comments of structured header fields (RFC 5322 §3.2).

One pass from left to right, linear in the length of the text, however comments nest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

COMMENT_LIMIT: Final = 1_000  # characters that are kept of one comment

_GAP: Final = re.compile(r"[ \t\r\n]+")
_WORD: Final = re.compile(r'[^ \t\r\n;()"]+')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_IN_COMMENT: Final = re.compile(r"\\.|[()]", re.DOTALL)

type Kind = Literal["word", "quoted", "comment", "semicolon"]


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a structured field."""

    kind: Kind
    text: str  # without quotes, parentheses and backslashes; "" of a semicolon
    is_glued: bool = False  # nothing stands between it and the piece before
    is_unclosed: bool = False  # its quote or parenthesis reaches to the end


def lexemes(text: str) -> Iterator[Lexeme]:
    """Yield the pieces of a field's value; a stray ")" is skipped. Never raises."""
    at = 0
    is_glued = False
    while at < len(text):
        if (gap := _GAP.match(text, at)) is not None:
            at, is_glued = gap.end(), False
            continue
        lexeme, at = _next(text, at, is_glued=is_glued)
        if lexeme is not None:
            yield lexeme
        is_glued = lexeme is not None


def _next(text: str, at: int, *, is_glued: bool) -> tuple[Lexeme | None, int]:
    match text[at]:
        case ";":
            return Lexeme("semicolon", ""), at + 1
        case "(":
            content, end, is_unclosed = _comment(text, at)
            return Lexeme("comment", content, is_glued, is_unclosed), end
        case ")":
            return None, at + 1
        case '"':
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return None, at + 1
            bare = _ESCAPED.sub(r"\1", quoted[1])
            return Lexeme("quoted", bare, is_glued, not quoted[2]), quoted.end()
        case _:
            word = _WORD.match(text, at)
            if word is None:
                return None, at + 1
            return Lexeme("word", word[0], is_glued), word.end()


def _comment(text: str, start: int) -> tuple[str, int, bool]:
    """Return a comment's text, where it ends, and whether nothing closes it."""
    depth = 0
    for found in _IN_COMMENT.finditer(text, start):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= 1
            if depth == 0:
                content = text[start + 1 : min(found.start(), start + 1 + COMMENT_LIMIT)]
                return _ESCAPED.sub(r"\1", content), found.end(), False
    content = text[start + 1 : start + 1 + COMMENT_LIMIT]
    return _ESCAPED.sub(r"\1", content), len(text), True
