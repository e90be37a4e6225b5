"""Rows of the bench: what was measured, beside its floor and its goal."""

from dataclasses import dataclass
from typing import Any

_DIGITS = 3  # of ratios, after the point


class NotMeasured(Exception):  # noqa: N818 - the name says what happened
    """A figure cannot be had here; the text is the sentence that stands in its row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `value`, `p95`, `floor` and `peer` are in `unit`; None: not measured.

    floor: the least that the same work could take, from the same run. peer: another product's
    figure of the same run. goal: the most that `ratio` may be, or `value` where there is no
    floor; None: a figure without a goal of its own. why: the reason when there is no value.
    """

    id: str
    what: str
    unit: str
    value: float | None
    p95: float | None = None
    floor: float | None = None
    peer: float | None = None
    goal: float | None = None
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor the value is; None without a floor above zero."""
        if self.value is None or not self.floor:
            return None
        return self.value / self.floor

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none or nothing was measured."""
        if self.goal is None or self.value is None:
            return None
        judged = self.value if self.floor is None else self.ratio
        return None if judged is None else judged <= self.goal

    def document(self) -> dict[str, Any]:
        """Return the row as `--json` prints it; `why` only where there is no value."""
        fields: dict[str, Any] = {
            "id": self.id,
            "what": self.what,
            "unit": self.unit,
            "value": _rounded(self.value),
            "p95": _rounded(self.p95),
            "floor": _rounded(self.floor),
            "peer": _rounded(self.peer),
            "ratio": _rounded(self.ratio),
            "goal": self.goal,
            "met": self.met,
        }
        return fields | {"why": self.why} if self.why else fields


def unmeasured(name: str, what: str, unit: str, why: str) -> Row:
    """Return the row of a figure that could not be had, with the reason in one sentence."""
    return Row(id=name, what=what, unit=unit, value=None, why=why)


def table(rows: list[Row]) -> str:
    """Return rows as text, one line each, columns aligned."""
    head = ("", "", "value", "p95", "floor", "ratio", "goal", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = []
    for line in lines:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    reasons = [f"{row.id} was not measured: {row.why}" for row in rows if row.why]
    return "\n".join([*text, *reasons])


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[row.met]
    return (
        row.id,
        row.what,
        f"{_shown(row.value)} {row.unit}" if row.value is not None else "-",
        _shown(row.p95),
        _shown(row.floor),
        f"{row.ratio:.2f}" if row.ratio is not None else "",
        f"≤ {row.goal:g}" if row.goal is not None else "",
        verdict,
    )


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
