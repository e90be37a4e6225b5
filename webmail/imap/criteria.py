r"""Search criteria as values, so that no search string is ever put together from text.

    All() & Text("subject", "invoice") & ~Flagged("\\Seen") & Since(date(2026, 1, 1))

RFC 9051 §6.4.4. Words of people become literals; everything else is typed.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import Literal as OneOf
from typing import override

from webmail.imap.arguments import Fragment, Literal, check_fragment, day, flag, literal
from webmail.imap.uidset import UidSet

_FIELDS = {"subject", "from", "to", "cc", "bcc", "body", "text"}
_STATE_KEYS = {
    b"\\Seen": b"SEEN",
    b"\\Answered": b"ANSWERED",
    b"\\Flagged": b"FLAGGED",
    b"\\Deleted": b"DELETED",
    b"\\Draft": b"DRAFT",
}


class Criteria(ABC):
    """A condition on messages; combine with `&`, `|` and `~`."""

    __slots__ = ()

    @abstractmethod
    def fragments(self) -> list[Fragment]:
        """The condition as one search key."""

    def __and__(self, other: "Criteria") -> "Criteria":
        return Both(self, other)

    def __or__(self, other: "Criteria") -> "Criteria":
        return Either(self, other)

    def __invert__(self) -> "Criteria":
        return Not(self)


@dataclass(frozen=True, slots=True)
class All(Criteria):
    """Every message."""

    @override
    def fragments(self) -> list[Fragment]:
        return [b"ALL"]


@dataclass(frozen=True, slots=True)
class Uids(Criteria):
    """Messages with these UIDs; the set must not be empty."""

    uids: UidSet

    @override
    def fragments(self) -> list[Fragment]:
        encoded = self.uids.encode()
        if not encoded:
            raise ValueError("an empty set cannot be searched")
        return [b"UID " + encoded]


@dataclass(frozen=True, slots=True)
class Flagged(Criteria):
    """Messages that carry this flag or keyword."""

    name: str

    @override
    def fragments(self) -> list[Fragment]:
        name = flag(self.name)
        return [_STATE_KEYS.get(name, b"KEYWORD " + name)]


@dataclass(frozen=True, slots=True)
class Text(Criteria):
    """Messages with this text in a field, the body, or anywhere ("text")."""

    field: OneOf["subject", "from", "to", "cc", "bcc", "body", "text"]
    words: str

    @override
    def fragments(self) -> list[Fragment]:
        if self.field not in _FIELDS:
            raise ValueError("not a searchable field")
        return [self.field.upper().encode() + b" ", literal(self.words)]


@dataclass(frozen=True, slots=True)
class Header(Criteria):
    """Messages with a header field `name` that contains `value` ("" means: has the field)."""

    name: str
    value: str

    @override
    def fragments(self) -> list[Fragment]:
        if not self.name or not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError("not a header field name")
        name = check_fragment(self.name.encode("ascii", "strict"))
        return [b"HEADER " + name + b" ", literal(self.value)]


@dataclass(frozen=True, slots=True)
class Since(Criteria):
    """Messages received on this day or later, in the server's idea of a day."""

    day: date

    @override
    def fragments(self) -> list[Fragment]:
        return [b"SINCE " + day(self.day)]


@dataclass(frozen=True, slots=True)
class Before(Criteria):
    """Messages received before this day."""

    day: date

    @override
    def fragments(self) -> list[Fragment]:
        return [b"BEFORE " + day(self.day)]


@dataclass(frozen=True, slots=True)
class Larger(Criteria):
    """Messages of more than so many octets."""

    octets: int

    @override
    def fragments(self) -> list[Fragment]:
        return [b"LARGER %d" % self.octets]


@dataclass(frozen=True, slots=True)
class Smaller(Criteria):
    """Messages of fewer than so many octets."""

    octets: int

    @override
    def fragments(self) -> list[Fragment]:
        return [b"SMALLER %d" % self.octets]


@dataclass(frozen=True, slots=True)
class Both(Criteria):
    """Messages that meet both conditions."""

    first: Criteria
    second: Criteria

    @override
    def fragments(self) -> list[Fragment]:
        return [b"(", *self.first.fragments(), b" ", *self.second.fragments(), b")"]


@dataclass(frozen=True, slots=True)
class Either(Criteria):
    """Messages that meet at least one of the conditions."""

    first: Criteria
    second: Criteria

    @override
    def fragments(self) -> list[Fragment]:
        return [b"OR ", *self.first.fragments(), b" ", *self.second.fragments()]


@dataclass(frozen=True, slots=True)
class Not(Criteria):
    """Messages that do not meet the condition."""

    inner: Criteria

    @override
    def fragments(self) -> list[Fragment]:
        return [b"NOT ", *self.inner.fragments()]


def needs_charset(fragments: list[Fragment]) -> bool:
    """Whether any text in the criteria is not ASCII, so that CHARSET must be named."""
    return any(isinstance(f, Literal) and not f.octets.isascii() for f in fragments)
