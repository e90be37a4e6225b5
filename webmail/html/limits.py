"""Guards before parsing: the sizes and shapes of HTML that the parsers answer in bounded time.

selectolax and nh3 have quadratic cases (deep nesting, many attributes on one tag, many entities,
formatting elements that every later block reopens). `breached` finds them with one linear scan of
the source, so a bomb is refused before any parser sees it. The scan never decides what is safe to
show: it can only send a message to the text view.
"""

import re
from dataclasses import dataclass
from itertools import islice

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
_TAG = rf"<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>{_ATTRIBUTES})"
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


def breached(source: str, limits: HtmlLimits) -> str | None:
    """Name the first limit that `source` breaks, or None. Linear in the length of `source`."""
    if len(source) > limits.html:
        return "html-size"
    if source.count("<") > limits.tag_opens:
        return "tags"
    if _too_many_entities(source, limits.entities):
        return "entities"
    return _breached_shape(source, limits)


def _too_many_entities(source: str, most: int) -> bool:
    if source.isascii():
        return source.count("&") > most
    return next(islice(_COSTLY.finditer(source), most, None), None) is not None


def _breached_shape(source: str, limits: HtmlLimits) -> str | None:
    """Follow the open elements by name: an upper bound that no stray end tag can lower."""
    foreign = _FOREIGN.search(source) is not None
    uncounted = VOID if foreign else VOID | _OPTIONAL_END
    open_elements: dict[str, int] = {}
    depth = formatting = reopened = 0
    few = 2 * limits.attributes  # characters that cannot hold too many
    for tag in (_EVERY_TAG if foreign else _MARKUP).finditer(source):
        close, written, rest = tag.group("close", "name", "rest")
        if not written:
            continue
        name = written.lower()
        if close:
            if open_elements.get(name):
                open_elements[name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
            continue
        if len(rest) > few and too_many_attributes(rest, limits.attributes):
            return "attributes"
        reopened += formatting
        if reopened > limits.reopened:
            return "formatting"
        if name in uncounted:
            continue
        open_elements[name] = open_elements.get(name, 0) + 1
        depth += 1
        formatting += name in _FORMATTING
        if depth > limits.nesting:
            return "nesting"
    return None


def too_many_attributes(rest: str, most: int) -> bool:
    """True when the text of a tag after its name can hold more than `most` attributes."""
    if len(rest) <= 2 * most:
        return False
    return len(_ATTRIBUTE_BREAK.split(_QUOTED_VALUE.sub("= ", rest))) > most + 2
