"""Which rendering of a message is asked for."""

from dataclasses import dataclass
from typing import Literal

# Raised when the pipeline would make other documents of the same bytes: renders again.
PIPELINE = 5

Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Variant:
    """What the reader chose: remote images or not, which theme, which body."""

    images: bool = False
    theme: Theme = "light"
    plain: bool = False
    junk: bool = False  # it lies in spam: words only, whatever its verdict

    @property
    def key(self) -> str:
        """The variant as it stands in rows, cache keys and task arguments."""
        return (
            f"images={'yes' if self.images else 'no'};theme={self.theme};"
            f"body={'plain' if self.plain else 'html'}{';junk=yes' if self.junk else ''}"
        )

    @classmethod
    def parse(cls, key: str) -> "Variant":
        """Read a `key` back; anything unknown is the safer choice."""
        words = dict(pair.split("=", 1) for pair in key.split(";") if "=" in pair)
        return cls(
            images=words.get("images") == "yes",
            theme="dark" if words.get("theme") == "dark" else "light",
            plain=words.get("body") == "plain",
            junk=words.get("junk") == "yes",
        )
