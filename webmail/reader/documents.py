"""From a message's tree to finished documents: which body, which images, which links.

Everything here works on one subtree with one state of trust; HTML of two subtrees never meets in
one document (EFAIL, rendering.md §3).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from webmail.html import (
    Ground,
    ImagePolicy,
    LinkPolicy,
    SafeHtml,
    Theme,
    document,
    html_to_text,
    raster_type,
    render_text,
    sanitise_html,
)
from webmail.mime import Message, Part, choose_body, decode_body, decode_text
from webmail.mime.choosing import BodyBlock, BodyChoice, BodyKind
from webmail.reader.variants import Variant

# Endings of files that can run programs when they are opened.
DANGEROUS = frozenset(
    """
    ade adp app bat chm cmd com cpl dll dmg exe gadget hta htm html ins iso isp jar js
    jse jnlp lib lnk mde msc msi msix msp mst nsh pif ps1 ps1xml reg scf scr sct shb svg
    sys vb vbe vbs vxd wsc wsf wsh xht xhtml xll xlsm docm pptm
    """.split()  # noqa: SIM905 - a list of words is read as one
)
# The first character that is seen, behind a tag or none; nh3 writes the rest as it is.
_FIRST_WORD = re.compile(r"(?:\A|>)(?:[\s\u200b\ufeff]|&nbsp;)*+(?:[^\s<&\u200b\ufeff]|&(?!nbsp;))")
INLINE_IMAGE_LIMIT = 10 * 1024 * 1024  # octets


class Addresses(Protocol):
    """Makes the URLs that documents and the page load."""

    def image(self, position: int) -> str:
        """Return the proxy's URL for the remote image at `position`."""
        ...

    def part(self, path: str) -> str:
        """Return the URL of a part: "layer/path"."""
        ...

    def go(self, position: int) -> str:
        """Return the confirm page's URL for the deceptive link at `position`."""
        ...


@dataclass(frozen=True, slots=True)
class Permission:
    """What the state of trust allows a body to do."""

    html: bool = True
    remote: bool = False  # load remote images, through the proxy
    links: bool = True


@dataclass(frozen=True, slots=True)
class Attached:
    """A part to download."""

    path: str  # "layer/path"
    filename: str
    content_type: str
    size: int
    is_dangerous: bool


@dataclass(slots=True)
class Collection:
    """What has been found while documents were made; positions count through the whole message."""

    images: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    blocked: int = 0
    trackers: int = 0
    tracker_hosts: set[str] = field(default_factory=set)
    has_deceptive_links: bool = False
    colours: Literal["", "own", "dark"] = ""  # of HTML: its own, or with a dark ground among them
    limits: set[str] = field(default_factory=set)
    removed: dict[str, int] = field(default_factory=dict)

    def note(self, safe: SafeHtml) -> None:
        """Add what was found in one part."""
        self.blocked += len(safe.remote_images)
        if not safe.is_plain and self.colours != "own":
            self.colours = "dark" if safe.adapts_to_dark else "own"
        self.trackers += safe.trackers
        self.tracker_hosts.update(safe.tracker_hosts)
        self.has_deceptive_links |= any(link.deceptive for link in safe.links)
        self.limits.update(safe.limits_hit)
        for what, count in safe.removed.items():
            self.removed[what] = self.removed.get(what, 0) + count


def _position(entries: list[str], value: str) -> int:
    if value not in entries:
        entries.append(value)
    return entries.index(value)


def _image_policy(
    tree: Message,
    choice: BodyChoice,
    *,
    layer: int,
    permission: Permission,
    addresses: Addresses,
    found: Collection,
) -> ImagePolicy:
    def remote(url: str) -> str | None:
        if not permission.remote:
            return None
        return addresses.image(_position(found.images, url))

    def cid(content_id: str) -> str | None:
        part = choice.cid_parts.get(content_id)
        if part is None or part.end - part.body_start > INLINE_IMAGE_LIMIT:
            return None
        if raster_type(decode_body(tree, part, limit=32)) is None:
            return None
        return addresses.part(f"{layer}/{part.path}")

    return ImagePolicy(remote=remote, cid=cid)


