"""Looks at finished HTML with another parser than the one that wrote it, and names what is wrong."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from webmail.html import NO_PICTURE, PLACEHOLDER
from webmail.html.allowed import ATTRIBUTES, TAGS
from webmail.html.limits import HtmlLimits
from webmail.html.model import SafeHtml

FRAME_TAGS = {"html", "head", "body"}
LINK = re.compile(r"(?:https?|mailto|tel):|#", re.IGNORECASE)
BAD_CSS = re.compile(
    r"url\s*\(|@import|expression|var\s*\(|image-set|javascript:|behavior|-moz-binding|(?<![\w-])position\s*:"
    r"|--[a-z][\w-]*\s*:[^{}]*(?:[;}]|$)|<|\\[0-9a-f]{1,6}\s?rl",
    re.IGNORECASE,
)


def problems(safe: SafeHtml, *, images: str = PLACEHOLDER) -> list[str]:
    """Everything in `safe` that could run, load or leave the list; `images`: the allowed prefix."""
    found = list(_markup_problems(safe.body, images))
    for name, css in (("css", safe.css), ("body style", safe.body_style)):
        if BAD_CSS.search(css):
            found.append(f"{name}: {css[:200]}")
    if "</" in safe.css:
        found.append("css closes its element")
    if safe.body_background not in ("", PLACEHOLDER) and not safe.body_background.startswith(
        images
    ):
        found.append(f"body background {safe.body_background}")
    return found


def _markup_problems(body: str, images: str) -> Iterator[str]:
    tree = LexborHTMLParser(f"<!DOCTYPE html><body>{body}</body>")
    for node in tree.root.traverse(include_text=False):
        if node.tag in FRAME_TAGS:
            continue
        if node.tag in {"-comment", "!--", "_comment"} or node.tag not in TAGS:
            yield f"element {node.tag}"
            continue
        for name, value in node.attributes.items():
            yield from _attribute_problems(node.tag, name, value or "", images)


def _attribute_problems(tag: str, name: str, value: str, images: str) -> Iterator[str]:
    own = ATTRIBUTES.get(tag, frozenset()) | ATTRIBUTES["*"]
    if name not in own | ({"target", "rel"} if tag in {"a", "area"} else set()):
        yield f"attribute {tag} {name}"
    if name == "href" and not LINK.match(value) and not value.startswith("/go/"):
        yield f"href {value[:80]!r}"
    rasters = tuple(f"data:image/{kind};base64," for kind in ("png", "gif", "jpeg", "webp"))
    if name in {"src", "background"} and not (
        value == NO_PICTURE or value.startswith((*rasters, images))
    ):
        yield f"{name} {value[:80]!r}"
    if name == "style":
        if BAD_CSS.search(value):
            yield f"style {value[:120]!r}"
        if len(value) > 2 * HtmlLimits().style_attribute:
            yield "style too long"
