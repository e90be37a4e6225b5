"""The reading pass: one parse with lexbor, to look and never to write.

Nothing of this tree is serialised. What it found steers the filters of the writing pass, which
treats everything it was not told about as hostile.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webmail.html.limits import HtmlLimits

_SHOWN_TEXT = 500  # characters of a link's text that are kept
_TINY = re.compile(r"\s*0*[01](?:\.0*)?\s*(?:px)?\s*", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)"
    r"|(?:max-)?(?:width|height)\s*:\s*0*[01](?:\.0*)?(?:px)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDING_ANCESTORS = 4
# Addresses of open counters, by the shapes that mailing services give them.
_COUNTER_URL = re.compile(
    r"/(?:wf|ls|o|e|track|trk|t|e/o|e2t|email|emails|mail|open|opens|beacon|pixel|cl|ss|p|q|imp)?/?"
    r"(?:open(?:\.php|\.aspx|\.gif|log|ed|track)?|track(?:ing)?(?:[/_.-]?open|[/_-]?pixel|\.gif|\.png)"
    r"|pixel(?:\.gif|\.png|\.php)?|beacon(?:\.gif|\.png)?|spacer_track|1x1\.(?:gif|png)"
    r"|blank\.gif\?|clear\.gif\?|trace\.gif|o\.gif|t\.gif)(?:[/?#]|$)",
    re.IGNORECASE,
)
_COUNTER_WORDS = ("open", "track", "pixel", "beacon", "1x1", ".gif")  # one is in each shape
_COUNTER_QUERY = re.compile(
    r"[?&](?:utm_)?(?:email_?open|open_?id|track(?:er|ing)?_?(?:id|pixel))=", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ReadLink:
    """One link as written: the raw value of href and the visible text."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reading pass saw. `is_complete`: no limit cut it short."""

    styles: tuple[str, ...] = ()
    body_attributes: dict[str, str] = field(default_factory=dict)
    links: tuple[ReadLink, ...] = ()
    language: str = ""
    direction: Literal["", "ltr", "rtl"] = ""
    tracker_sources: frozenset[str] = frozenset()
    named_sources: frozenset[str] = frozenset()  # of images with an alternative text
    limits_hit: tuple[str, ...] = ()


def read_html(source: str, limits: HtmlLimits) -> Reading:
    """Parse `source` (already guarded) and note what the writing pass needs to know."""
    tree = LexborHTMLParser(source)
    limits_hit: list[str] = []
    body = tree.body
    language, direction = _language_and_direction(tree)
    links = tuple(_links(tree, limits, limits_hit))
    tracker_sources, named_sources = _sources(tree, limits, limits_hit)
    return Reading(
        styles=tuple(node.text(deep=True) for node in tree.tags("style")),
        body_attributes={
            name: value or "" for name, value in (body.attributes if body else {}).items()
        },
        language=language,
        direction=direction,
        links=links,
        tracker_sources=tracker_sources,
        named_sources=named_sources,
        limits_hit=tuple(limits_hit),
    )


def _language_and_direction(tree: LexborHTMLParser) -> tuple[str, Literal["", "ltr", "rtl"]]:
    """What the elements say that are not written: body's word counts more than html's."""
    language: str = ""
    direction: Literal["", "ltr", "rtl"] = ""
    for node in (tree.body, tree.root):
        language = language or (_attribute(node, "lang") if node else "").strip()
        match (_attribute(node, "dir") if node else "").strip().lower():
            case "ltr" | "rtl" as named if not direction:
                direction = named
    return language, direction


def _attribute(node: LexborNode, name: str) -> str:
    """Return one attribute, "" if it is not there. `node.attributes` would read them all."""
    return node.attrs.get(name) or ""


def _links(tree: LexborHTMLParser, limits: HtmlLimits, limits_hit: list[str]) -> Iterator[ReadLink]:
    room = limits.link_text
    for number, node in enumerate(_link_nodes(tree)):
        if number >= limits.links or room < 0:
            limits_hit.append("links")
            return
        text = node.text(deep=True)
        room -= len(text)
        if not text.strip():
            text = _text_of_pictures(node)
        yield ReadLink(href=_attribute(node, "href"), text=" ".join(text.split())[:_SHOWN_TEXT])


def _link_nodes(tree: LexborHTMLParser) -> Sequence[LexborNode]:
    """Return the links in document order. A query for both kinds costs more than most readings."""
    if tree.tags("area"):
        return tree.css("a[href], area[href]")  # xlink:href, too
    return [node for node in tree.tags("a") if "href" in node.attrs or "xlink:href" in node.attrs]


def _text_of_pictures(link: LexborNode) -> str:
    alternatives = [_attribute(link, "alt")]
    if link.first_child is not None:
        alternatives += [_attribute(image, "alt") for image in link.css("img[alt]")[:20]]
    return " ".join(text for text in alternatives if text)


def _sources(
    tree: LexborHTMLParser, limits: HtmlLimits, limits_hit: list[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the sources of trackers, and those of images that have an alternative text."""
    trackers: set[str] = set()
    named: set[str] = set()
    images = [node for node in tree.tags("img") if "src" in node.attrs]
    if len(images) > limits.images:
        limits_hit.append("images")
    for image in images[: limits.images]:
        source = _attribute(image, "src")
        if source not in trackers and (is_counter_url(source) or _is_unseen(image)):
            trackers.add(source)
        if _attribute(image, "alt").strip():
            named.add(source)
    return frozenset(trackers), frozenset(named)


def is_counter_url(url: str) -> bool:
    """True when the URL has a shape that open counters have."""
    if url.isascii():
        lowered = url.lower()
        if not any(word in lowered for word in _COUNTER_WORDS):
            return False
    return bool(_COUNTER_URL.search(url[:2048]) or _COUNTER_QUERY.search(url[:2048]))


def _is_unseen(image: LexborNode) -> bool:
    """One pixel, no size at all, or hidden by its own style or that of a near ancestor."""
    sizes = (_attribute(image, "width"), _attribute(image, "height"))
    if all(size and _TINY.fullmatch(size) for size in sizes) or "hidden" in image.attrs:
        return True
    if _HIDDEN_STYLE.search(_attribute(image, "style")[:4096]):
        return True
    ancestor = image.parent
    for _ in range(_HIDING_ANCESTORS):
        if ancestor is None or ancestor.tag in {"body", "html"}:
            return False
        style = _attribute(ancestor, "style")
        if style and _HIDING_STYLE.search(style[:4096]):
            return True
        ancestor = ancestor.parent
    return False