def _link_policy(addresses: Addresses, found: Collection, own_hosts: frozenset[str]) -> LinkPolicy:
    def deceptive(target: str) -> str | None:
        return addresses.go(_position(found.targets, target))

    def mailto(target: str) -> str | None:
        return f"{reverse('composer:compose')}?{urlencode({'mailto': target})}"

    return LinkPolicy(deceptive=deceptive, mailto=mailto, own_hosts=own_hosts)


def _scheme(variant: Variant) -> Theme:
    """Which of the mail's own colour rules hold."""
    return "dark" if variant.theme in {"dark", "inverted"} else "light"


def _ground(safe: SafeHtml, variant: Variant) -> Ground:
    """HTML with colours of its own stays on a white card in a dark page, unless the reader asked
    for it in dark (ui.md §8).
    """
    if variant.theme in {"light", "card"}:
        return variant.theme
    return "dark" if safe.adapts_to_dark or variant.theme == "inverted" else "card"


def render_block(
    text: str,
    block: BodyBlock,
    *,
    images: ImagePolicy,
    links: LinkPolicy,
    permission: Permission,
    variant: Variant,
    strip_legacy: Callable[[Part, str], str] | None = None,
) -> SafeHtml:
    """Return one body block as safe HTML."""
    if strip_legacy:
        text = strip_legacy(block.part, text)
    if block.kind == "html" and permission.html:
        return sanitise_html(text, images=images, theme=_scheme(variant), links=links)
    if block.kind == "html":
        text = html_to_text(text)  # its words, link targets among them
    parameters = block.part.parameters
    return render_text(
        text,
        flowed=parameters.get("format", "").lower() == "flowed",
        delsp=parameters.get("delsp", "").lower() == "yes",
        links=links,
        linked=permission.links,
        quote_label=_("Quoted text"),
        signature_label=_("Signature"),
    )


def _shows(safe: SafeHtml) -> bool:
    """Say whether there is anything to see: a word, a picture or the place of one."""
    return bool("<img" in safe.body or safe.body_background or _FIRST_WORD.search(safe.body))


@dataclass(frozen=True, slots=True)
class Body:
    """The documents of one subtree."""

    frames: tuple[str, ...]
    attachments: tuple[Attached, ...]
    choice: BodyChoice
    is_plain: bool


def build(
    tree: Message,
    *,
    layer: int,
    root: Part | None,
    permission: Permission,
    variant: Variant,
    addresses: Addresses,
    found: Collection,
    own_hosts: frozenset[str] = frozenset(),
    strip_legacy: Callable[[Part, str], str] | None = None,
) -> Body:
    """Make the documents of the subtree at `root` (None: the whole message), one a block."""
    prefer: BodyKind = "plain" if variant.plain or not permission.html else "html"
    choice = choose_body(tree, root=root, prefer=prefer)
    found.limits.update(choice.notes)
    images = _image_policy(
        tree, choice, layer=layer, permission=permission, addresses=addresses, found=found
    )
    links = _link_policy(addresses, found, own_hosts)
    frames = []
    all_plain = True
    shows = says = False
    for block in choice.blocks:
        decoded = decode_text(tree, block.part)
        safe = render_block(
            decoded.text,
            block,
            images=images,
            links=links,
            permission=permission,
            variant=variant,
            strip_legacy=strip_legacy,
        )
        found.note(safe)
        if decoded.truncated:
            found.limits.add("text")
        all_plain &= safe.is_plain
        shows |= _shows(safe) or bool(safe.limits_hit)  # of which a sentence tells already
        says |= bool(decoded.text.strip())
        ground = _ground(safe, variant)
        language = block.part.headers.text("content-language").partition(",")[0].strip() or None
        frames.append(document([safe], theme=ground, language=language, title=_("Message")))
    attachments = tuple(
        Attached(
            path=f"{layer}/{part.path}",
            filename=part.filename,
            content_type=part.content_type,
            size=part.size,
            is_dangerous=part.filename.rpartition(".")[2].lower() in DANGEROUS,
        )
        for part in choice.attachments
    ) + tuple(
        Attached(
            path=f"{layer}/{part.path}",
            filename=part.filename or f"{_('Message')}.eml",
            content_type="message/rfc822",
            size=part.end - part.body_start,
            is_dangerous=False,
        )
        for part in choice.nested
    )
    if frames and not (layer or shows or attachments or choice.secured):
        found.limits.add("nothing-shown" if says else "empty")
    return Body(tuple(frames), attachments, choice, all_plain)
