"""The reading pass: one parse with lexbor, to look and never to write.

Nothing of this tree is serialised. What it found steers the filters of the writing pass, which
treats everything it was not told about as hostile.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webmail.html.limits import HtmlLimits

_SHOWN_TEXT = 500  # characters of a link's text that are kept
_SPACE = re.compile(r"\s+")
_TINY = re.compile(r"\s*0*[01](?:\.0*)?\s*(?:px)?\s*", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)"
    r"|(?:max-)?(?:width|height)\s*:\s*0*[01](?:\.0*)?(?:px)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_HIDING_ANCESTORS = 4
# Addresses of open counters, by the shapes that mailing services give them.
_COUNTER_URL = re.compile(
    r"/(?:wf|ls|o|e|track|trk|t|e/o|e2t|email|emails|mail|open|opens|beacon|pixel|cl|ss|p|q|imp)?/?"
    r"(?:open(?:\.php|\.aspx|\.gif|log|ed|track)?|track(?:ing)?(?:[/_.-]?open|[/_-]?pixel|\.gif|\.png)"
    r"|pixel(?:\.gif|\.png|\.php)?|beacon(?:\.gif|\.png)?|spacer_track|1x1\.(?:gif|png)"
    r"|blank\.gif\?|clear\.gif\?|trace\.gif|o\.gif|t\.gif)(?:[/?#]|$)",
    re.IGNORECASE,
)
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
    return Reading(
        styles=tuple(node.text(deep=True) for node in tree.css("style")),
        body_attributes={
            name: value or "" for name, value in (body.attributes if body else {}).items()
        },
        language=language,
        direction=direction,
        links=tuple(_links(tree, limits, limits_hit)),
        tracker_sources=frozenset(_tracker_sources(tree, limits, limits_hit)),
        named_sources=frozenset(_named_sources(tree, limits)),
        limits_hit=tuple(limits_hit),
    )


def _language_and_direction(tree: LexborHTMLParser) -> tuple[str, Literal["", "ltr", "rtl"]]:
    """What the elements say that are not written: body's word counts more than html's."""
    language: str = ""
    direction: Literal["", "ltr", "rtl"] = ""
    for node in (tree.body, tree.root):
        attributes = node.attributes if node else {}
        language = language or (attributes.get("lang") or "").strip()
        match (attributes.get("dir") or "").strip().lower():
            case "ltr" | "rtl" as named if not direction:
                direction = named
    return language, direction


def _links(tree: LexborHTMLParser, limits: HtmlLimits, limits_hit: list[str]) -> Iterator[ReadLink]:
    room = limits.link_text
    for number, node in enumerate(tree.css("a[href], area[href]")):
        if number >= limits.links or room < 0:
            limits_hit.append("links")
            return
        text = node.text(deep=True)
        room -= len(text)
        if not text.strip():
            text = _text_of_pictures(node)
        yield ReadLink(
            href=node.attributes.get("href") or "",
            text=_SPACE.sub(" ", text).strip()[:_SHOWN_TEXT],
        )


def _text_of_pictures(link: LexborNode) -> str:
    alternatives = [link.attributes.get("alt") or ""]
    alternatives += [image.attributes.get("alt") or "" for image in link.css("img[alt]")[:20]]
    return " ".join(text for text in alternatives if text)


def _tracker_sources(
    tree: LexborHTMLParser, limits: HtmlLimits, limits_hit: list[str]
) -> Iterator[str]:
    for number, node in enumerate(tree.css("img[src]")):
        if number >= limits.images:
            limits_hit.append("images")
            return
        source = node.attributes.get("src") or ""
        if is_counter_url(source) or _is_unseen(node):
            yield source


def _named_sources(tree: LexborHTMLParser, limits: HtmlLimits) -> Iterator[str]:
    for node in tree.css("img[src][alt]")[: limits.images]:
        if (node.attributes.get("alt") or "").strip():
            yield node.attributes.get("src") or ""


def is_counter_url(url: str) -> bool:
    """True when the URL has a shape that open counters have."""
    return bool(_COUNTER_URL.search(url[:2048]) or _COUNTER_QUERY.search(url[:2048]))


def _is_unseen(image: LexborNode) -> bool:
    """One pixel, no size at all, or hidden by its own style or that of a near ancestor."""
    attributes = image.attributes
    sizes = [attributes.get("width"), attributes.get("height")]
    if all(size and _TINY.fullmatch(size) for size in sizes) or "hidden" in attributes:
        return True
    if _HIDDEN_STYLE.search((attributes.get("style") or "")[:4096]):
        return True
    ancestor = image.parent
    for _ in range(_HIDING_ANCESTORS):
        if ancestor is None or ancestor.tag in {"body", "html"}:
            return False
        style = (ancestor.attributes.get("style") or "")[:4096]
        if re.search(r"display\s*:\s*none|visibility\s*:\s*hidden", style, re.IGNORECASE):
            return True
        ancestor = ancestor.parent
    return False
