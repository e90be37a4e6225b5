"""Guards before parsing: the sizes and shapes of HTML that the parsers answer in bounded time.

selectolax and nh3 have quadratic cases (deep nesting, many attributes on one tag, many entities,
formatting elements that every later block reopens). `breached` finds them with one linear scan of
the source, so a bomb is refused before any parser sees it. The scan never decides what is safe to
show: it can only send a message to the text view.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from webmail.html.words import words


@dataclass(frozen=True, slots=True)
class HtmlLimits:
    """Upper bounds of one HTML part; sizes in characters unless the name says otherwise."""

    html: int = 1024 * 1024
    tag_opens: int = 40_000  # "<"
    entities: int = 40_000  # "&" and U+0080 to U+00BF: each costs nh3 a look at its whole text
    nesting: int = 500
    attributes: int = 200  # of one tag
    reopened: int = 1_000_000  # sum over start tags of the formatting elements open before it
    css: int = 64 * 1024  # all style blocks together
    css_rules: int = 1_000
    style_attribute: int = 4 * 1024
    style_attributes: int = 2_000  # distinct
    data_image: int = 512 * 1024  # octets after base64
    data_images: int = 2 * 1024 * 1024  # octets, all together
    links: int = 5_000
    link_text: int = 4 * 1024 * 1024  # all links together
    images: int = 10_000
    text: int = 2 * 1024 * 1024
    binary_text: int = 16 * 1024  # shown of a text that is none
    text_lines: int = 40_000  # of a plain text
    quote_changes: int = 5_000  # of a plain text: later marks stay as they are written
    linkified_lines: int = 2_000
    linkified_line: int = 1_000
    linkify_cost: int = 25_000_000  # sum of squared word lengths: bleach is quadratic in a word
    quote_depth: int = 20
    own_html: int = 50 * 1024  # octets; bleach is asked up to here


DEFAULT_LIMITS = HtmlLimits()


VOID = words(
    """
    area base basefont bgsound br col embed frame hr img input keygen link meta param source track
    wbr
    """
)
_OPTIONAL_END = words(
    """
    p li dt dd tr td th tbody thead tfoot colgroup option optgroup rt rp html head body
    """
)
_FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
_ATTRIBUTES = r"(?:[^=>]++|=\s*\"[^\"]*\"|=\s*'[^']*'|=)*+"
_TAG = rf"<(?P<name>/?[a-zA-Z][^\s/>]*+)(?P<rest>{_ATTRIBUTES})"
# An unclosed comment or raw text element runs to the end, as it does in a browser.
_COMMENT = r"<!--(?:>|->|(?:[^-]++|-(?!-!?>))*+)"
_RAW_TEXT = (
    r"<(?P<raw>style|script|xmp|iframe|noembed|noframes|title|textarea)\b[^>]*+>?"
    r"(?:[^<]++|<(?!/(?P=raw)))*+"
)
_MARKUP = re.compile(f"{_COMMENT}|{_RAW_TEXT}|{_TAG}", re.DOTALL | re.IGNORECASE)
# In SVG and MathML <style> and comments mean something else: there every tag counts.
_EVERY_TAG = re.compile(_TAG, re.DOTALL | re.IGNORECASE)
_COSTLY = re.compile("[&\u0080-\u00bf]")
_FOREIGN = re.compile(r"<(?:svg|math)", re.IGNORECASE)
_QUOTED_VALUE = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
_ATTRIBUTE_BREAK = re.compile(r"[\s/]+")
# Without this no tag of _TAG holds a ">".
_QUOTED_END = re.compile(r"=\s*(?:\"[^\">]*>|'[^'>]*>)")


def breached(source: str, limits: HtmlLimits) -> str | None:
    """Name the first limit that `source` breaks, or None. Linear in the length of `source`."""
    if len(source) > limits.html:
        return "html-size"
    opens = source.count("<")
    if opens > limits.tag_opens:
        return "tags"
    if _too_many_entities(source, limits.entities):
        return "entities"
    # So few tags nest and reopen too little, whichever they are; most mails are such.
    are_few = opens <= limits.nesting and opens * opens <= limits.reopened
    if are_few and not _may_hold_long_tag(source, 2 * limits.attributes):
        return None
    return _breached_shape(source, limits)


def _too_many_entities(source: str, most: int) -> bool:
    # Each character beyond ASCII is at least one octet more.
    beyond = 0 if source.isascii() else len(source.encode("utf-8", "replace")) - len(source)
    if source.count("&") + beyond <= most:
        return False
    return next(islice(_COSTLY.finditer(source), most, None), None) is not None


def _may_hold_long_tag(source: str, few: int) -> bool:
    """False when surely no tag has more than `few` characters after its name."""
    if len(source) <= few:
        return False
    pieces = source.split(">")
    if max(map(len, pieces)) > few:
        for piece in pieces:
            at = piece.find("<")
            if at >= 0 and len(piece) - at > few:
                return True
    return _QUOTED_END.search(source) is not None


class _Tag(NamedTuple):
    """What a tag does to the elements that are open."""

    name: str
    is_end: bool
    is_counted: bool
    is_formatting: bool


def _breached_shape(source: str, limits: HtmlLimits) -> str | None:
    """Follow the open elements by name: an upper bound that no stray end tag can lower."""
    foreign = _FOREIGN.search(source) is not None
    uncounted = VOID if foreign else VOID | _OPTIONAL_END
    tags: dict[str, _Tag] = {}  # as they are written
    open_elements: dict[str, int] = {}
    depth = formatting = reopened = 0
    few = 2 * limits.attributes  # characters that cannot hold too many
    for found in (_EVERY_TAG if foreign else _MARKUP).finditer(source):
        written, rest = found.group("name", "rest")
        if not written:
            continue
        tag = tags.get(written)
        if tag is None:
            tag = tags[written] = _read_tag(written, uncounted)
        name, is_end, is_counted, is_formatting = tag
        if is_end:
            if open_elements.get(name):
                open_elements[name] -= 1
                depth -= 1
                formatting -= is_formatting
            continue
        if len(rest) > few and too_many_attributes(rest, limits.attributes):
            return "attributes"
        reopened += formatting
        if reopened > limits.reopened:
            return "formatting"
        if not is_counted:
            continue
        open_elements[name] = open_elements.get(name, 0) + 1
        depth += 1
        formatting += is_formatting
        if depth > limits.nesting:
            return "nesting"
    return None


def _read_tag(written: str, uncounted: frozenset[str]) -> _Tag:
    name = written.lower().removeprefix("/")
    return _Tag(name, written.startswith("/"), name not in uncounted, name in _FORMATTING)


def too_many_attributes(rest: str, most: int) -> bool:
    """True when the text of a tag after its name can hold more than `most` attributes."""
    if len(rest) <= 2 * most:
        return False
    return len(_ATTRIBUTE_BREAK.split(_QUOTED_VALUE.sub("= ", rest))) > most + 2
