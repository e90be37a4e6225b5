"""Where a list page begins: a place in the order (latest first), not a page number.

A page at any depth is one index range scan (mail-core: keyset). The form `at <= x AND NOT (at = x
AND id >= y)` is the one that both databases turn into an index condition.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 40  # characters: two 63-bit numbers, a sign and the dash


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's place: its time and, among equals, its id."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` wrote, None when it is not a cursor (addresses are typed by people)."""
        at, separator, number = text.partition(".")
        digits = at.removeprefix("-")
        if not separator or len(text) > _LONGEST or not text.isascii():
            return None
        if not digits.isdigit() or not number.isdigit() or int(number) >= 2**63:
            return None
        try:
            return cls(_EPOCH + int(at) * _MICROSECOND, int(number))
        except OverflowError:
            return None
