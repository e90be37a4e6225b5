"""The rules of a style sheet: where each begins and ends.

Nearly all sheets are plain enough that one pattern finds the end of a rule for certain: every
quote, bracket and comment in it is closed, and nothing is escaped. From the first rule on that is
not, tinycss2 reads the rest. What a rule says is not decided here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tinycss2

type Css = str | Sequence[Any]  # as written, or the tokens of it

_SPACE = r"[ \t\n\r\f]"
_COMMENT = r"/\*(?:[^*]++|\*(?!/))*+\*/"
_STRING = r"\"[^\"\\\n\r\f]*+\"|'[^'\\\n\r\f]*+'"
_WITHIN = r"[^{}\"'()\[\]\\/]++|/(?!\*)"  # brackets
# An unquoted url( ends at the first ")": strings in it hold none, nor does it hold brackets.
_URL = rf"\((?:{_WITHIN}|\"[^\"\\\n\r\f)]*+\"|'[^'\\\n\r\f)]*+')*+\)"
_ROUND = rf"(?<![lL])\((?:{_WITHIN}|{_STRING}|{_URL})*+\)|{_URL}"
_SQUARE = rf"\[(?:{_WITHIN}|{_STRING})*+\]"
_UNIT = rf"[^{{}}\"'()\[\]\\/;]++|/(?!\*)|{_COMMENT}|{_STRING}|{_ROUND}|{_SQUARE}"
_CLOSED = re.compile(rf"(?:{_UNIT})*+")
_BLOCK = rf"(?:{_UNIT}|;)*+"
_NESTED = rf"(?:{_UNIT}|;|\{{(?:{_UNIT}|;|\{{{_BLOCK}\}})*+\}})*+"
_STYLE_RULE = re.compile(rf"(?P<prelude>(?!@){_BLOCK})\{{(?P<content>{_BLOCK})\}}")
_AT_RULE = re.compile(
    r"@(?P<name>-?[a-zA-Z][a-zA-Z0-9-]*+)(?![_\\]|[^\x00-\x7f])"
    rf"(?P<prelude>(?:{_UNIT})*+)(?:;|\{{(?P<content>{_NESTED})\}})"
)
_GAP = re.compile(rf"(?:{_SPACE}++|{_COMMENT})*+")
# A habit from browsers that did not know <style>; tinycss2 leaves it out of sheets alone.
_GAP_OF_SHEET = re.compile(rf"(?:{_SPACE}++|{_COMMENT}|<!--|-->)*+")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: of selectors and declarations, a media rule with content, or any other one."""

    kind: Literal["style", "media", "other"]
    prelude: Css = ""
    content: Css = ""


def is_closed(source: str) -> bool:
    """Say whether the text can be cut out of a block for certain: it has no `;` and no braces, and
    nothing in it is open at its end.
    """
    return _CLOSED.fullmatch(source) is not None


def read_rules(source: Css, *, is_sheet: bool) -> list[Rule]:
    """Return the rules of a sheet, or those in a media rule. Linear in the length of `source`."""
    if not isinstance(source, str):
        return list(_parsed(tinycss2.parse_rule_list(source)))
    gap = _GAP_OF_SHEET if is_sheet else _GAP
    found: list[Rule] = []
    at = _end(gap, source, 0)
    while at < len(source):
        is_at_rule = source[at] == "@"
        match = (_AT_RULE if is_at_rule else _STYLE_RULE).match(source, at)
        if match is None:
            parse = tinycss2.parse_stylesheet if is_sheet else tinycss2.parse_rule_list
            found += _parsed(parse(source[at:]))
            break
        prelude, content = match.group("prelude", "content")
        if not is_at_rule:
            found.append(Rule("style", prelude, content))
        elif content and match["name"].lower() == "media":
            found.append(Rule("media", prelude, content))
        else:
            found.append(Rule("other"))
        at = _end(gap, source, match.end())
    return found


def _end(gap: re.Pattern[str], source: str, at: int) -> int:
    match = gap.match(source, at)
    return match.end() if match else at


def _parsed(nodes: Sequence[Any]) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield Rule("style", node.prelude, node.content)
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content:
            yield Rule("media", node.prelude, node.content)
        elif node.type not in {"whitespace", "comment"}:
            yield Rule("other")
