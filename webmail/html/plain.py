"""HTML to readable plain text: previews, quoting, the text/plain alternative of our own mail."""

import html
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webmail.html.limits import DEFAULT_LIMITS, VOID, HtmlLimits, breached
from webmail.html.words import words

_UNREAD = words(
    """
    script style title head noscript template iframe object embed applet svg math xmp plaintext
    noembed audio video canvas select textarea button
    """
)
_BLOCKS = words(
    """
    address article aside blockquote body caption center dd details dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header html legend li main menu nav ol section
    summary table tbody tfoot thead tr ul
    """
)
_PARAGRAPHS = words("p pre h1 h2 h3 h4 h5 h6 ul ol dl")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE
)
# A run of the characters that preheaders are padded with.
_PADDING = re.compile(r"[\u034f\u00ad\u200b-\u200f\u2007\u2060\ufeff\u061c]+")
_DROPPED = re.compile(
    r"<(script|style|title|noscript|template|svg|math)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BREAKING_TAG = re.compile(
    r"</?(?:p|div|tr|table|li|h[1-6]|blockquote|ul|ol|br|hr|section|article)\b[^<>]*>",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>?")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


def html_to_text(source: str, *, limits: HtmlLimits = DEFAULT_LIMITS) -> str:
    """The words of `source`, in lines: paragraphs apart, quotes marked, link targets in <>.

    Never raises. What a browser would hide by markup is left out. Beyond the guards tags are cut
    out without a parser.
    """
    source = source.replace("\x00", "\ufffd")
    if breached(source, limits) is not None:
        return strip_markup(source[: limits.html], most=limits.text)
    body = LexborHTMLParser(source).body
    if body is None:
        return ""
    writer = _TextWriter()
    for kind, node in _walk(body):
        if kind == "text":
            writer.text(node.text_content or "")
        elif kind == "open":
            writer.open(node)
        else:
            writer.close(node)
    return writer.result()[: limits.text]


def strip_markup(source: str, *, most: int) -> str:
    """Cut the tags out of `source` without parsing it: linear, for what no parser may see."""
    text = _DROPPED.sub(" ", source)
    text = _ANY_TAG.sub(" ", _BREAKING_TAG.sub("\n", text))[:most]
    lines = (_SPACE.sub(" ", line).strip() for line in html.unescape(text).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _walk(root: LexborNode) -> Iterator[tuple[str, LexborNode]]:
    """Open, text and close events below `root` in document order, without recursion."""
    node: LexborNode | None = root.first_child
    depth = 0
    while node is not None:
        if node.is_text_node:
            yield "text", node
        elif node.is_element_node and not _is_unread(node):
            yield "open", node
            if node.first_child is not None:
                node = node.first_child
                depth += 1
                continue
            yield "close", node
        while node is not None and node.next is None:
            if depth == 0:
                return
            node = node.parent
            depth -= 1
            if node is not None:
                yield "close", node
        node = node.next if node is not None else None


def _is_unread(node: LexborNode) -> bool:
    if node.tag in _UNREAD:
        return True
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN.search((attributes.get("style") or "")[:4096]))


class _TextWriter:
    """Collects lines; white space collapses as on a page, except in <pre>."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._prefixes: list[str] = []
        self._lists: list[int | None] = []  # the next number, None for bullets
        self._preformatted = 0
        self._links: list[tuple[str, int, int]] = []  # target, line count and column at its start

    def text(self, content: str) -> None:
        if self._preformatted:
            first, *others = content.replace("\r\n", "\n").split("\n")
            self._line += first
            for line in others:
                self._end_line(keep_blank=True)
                self._line = line
            return
        words = _SPACE.sub(" ", _PADDING.sub("", content).replace("\xa0", " "))
        if not self._line or self._line.endswith(" "):
            words = words.lstrip(" ")
        self._line += words

    def open(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _BLOCKS or tag in _PARAGRAPHS:
            self._end_line()
        if tag in _PARAGRAPHS and not self._lists:
            self._blank_line()
        match tag:
            case "br":
                self._end_line(keep_blank=True)
            case "hr":
                self._end_line()
                self._lines.append("".join(self._prefixes) + "-" * 40)
            case "img":
                self._line += (node.attributes.get("alt") or "").strip()
            case "blockquote":
                self._blank_line()
                self._prefixes.append("> ")
            case "pre":
                self._preformatted += 1
            case "ul" | "ol":
                self._lists.append(1 if tag == "ol" else None)
            case "li":
                self._item()
            case "a":
                href = (node.attributes.get("href") or "").strip()
                self._links.append((href, len(self._lines), len(self._line)))

    def close(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in VOID:
            return
        match tag:
            case "a" if self._links:
                self._close_link()
            case "td" | "th":
                self._line = self._line.rstrip() + "  " if self._line.strip() else self._line
        if tag in _BLOCKS or tag in _PARAGRAPHS:
            self._end_line()
        match tag:
            case "blockquote" if self._prefixes:
                self._prefixes.pop()
                self._blank_line()
            case "pre" if self._preformatted:
                self._preformatted -= 1
            case "ul" | "ol" if self._lists:
                self._lists.pop()
        if tag in _PARAGRAPHS and not self._lists:
            self._blank_line()

    def result(self) -> str:
        self._end_line()
        return _BLANK_LINES.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        indent = "  " * max(0, len(self._lists) - 1)
        if number is None:
            self._line = f"{indent}- "
        else:
            self._line = f"{indent}{number}. "
            self._lists[-1] = number + 1

    def _close_link(self) -> None:
        href, line, column = self._links.pop()
        shown = self._line[column:].strip() if line == len(self._lines) else ""
        if re.match(r"https?://", href, re.IGNORECASE) and shown and not _says(shown, href):
            self._line = f"{self._line.rstrip()} <{href[:2048]}>"

    def _end_line(self, *, keep_blank: bool = False) -> None:
        line = self._line if self._preformatted else self._line.rstrip()
        self._line = ""
        if line or keep_blank:
            self._lines.append(("".join(self._prefixes) + line).rstrip())

    def _blank_line(self) -> None:
        blank = "".join(self._prefixes).rstrip()
        if self._lines and self._lines[-1].strip() != blank and self._lines[-1] != "":
            self._lines.append(blank)


def _says(shown: str, href: str) -> bool:
    """True when the text of a link already spells its target."""
    return re.sub(r"^https?://|/$", "", shown) == re.sub(r"^https?://|/$", "", href)
