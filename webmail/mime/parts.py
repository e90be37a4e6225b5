"""What a parsed message is: parts with byte offsets, the envelope, flags."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from webmail.mime.addresses import Address
from webmail.mime.headers import Headers


class Flag(StrEnum):
    """Something odd about a part; `Message.flags` is the union over all parts."""

    UNCLOSED = "unclosed"  # a multipart without its close delimiter
    DUPLICATE_TYPE = "duplicate-content-type"  # the first field counts; so for the next two
    DUPLICATE_ENCODING = "duplicate-content-transfer-encoding"
    DUPLICATE_DISPOSITION = "duplicate-content-disposition"
    DUPLICATE_PARAMETER = "duplicate-parameter"
    DUPLICATE_BOUNDARY = "duplicate-boundary"
    BROKEN_TYPE = "broken-content-type"  # no type and subtype, or a multipart without a boundary
    UNKNOWN_ENCODING = "unknown-encoding"
    ENCODED_CONTAINER = "encoded-container"  # RFC 2045 §6.4 allows no encoding on it
    NO_PARTS = "no-parts"  # a multipart without a delimiter: a leaf
    TOO_DEEP = "too-deep"  # a container that was not opened
    PARTS_CUT = "parts-cut"  # further children are not listed
    HEADER_CUT = "header-cut"  # a limit on the header block was met
    HEADER_JUNK = "header-junk"  # lines that are no fields
    HEADER_UNTERMINATED = "header-unterminated"  # no empty line behind the header
    DECEPTIVE_FILENAME = "deceptive-filename"  # deserves a warning badge
    DAMAGED_FILE = "damaged-file"  # a file inside a text that is cut or does not match its sums
    TOO_LARGE = "too-large"  # the message was not scanned


# Doubled structural fields: two readers may see two messages. Never a fully green signature.
STRUCTURE_UNUSUAL: Final = frozenset(
    {
        Flag.DUPLICATE_TYPE,
        Flag.DUPLICATE_ENCODING,
        Flag.DUPLICATE_DISPOSITION,
        Flag.DUPLICATE_BOUNDARY,
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """A node of the tree. Offsets are into `Message.raw`.

    `raw[header_start:end]` is the part with its header, `raw[body_start:end]` its body; the line
    end before the parent's next delimiter belongs to neither (RFC 2046 §5.1.1).
    """

    # The IMAP section (RFC 9051 §6.4.5): "" for a multipart root, "1" for a root without parts.
    # The multipart root of a forwarded message has no number of its own: "2.TEXT".
    path: str
    content_type: str
    parameters: Mapping[str, str]
    headers: Headers
    header_start: int
    body_start: int
    end: int
    transfer_encoding: str  # lower case, "7bit" when absent
    disposition: str | None
    disposition_parameters: Mapping[str, str]
    content_id: str | None  # without angle brackets
    filename: str | None  # safe; None when the message states none
    children: tuple["Part", ...]
    flags: frozenset[str]
    # The octets of a file found inside the body of another part (webmail.mime.embedded); the
    # offsets are then that part's. None: the octets are the message's own.
    content: bytes | None = None

    @property
    def is_multipart(self) -> bool:
        """Does it claim to hold parts? `children` may be empty all the same."""
        return self.content_type.startswith("multipart/")

    def walk(self) -> Iterator["Part"]:
        """The part and all below it, in the order of the message."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields that say who wrote to whom, when and about what; decoded and safe to show."""

    from_: tuple[Address, ...]
    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    date: datetime | None
    message_id: str  # without angle brackets; so are the next two
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    # Not exactly one From field, or one that is no list of mailboxes, or holds a group.
    from_malformed: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored, and the one tree that everything else uses."""

    raw: bytes
    root: Part
    envelope: Envelope
    flags: frozenset[str]
    limits_hit: tuple[str, ...]  # names of the limits met, in order, once each

    def walk(self) -> Iterator[Part]:
        """All parts in the order of the message."""
        return self.root.walk()

    def part(self, path: str) -> Part:
        """The part with that section number; KeyError when there is none."""
        for part in self.walk():
            if part.path == path:
                return part
        raise KeyError(path)
