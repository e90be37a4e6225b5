"""Quoted text of HTML mail folded into <details>, between two writings by nh3.

`fold_quotes` reads nh3's own output, where every tag is closed and every `<` in text and in
attribute values is escaped, so a pattern reads it exactly. Its result is written by nh3 again.
"""

import html
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from webmail.html.limits import VOID
from webmail.html.words import words

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[a-z][a-z0-9]*)(?P<rest>(?:[^\"<>]|\"[^\"]*\")*+)>")
_CLASS = re.compile(r"\sclass=\"([^\"]*)\"")
_CITE = re.compile(r"\stype=\"cite\"")
# Containers that mail programs put around the message they reply to.
_QUOTE_CLASSES = words(
    """
    gmail_quote gmail_quote_container gmail_extra yahoo_quoted protonmail_quote tutanota_quote
    moz-cite zmail_extra
    """
)
_BLANK_THEN_SHOWN = re.compile(r"(?:&nbsp;|[\s\u200b-\u200f\ufeff])*+(?P<shown>.)", re.DOTALL)
_VISIBLE_TAGS = frozenset({"img", "hr"})


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Open:
    """An element that is open at some point of the scan."""

    name: str
    start: int
    is_container: bool
    quote_depth: int


def fold_quotes(body: str, *, label: str) -> str | None:
    """Wrap the quotes of a reply; None when there is nothing to fold.

    Folded are a mail program's container of the quoted message when nothing follows it and
    something precedes it, and quotes within quotes. A mail that is only a quote stays open.
    """
    if "<blockquote" not in body and not any(name in body for name in _QUOTE_CLASSES):
        return None
    spans = _foldable_spans(body)
    if not spans:
        return None
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += [
            body[at : span.start],
            f'<details class="signet-quote"><summary>{html.escape(label)}</summary>',
            body[span.start : span.end],
            "</details>",
        ]
        at = span.end
    parts.append(body[at:])
    return "".join(parts)


def _foldable_spans(body: str) -> list[_Span]:
    """The outermost spans to fold, in order, found in one pass over the tags."""
    containers: list[_Span] = []
    nested: list[_Span] = []
    visible: list[int] = []  # where something is shown, ascending
    open_elements: list[_Open] = []
    at = 0
    for tag in _TAG.finditer(body):
        shown = _BLANK_THEN_SHOWN.match(body, at, tag.start())
        if shown:
            visible.append(shown.start("shown"))
        at = tag.end()
        name = tag["name"]
        if name in VOID:
            if name in _VISIBLE_TAGS:
                visible.append(tag.start())
        elif not tag["close"]:
            depth = open_elements[-1].quote_depth if open_elements else 0
            depth += name == "blockquote"
            open_elements.append(_Open(name, tag.start(), _is_container(name, tag["rest"]), depth))
        elif open_elements and open_elements[-1].name == name:
            closed = open_elements.pop()
            span = _Span(closed.start, tag.end())
            if closed.is_container:
                containers.append(span)
            if name == "blockquote" and closed.quote_depth == 2:
                nested.append(span)
    if _BLANK_THEN_SHOWN.match(body, at):
        visible.append(len(body))
    trailing = [span for span in containers if visible and visible[-1] < span.end]
    return _outermost([span for span in trailing + nested if _is_within(span, visible)])


def _is_within(span: _Span, visible: Sequence[int]) -> bool:
    """True when something is shown before the span and something in it."""
    before = bisect_left(visible, span.start)
    return before > 0 and before < len(visible) and visible[before] < span.end


def _is_container(name: str, rest: str) -> bool:
    if name == "blockquote" and _CITE.search(rest):
        return True
    classes = _CLASS.search(rest)
    return bool(classes and not _QUOTE_CLASSES.isdisjoint(classes[1].split()))


def _outermost(spans: list[_Span]) -> list[_Span]:
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
