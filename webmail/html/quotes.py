"""Quoted text of HTML mail folded into <details>, between two writings by nh3.

`fold_quotes` reads nh3's own output, where every tag is closed and every `<` in text and in
attribute values is escaped, so a pattern reads it exactly. Its result is written by nh3 again.
"""

import html
import re
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
_VISIBLE = re.compile(r"<img\b|<hr\b|&(?!nbsp;)|[^\s<&\u200b-\u200f\ufeff]")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int


def fold_quotes(body: str, *, label: str) -> str | None:
    """Wrap the quotes of a reply; None when there is nothing to fold.

    Folded are a mail program's container of the quoted message when nothing follows it and
    something precedes it, and quotes within quotes. A mail that is only a quote stays open.
    """
    if "<blockquote" not in body and not any(name in body for name in _QUOTE_CLASSES):
        return None
    spans = [span for span in _quote_spans(body) if _is_foldable(body, span)]
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


def _is_foldable(body: str, span: _Span) -> bool:
    return _has_visible(body[: span.start]) and _has_visible(body[span.start : span.end])


def _has_visible(markup: str) -> bool:
    return (
        any(_VISIBLE.search(piece) for piece in _TAG.split(markup)[::4])
        or re.search(r"<img\b", markup) is not None
    )


def _quote_spans(body: str) -> list[_Span]:
    """Outermost spans to fold, in order: trailing reply containers and second-level quotes."""
    open_tags: list[tuple[str, int, bool, int]] = []  # name, start, is a container, quote depth
    spans: list[_Span] = []
    depth = 0
    for tag in _TAG.finditer(body):
        name = tag["name"]
        if tag["close"]:
            _close(body, open_tags, spans, tag)
            depth = open_tags[-1][3] if open_tags else 0
        elif name not in VOID:
            depth += name == "blockquote"
            open_tags.append((name, tag.start(), _is_container(name, tag["rest"]), depth))
    return _outermost(spans)


def _close(
    body: str,
    open_tags: list[tuple[str, int, bool, int]],
    spans: list[_Span],
    tag: re.Match[str],
) -> None:
    if not open_tags or open_tags[-1][0] != tag["name"]:
        return
    name, start, is_container, depth = open_tags.pop()
    is_nested = name == "blockquote" and depth == 2
    if is_nested or (is_container and not _has_visible(body[tag.end() :])):
        spans.append(_Span(start, tag.end()))


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
