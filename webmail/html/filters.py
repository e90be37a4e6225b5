"""The attribute filter of the writing pass: it answers for every attribute nh3 lets through.

It fails closed: an error in it, or in a rule of the caller, removes the attribute.
"""

import logging
import re
from collections import Counter
from urllib.parse import unquote, urlsplit

from webmail.html.css import SafeDeclarations, safe_declarations
from webmail.html.hosts import INVISIBLE
from webmail.html.limits import HtmlLimits
from webmail.html.links import Target, deceit, read_target
from webmail.html.model import (
    NO_PICTURE,
    PLACEHOLDER,
    ImagePolicy,
    Link,
    LinkPolicy,
    Rewrite,
    block,
)
from webmail.html.rasters import data_image
from webmail.html.reading import Reading, is_counter_url

logger = logging.getLogger(__name__)

# Attributes that can load, lead or paint.
CHECKED = frozenset({"style", "src", "background", "href", "target", "rel", "usemap"})
_JUDGED = CHECKED | {"type"}  # all others are written as they are
_LONGEST_REMOTE = 4096
_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_PROTOCOL_RELATIVE = re.compile(r"[\\/]{2}")


class AttributeFilter:
    """nh3's `attribute_filter` for one mail, and the ledger of what it did."""

    def __init__(
        self,
        reading: Reading,
        *,
        images: ImagePolicy,
        links: LinkPolicy,
        limits: HtmlLimits,
    ) -> None:
        self._images = images
        self._links = links
        self._limits = limits
        self._tracker_sources = reading.tracker_sources
        self._named_sources = reading.named_sources
        self._targets: dict[str, tuple[Target | None, str]] = {}
        self.links: list[Link] = []
        self.removed: Counter[str] = Counter()
        self.blocked: dict[str, None] = {}  # ordered sets
        self.loaded: dict[str, None] = {}
        self.tracker_urls: dict[str, None] = {}
        self.limits_hit: dict[str, None] = dict.fromkeys(reading.limits_hit)
        self.emitted: set[tuple[str, str]] = set()  # what a second writing may repeat
        self._styles: dict[str, SafeDeclarations] = {}
        self._data_room = limits.data_images
        self._leads_away = False  # the link being written has a target outside the frame
        self._judge_links(reading)

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        """Answer the value to write, or None to remove the attribute. Never raises."""
        if attribute not in _JUDGED:
            return value
        try:
            answer = self._answer(tag, attribute, value)
        except Exception:
            logger.exception("attribute dropped tag=%s attribute=%s", tag, attribute)
            self.removed["filter-error"] += 1
            return None
        if answer is not None and attribute in CHECKED:
            self.emitted.add((attribute, answer))
        return answer

    def repeat(self, _tag: str, attribute: str, value: str) -> str | None:
        """The filter of a second writing: only values that the first one wrote."""
        if attribute in CHECKED and (attribute, value) not in self.emitted:
            self.removed["filter-error"] += 1
            return None
        return value

    def _answer(self, tag: str, attribute: str, value: str) -> str | None:
        # The most frequent first.
        match attribute:
            case "style":
                return self.style(value)
            case "href":
                # nh3 asks about <link> too, before it drops the element
                return self._href(value) if tag in {"a", "area"} else None
            case "rel":
                return value
            case "target":
                leads_away, self._leads_away = self._leads_away, False
                return value if leads_away else None
            case "src":
                return self._picture(value) if tag == "img" else None
            case "background":
                return self.image(value)
            case "usemap":
                return value if value.startswith("#") else None
            case "type" if tag == "blockquote":
                return value if value == "cite" else None
        return value

    # Styles

    def style(self, value: str) -> str | None:
        """The safe declarations of a style attribute; None when nothing is left."""
        if len(value) > self._limits.style_attribute:
            self.limits_hit["style-attribute"] = None
            self.removed["style"] += 1
            return None
        safe = self._styles.get(value)
        if safe is None:
            if len(self._styles) >= self._limits.style_attributes:
                self.limits_hit["style-attributes"] = None
                self.removed["style"] += 1
                return None
            safe = self._styles[value] = safe_declarations(value)
        if safe.dropped:
            self.removed["declaration"] += safe.dropped
        return safe.text or None

    # Images

    def image(self, value: str) -> str | None:
        """Where an image comes from: a URL of ours, a data: image, or the placeholder."""
        source = INVISIBLE.sub("", value).strip()
        lowered = source[:5].lower()
        if lowered == "data:":
            return self._data_image(source)
        if lowered.startswith("cid:"):
            content_id = unquote(source[4:]).strip().removeprefix("<").removesuffix(">")
            return self._images.cid(content_id) or self._placeholder("cid")
        if _PROTOCOL_RELATIVE.match(source):
            source = "https:" + source.replace("\\", "/")
        if not _REMOTE.match(source):
            return self._placeholder("image")
        return self._remote(value, source.replace(" ", "%20"))

    def _picture(self, value: str) -> str | None:
        """`image` for an img element: one that is not shown leaves room for its text."""
        answer = self.image(value)
        if answer == PLACEHOLDER and value in self._named_sources and not self._counts(value):
            return NO_PICTURE
        return answer

    def _counts(self, raw: str) -> bool:
        return raw in self._tracker_sources or is_counter_url(raw)

    def _remote(self, raw: str, url: str) -> str:
        if len(url) > _LONGEST_REMOTE:
            return self._placeholder("image")
        if self._counts(raw) or is_counter_url(url):
            self.tracker_urls[url] = None
            return self._placeholder("tracker")
        ours = self._images.remote(url)
        if ours is None:
            self.blocked[url] = None
            return PLACEHOLDER
        self.loaded[url] = None
        return ours

    def _data_image(self, source: str) -> str | None:
        largest = min(self._limits.data_image, self._data_room)
        rebuilt = data_image(source, largest=largest)
        if rebuilt is None:
            if len(source) > largest * 4 // 3:
                self.limits_hit["data-images"] = None
            return self._placeholder("data-image")
        url, octets = rebuilt
        self._data_room -= octets
        return url

    def _placeholder(self, kind: str) -> str:
        self.removed[kind] += 1
        return PLACEHOLDER

    # Links

    def _judge_links(self, reading: Reading) -> None:
        """Decide each target once, by the worst of the texts that lead to it."""
        for link in reading.links:
            target = read_target(link.href, self._links)
            if target is None:
                self._targets[link.href] = (None, "")
                self.removed["link"] += 1
                continue
            reason = deceit(target, link.text)
            if reason or link.href not in self._targets:
                self._targets[link.href] = (target, reason)
            self._note_link(target, link.text, reason)

    def _note_link(self, target: Target, text: str, reason: str) -> None:
        if not target.is_fragment:
            self.links.append(
                Link(
                    text=text,
                    href=target.href,
                    deceptive=bool(reason),
                    host=target.host,
                    reason=reason,
                )
            )

    def _href(self, value: str) -> str | None:
        self._leads_away = False
        if value not in self._targets:
            # The reading pass did not see this link, so nobody compared its text.
            unseen = read_target(value, self._links)
            self._targets[value] = (unseen, "hidden")
            if unseen is not None:
                self._note_link(unseen, "", "hidden")
        target, reason = self._targets[value]
        if target is None:
            return None
        if target.is_fragment:
            return target.href
        rule = self._rule_for(target, reason)
        href = target.href if rule is None else rule(target.href)
        self._leads_away = href is not None
        return href

    def _rule_for(self, target: Target, reason: str) -> Rewrite | None:
        if reason:
            return self._links.deceptive or block
        return self._links.mailto if target.href.startswith("mailto:") else None

    def tracker_hosts(self) -> tuple[str, ...]:
        """The hosts of the trackers, each once, in the order seen."""
        return tuple(dict.fromkeys(_host_of(url) for url in self.tracker_urls))


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
