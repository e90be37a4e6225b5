"""Plain text to safe HTML: format=flowed, quote levels, signatures, links."""

import html
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from bleach.linkifier import Linker

from webmail.html.filters import AttributeFilter
from webmail.html.limits import DEFAULT_LIMITS, HtmlLimits
from webmail.html.lines import SIGNATURE_MARK, Line, LineReader
from webmail.html.links import read_target
from webmail.html.model import ImagePolicy, LinkPolicy, SafeHtml
from webmail.html.reading import Reading, read_html
from webmail.html.writing import WriterFailed, write_text

QUOTE_LABEL = "Show quoted text"
SIGNATURE_LABEL = "Show signature"
_MAILBOX = re.compile(r"mailto:[\w.+'-]{1,64}@[\w.-]{1,253}")
_LINKABLE = re.compile(r"://|\bwww\.|mailto:|@", re.IGNORECASE)
_UNSHOWN = re.compile(r"[\x00\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# bleach's pattern for hosts and nested brackets takes quadratic time in these.
_MOST_DOTS = 40
_MOST_BRACKETS = 10
# nh3's time is the product of a text node's length and of the characters it escapes or that lie
# from U+0080 to U+00BF: text nodes are kept short.
_LONGEST_NODE = 4096
_SAMPLE = 64 * 1024
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")


class _Linkers(threading.local):
    """One for each thread, as it keeps a parser: made for the first word that needs it (0.2 ms)."""

    @cached_property
    def mine(self) -> Linker:
        return Linker(callbacks=[_keep_target_only], parse_email=True)


_linkers = _Linkers()
_SIGNATURE_LINE = Line(0, SIGNATURE_MARK)


class _LineLinker:
    """Escapes a line and links the words in it that look like targets, within limits."""

    def __init__(self, limits: HtmlLimits) -> None:
        self._limits = limits
        self._lines_left = limits.linkified_lines
        self._cost_left = limits.linkify_cost
        self._linked: dict[str, str] = {}  # words of this text: quotes repeat addresses

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
        linked = self._linked.get(word)
        if linked is None:
            linked = self._linked[word] = str(_linkers.mine.linkify(escaped))
        return linked


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
    is_cut = len(text) > limits.text
    limits_hit: list[str] = []
    if _is_binary(text):
        text = text[: limits.binary_text]
        limits_hit.append("not-text")
    text = _shown(text[: limits.text].replace("\x00", "\ufffd"))
    reader = LineReader(
        flowed=flowed,
        delsp=delsp,
        deepest=limits.quote_depth,
        most_lines=limits.text_lines,
        most_changes=limits.quote_changes,
    )
    linkify = _LineLinker(limits)
    markup = "".join(
        _markup(
            reader.read(text),
            linkify if linked else _escape,
            quote_label=quote_label,
            signature_label=signature_label,
        )
    )
    if (is_cut or reader.is_cut) and not limits_hit:
        limits_hit.append("text")
    if linkify.is_exhausted:
        limits_hit.append("linkify")
    reading = read_html(markup, limits) if "<a " in markup else Reading()
    ledger = AttributeFilter(
        reading, images=ImagePolicy(), links=links or LinkPolicy(), limits=limits
    )
    try:
        body = write_text(markup, ledger)
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


def _is_binary(text: str) -> bool:
    """Is this no text at all: more than a tenth of its start controls or undecodable?"""
    start = text[:_SAMPLE]
    return len(_UNREADABLE.findall(start)) > max(len(start) // 10, 100)


def _shown(text: str) -> str:
    """The text without controls, in pieces: one substitution would list all that it removes."""
    if text.isprintable() or _UNSHOWN.search(text) is None:
        return text
    pieces = (text[at : at + _SAMPLE] for at in range(0, len(text), _SAMPLE))
    return "".join(_UNSHOWN.sub("", piece) for piece in pieces)


def _escape(text: str) -> str:
    """Escape text between tags; quotes stay, each entity costs nh3 time. Long text is cut up."""
    if len(text) <= _LONGEST_NODE:
        return html.escape(text, quote=False)
    pieces = (text[at : at + _LONGEST_NODE] for at in range(0, len(text), _LONGEST_NODE))
    return "".join(f"<span>{html.escape(piece, quote=False)}</span>" for piece in pieces)


def _markup(
    lines: Iterable[Line], linkify: Callable[[str], str], *, quote_label: str, signature_label: str
) -> Iterator[str]:
    """Blocks of lines of one depth, in nested quotes; the second level opens a fold."""
    depth = 0
    in_signature = False
    block: list[str] = []
    size = 0
    for line in lines:
        is_break = line.depth != depth or (line == _SIGNATURE_LINE and not in_signature)
        if is_break or size > _LONGEST_NODE:
            yield _block(block)
            block = []
            size = 0
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
        size += len(line.text) + 1
    yield _block(block)
    while depth:
        yield _close_level(depth)
        depth -= 1
    if in_signature:
        yield "</details>"


def _block(lines: list[str]) -> str:
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
