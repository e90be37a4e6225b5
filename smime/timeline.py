"""Where the lives of keys lie on a line of years: percentages of its width, for drawing.

Pure. The line begins with the year of the first key's first day and ends with that of the last
one's last day; at least it holds the present year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_YEARS = 8  # labels; with more years each second, third, … one has a label
_TURNS = 0.55  # a bar that begins later has its words at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """The first day of a year; `label` is "" where labels would stand too close."""

    at: str  # "12.5%"
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The life of a key."""

    start: str
    width: str
    words_at: str
    anchor: str  # "start" or "end" (SVG text-anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All of it; `bars` in the order of the keys."""

    years: tuple[Year, ...]
    today: str
    today_anchor: str
    bars: tuple[Bar, ...]


def plan_timeline(lives: Sequence[tuple[datetime, datetime]], *, now: datetime) -> Timeline:
    """Return the line for (first, last moment) of each key."""
    begin = min([now, *(first for first, _last in lives)])
    end = max([now, *(last for _first, last in lives)])
    first_year, last_year = begin.year, min(end.year, 9998)
    left = begin.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    right = left.replace(year=last_year + 1)
    whole: timedelta = right - left

    def share(moment: datetime) -> float:
        return max(0.0, min(1.0, (moment - left) / whole))

    step = -(-(last_year - first_year + 1) // MOST_YEARS)
    years = tuple(
        Year(
            at=_percent(share(left.replace(year=year))),
            label=str(year) if (year - first_year) % step == 0 else "",
        )
        for year in range(first_year, last_year + 1)
    )
    today = share(now)
    return Timeline(
        years=years,
        today=_percent(today),
        today_anchor="end" if today > _TURNS else "start",
        bars=tuple(_bar(share(first), share(last)) for first, last in lives),
    )


def _bar(start: float, end: float) -> Bar:
    turns = start > _TURNS
    return Bar(
        start=_percent(start),
        width=_percent(max(end - start, 0.004)),
        words_at=_percent(end if turns else start),
        anchor="end" if turns else "start",
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"
