"""Which rendering of a message is asked for."""

from dataclasses import dataclass
from typing import Literal

# Raised when the pipeline would make other documents of the same bytes: renders again.
PIPELINE = 7

# "inverted" and "card" are dark pages, on which the reader asked for mail with colours of its own
# to be shown dark, or for all of it to be shown light.
Theme = Literal["light", "dark", "inverted", "card"]
THEMES: tuple[Theme, ...] = ("light", "dark", "inverted", "card")


@dataclass(frozen=True, slots=True)
class Variant:
    """What the reader chose: remote images or not, which theme, which body."""

    images: bool = False  # now, whoever sent it
    verified_images: bool = False  # always from this sender, if verified to be theirs
    theme: Theme = "light"
    plain: bool = False
    junk: bool = False  # it lies in spam: words only, whatever its verdict

    @property
    def key(self) -> str:
        """The variant as it stands in rows, cache keys and task arguments."""
        return (
            f"images={self._images};theme={self.theme};"
            f"body={'plain' if self.plain else 'html'}{';junk=yes' if self.junk else ''}"
        )

    def wants_images(self, *, level: str) -> bool:
        """Whether remote images of a message with this verdict are to be loaded."""
        return self.images or (self.verified_images and level == "ok")

    def shade(self, colours: str) -> Literal["", "light", "dark"]:
        """What HTML with these `Collection.colours` is shown on where the page is dark."""
        if self.theme == "light" or not colours:
            return ""
        is_dark = self.theme == "inverted" or (self.theme == "dark" and colours == "dark")
        return "dark" if is_dark else "light"

    @property
    def _images(self) -> str:
        if self.images:
            return "yes"
        return "verified" if self.verified_images else "no"

    @classmethod
    def parse(cls, key: str) -> "Variant":
        """Read a `key` back; anything unknown is the safer choice."""
        words = dict(pair.split("=", 1) for pair in key.split(";") if "=" in pair)
        return cls(
            images=words.get("images") == "yes",
            verified_images=words.get("images") == "verified",
            theme=next((each for each in THEMES if each == words.get("theme")), "light"),
            plain=words.get("body") == "plain",
            junk=words.get("junk") == "yes",
        )
