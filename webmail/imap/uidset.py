"""Sets of UIDs as IMAP writes them: sorted, disjoint ranges (RFC 9051 §9, sequence-set)."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

MAX_UID = 2**32 - 1
_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*\Z")


@dataclass(frozen=True, slots=True)
class UidSet:
    """An immutable set of UIDs in 1..2³²-1, held as ranges, so that `1:4294967295` costs nothing.

    Iteration is ascending and lazy. Build one with `of`, `span` or `parse`.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, uids: Iterable[int]) -> Self:
        """The set of these UIDs. Raises ValueError (range) or TypeError (not an int)."""
        ranges: list[tuple[int, int]] = []
        low = high = 0
        members = set(uids)
        if any(type(uid) is not int for uid in members):
            raise TypeError("a UID is an int")
        if members and min(members) < 1:
            raise ValueError("a UID is 1..2**32-1")
        for uid in sorted(members):
            if uid == high + 1 and low:
                high = uid
                continue
            if low:
                ranges.append((low, high))
            low = high = uid
        if low:
            ranges.append((low, high))
        _check(ranges)
        return cls(tuple(ranges))

    @classmethod
    def span(cls, low: int, high: int | None = None) -> Self:
        """Every UID from low to high, both included; None means up to the largest possible.

        An explicit maximum instead of `*`: `9:*` would also name the last message below 9.
        An empty set when low > high.
        """
        top = MAX_UID if high is None else high
        ranges = [(low, top)] if low <= top else []
        _check(ranges)
        return cls(tuple(ranges))

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a server's set. Zeros and numbers above 2³²-1 are left out (a server may lie).

        Raises ValueError when it is not a set.
        """
        if not _SET.match(text):
            raise ValueError("not a UID set")
        ranges = []
        for part in text.split(b","):
            first, _, last = part.partition(b":")
            low, high = sorted((int(first), int(last or first)))
            if max(low, 1) <= min(high, MAX_UID):
                ranges.append((max(low, 1), min(high, MAX_UID)))
        return cls(_merged(ranges))

    @classmethod
    def parse_ordered(cls, text: bytes, *, limit: int) -> list[int]:
        """The UIDs of a server's set in the order given (COPYUID pairs them by position).

        RFC 4315 §3. Raises ValueError when it is not a set or longer than `limit`.
        """
        if not _SET.match(text):
            raise ValueError("not a UID set")
        uids: list[int] = []
        for part in text.split(b","):
            first, _, last = part.partition(b":")
            low, high = sorted((int(first), int(last or first)))
            if high - low >= limit - len(uids):
                raise ValueError("a UID set longer than the request")
            uids.extend(range(low, high + 1))
        return uids

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        index = bisect_right(self.ranges, (uid, MAX_UID)) - 1
        return index >= 0 and uid <= self.ranges[index][1]

    def __or__(self, other: Self) -> Self:
        return type(self)(_merged([*self.ranges, *other.ranges]))

    def within(self, low: int, high: int | None = None) -> Self:
        """The members from low to high, both included."""
        top = MAX_UID if high is None else high
        cut = ((max(a, low), min(b, top)) for a, b in self.ranges)
        return type(self)(tuple((a, b) for a, b in cut if a <= b))

    def encode(self) -> bytes:
        """As sent: `1:3,7`. Empty bytes for the empty set, which must never be sent."""
        return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in self.ranges).encode()

    def chunks(self, max_bytes: int) -> Iterator[Self]:
        """Sets that together are this one, each at most `max_bytes` (≥ 21) long when encoded."""
        held: list[tuple[int, int]] = []
        size = 0
        for low, high in self.ranges:
            step = len(str(low)) + (len(str(high)) + 1 if high != low else 0) + 1
            if held and size + step > max_bytes + 1:
                yield type(self)(tuple(held))
                held, size = [], 0
            held.append((low, high))
            size += step
        if held:
            yield type(self)(tuple(held))

    def slices(self, count: int) -> Iterator[Self]:
        """Sets of at most `count` possible UIDs each, ascending."""
        held: list[tuple[int, int]] = []
        room = count
        for low, high in self.ranges:
            start = low
            while start <= high:
                end = min(high, start + room - 1)
                held.append((start, end))
                room -= end - start + 1
                start = end + 1
                if not room:
                    yield type(self)(tuple(held))
                    held, room = [], count
        if held:
            yield type(self)(tuple(held))


def _check(ranges: list[tuple[int, int]]) -> None:
    if any(type(low) is not int or type(high) is not int for low, high in ranges):
        raise TypeError("a UID is an int")
    if any(low < 1 or high > MAX_UID for low, high in ranges):
        raise ValueError("a UID is 1..2**32-1")


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)
