"""What the room hands out: finished HTML and what was found while it was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

type Theme = Literal["light", "dark"]
# What a document is drawn on; "card": light, on a page that is dark.
type Ground = Literal["light", "dark", "card"]
type Rewrite = Callable[[str], str | None]

# What a blocked image with a text shows: no picture, so that browsers draw its text.
NO_PICTURE = "data:,"
# A transparent 1x1 GIF: what a blocked image without a text shows.
PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def block(_url: str) -> str | None:
    """The image rule that loads nothing."""
    return None


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """Where images come from. Each rule answers with a URL of ours, or None to block.

    `remote` gets an absolute http or https URL; `cid` a Content-ID without `cid:` and `<>`.
    The browser never loads what the mail names: only what a rule answers.
    """

    remote: Rewrite = block
    cid: Rewrite = block


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """Where links lead. Without a rule a deceptive link loses its target.

    `deceptive` gets the real target and answers with the URL of the confirm page; `mailto` gets a
    rebuilt mailto URL and answers with the URL of our composer. `own_hosts` are the hosts of the
    webmail itself: mail never links to them.
    """

    deceptive: Rewrite | None = None
    mailto: Rewrite | None = None
    own_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the mail: its visible text, its real target and whether they disagree."""

    text: str
    href: str
    deceptive: bool
    host: str = ""  # A-label form, "" for mailto and tel
    reason: str = ""  # why it is deceptive: "text", "mixed-scripts", "userinfo", "hidden"


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """Sanitised HTML of one part, with the facts the page around it shows.

    `body` is nh3's output, unchanged; `css` goes into a style element of ours; `body_style` and
    `body_background` are the rebuilt attributes of the mail's own body element.
    """

    body: str
    css: str = ""
    body_style: str = ""
    text_view: bool = False
    removed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    remote_images: tuple[str, ...] = ()
    loaded_images: tuple[str, ...] = ()
    trackers: int = 0
    tracker_hosts: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    limits_hit: tuple[str, ...] = ()
    body_background: str = ""
    language: str = ""  # as its html or body element says, unchecked
    direction: Literal["", "ltr", "rtl"] = ""  # likewise
    is_plain: bool = False  # made from text: shown in our own typography and colours
    adapts_to_dark: bool = False  # the mail paints a dark ground of its own, or is plain
