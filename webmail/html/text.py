"""Plain text to safe HTML: format=flowed, quote levels, signatures, links."""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bleach.linkifier import Linker

from webmail.html.allowed import TEXT_ATTRIBUTES, TEXT_TAGS
from webmail.html.filters import AttributeFilter
from webmail.html.limits import DEFAULT_LIMITS, HtmlLimits
from webmail.html.links import read_target
from webmail.html.model import ImagePolicy, LinkPolicy, SafeHtml
from webmail.html.reading import read_html
from webmail.html.writing import WriterFailed, write

QUOTE_LABEL = "Show quoted text"
SIGNATURE_LABEL = "Show signature"
SIGNATURE_MARK = "-- "
_LINE_END = re.compile(r"\r\n|\n")
_QUOTE_MARKS = re.compile(r"(?:>[ \t]?)*>")
_FLOWED_MARKS = re.compile(r">+")
_MAILBOX = re.compile(r"mailto:[\w.+'-]{1,64}@[\w.-]{1,253}")
_LINKABLE = re.compile(r"://|\bwww\.|mailto:|@", re.IGNORECASE)
_UNSHOWN = re.compile(r"[\x00\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# bleach's pattern for hosts and nested brackets takes quadratic time in these.
_MOST_DOTS = 40
_MOST_BRACKETS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message: its quote depth, its text without quote marks."""

    depth: int
    text: str


_SIGNATURE_LINE = Line(0, SIGNATURE_MARK)


def quoted_lines(text: str, *, flowed: bool, delsp: bool, deepest: int) -> list[Line]:
    """Split `text` into lines with quote depth; undo format=flowed (RFC 3676 §4) when asked."""
    lines: list[Line] = []
    open_line = False  # the line before ended in a soft break
    for raw in _LINE_END.split(text):
        marks = _FLOWED_MARKS.match(raw) if flowed else _QUOTE_MARKS.match(raw)
        depth = min(marks[0].count(">"), deepest) if marks else 0
        content = raw[marks.end() :] if marks else raw
        if flowed or depth:
            content = content.removeprefix(" ")  # space-stuffing, RFC 3676 §4.4
        is_signature = content == SIGNATURE_MARK
        is_soft = flowed and content.endswith(" ") and not is_signature
        if is_soft and delsp:
            content = content[:-1]
        if open_line and not is_signature and lines[-1].depth == depth:
            lines[-1] = Line(depth, lines[-1].text + content)
        else:
            lines.append(Line(depth, content))
        open_line = is_soft
    return lines


class _LineLinker:
    """Escapes a line and links the words in it that look like targets, within limits."""

    def __init__(self, limits: HtmlLimits) -> None:
        self._limits = limits
        self._lines_left = limits.linkified_lines
        self._cost_left = limits.linkify_cost
        self._linker = Linker(callbacks=[_keep_target_only], parse_email=True)

    @property
    def is_exhausted(self) -> bool:
        return self._lines_left <= 0 or self._cost_left <= 0

    def __call__(self, line: str) -> str:
        if (
            len(line) > self._limits.linkified_line
            or self.is_exhausted
            or not _LINKABLE.search(line)
        ):
            return _escape(line)
        self._lines_left -= 1
        return "".join(self._word(word) for word in re.split(r"([ \t]+)", line))

    def _word(self, word: str) -> str:
        escaped = _escape(word)
        if (
            self._cost_left <= 0
            or not _LINKABLE.search(word)
            or word.count(".") > _MOST_DOTS
            or word.count("(") > _MOST_BRACKETS
        ):
            return escaped
        self._cost_left -= len(word) ** 2
        return str(self._linker.linkify(escaped))


def render_text(
    text: str,
    *,
    flowed: bool = False,
    delsp: bool = False,
    links: LinkPolicy | None = None,
    linked: bool = True,
    quote_label: str = QUOTE_LABEL,
    signature_label: str = SIGNATURE_LABEL,
    limits: HtmlLimits = DEFAULT_LIMITS,
) -> SafeHtml:
    """Show a text/plain body. Never raises; nh3 is the last writer here too.

    Quotes within quotes and the signature are folded; long and many lines are shown unlinked.
    `linked` False leaves every address as text, for mail that is not to be relied on.
    """
    shown = _within(text, limits)
    limits_hit = ["text"] if len(shown) < len(text) else []
    text = shown.replace("\x00", "\ufffd")
    lines = quoted_lines(
        _UNSHOWN.sub("", text), flowed=flowed, delsp=delsp, deepest=limits.quote_depth
    )
    linkify = _LineLinker(limits)
    markup = "".join(
        _markup(
            lines,
            linkify if linked else _escape,
            quote_label=quote_label,
            signature_label=signature_label,
        )
    )
    if linkify.is_exhausted:
        limits_hit.append("linkify")
    reading = read_html(markup, limits) if "<a " in markup else read_html("", limits)
    ledger = AttributeFilter(
        reading, images=ImagePolicy(), links=links or LinkPolicy(), limits=limits
    )
    try:
        body = write(markup, ledger, tags=TEXT_TAGS, attributes=TEXT_ATTRIBUTES)
    except WriterFailed:
        body = f'<pre class="signet-text">{html.escape(text)}</pre>'
        limits_hit.append("writer")
    return SafeHtml(
        body=body,
        links=tuple(ledger.links),
        limits_hit=tuple(limits_hit),
        is_plain=True,
        adapts_to_dark=True,
    )


def _within(text: str, limits: HtmlLimits) -> str:
    """The start of `text` that nh3 writes in bounded time."""
    text = text[: limits.text]
    if text.count("&") > limits.ampersands:
        text = "&".join(text.split("&", limits.ampersands)[: limits.ampersands])
    return text


def _escape(text: str) -> str:
    """Escape text between tags; quotes stay, each entity costs nh3 time."""
    return html.escape(text, quote=False)


def _markup(
    lines: Sequence[Line], linkify: Callable[[str], str], *, quote_label: str, signature_label: str
) -> Iterator[str]:
    """Blocks of lines of one depth, in nested quotes; the second level opens a fold."""
    depth = 0
    in_signature = False
    block: list[str] = []
    for line in lines:
        if line.depth != depth or (line == _SIGNATURE_LINE and not in_signature):
            yield _block(block)
            block = []
        while depth > line.depth:
            yield _close_level(depth)
            depth -= 1
        while depth < line.depth:
            depth += 1
            yield _open_level(depth, quote_label)
        if line == _SIGNATURE_LINE and not in_signature:
            in_signature = True
            yield f'<details class="signet-signature">{_summary(signature_label)}'
        block.append(linkify(line.text))
    yield _block(block)
    while depth:
        yield _close_level(depth)
        depth -= 1
    if in_signature:
        yield "</details>"


def _block(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f'<div class="signet-text">{"\n".join(lines)}</div>'


def _summary(label: str) -> str:
    return f"<summary>{html.escape(label)}</summary>"


def _open_level(depth: int, label: str) -> str:
    fold = f'<details class="signet-quote">{_summary(label)}' if depth == 2 else ""
    return f"{fold}<blockquote>"


def _close_level(depth: int) -> str:
    return "</blockquote></details>" if depth == 2 else "</blockquote>"


def _keep_target_only(attributes: dict[Any, str], new: bool = False) -> dict[Any, str] | None:  # noqa: ARG001
    """Bleach's callback: a link keeps its target and its text, or is no link."""
    href = attributes.get((None, "href"), "")
    if href.startswith("mailto:") and not _MAILBOX.fullmatch(href):
        return None
    if read_target(href, LinkPolicy()) is None:
        return None
    return {(None, "href"): href, "_text": attributes.get("_text", "")}
