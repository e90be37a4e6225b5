"""Bounds for reading hostile mail; every bound that is met is named in `Message.limits_hit`."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

DEEPEST: Final = 64  # the tree is built by a recursive function: an upper bound for `Limits.depth`


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one reading. Sizes are bytes, the others are counts."""

    # A longer message keeps its header only: download, no parts. What an installation fetches at
    # all is a setting (50 MiB unless said otherwise); this is the most that it can be.
    raw: int = 200 * MIB
    header_block: int = 256 * KIB  # of one part
    header_fields: int = 1_000  # of one part
    header_value: int = 64 * KIB  # one unfolded value
    content_value: int = 4 * KIB  # Content-Type and Content-Disposition, unfolded
    parameters: int = 64  # of one Content-Type or Content-Disposition
    boundary: int = 256  # RFC 2046 §5.1.1 allows 70
    addresses: int = 1_000  # of one address field
    encoded_words: int = 1_000  # of one value; further ones stay as they are written
    depth: int = 20  # multipart and message/rfc822 both count
    parts: int = 1_000  # all nodes of the tree
    text: int = 2 * MIB  # decoded text of one part

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= DEEPEST:
            raise ValueError(f"depth must be between 1 and {DEEPEST}")
