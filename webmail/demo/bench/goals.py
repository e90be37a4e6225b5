"""The goals that the bench measures, and a run over them."""

import http.client
import imaplib
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from webmail.demo.bench import (
    first_rows,
    judging,
    list_page,
    opening,
    rendering,
    resting,
    smime_cost,
    starting,
)
from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rows import NotMeasured, Row, unmeasured
from webmail.demo.ports import NoFreePort
from webmail.demo.services import MissingProgram
from webmail.demo.supervisor import StartFailed


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of the bench. what: its row's words if it cannot be measured."""

    name: str
    what: str
    unit: str
    measure: Callable[[Grounds], list[Row]]


# In the order they are measured: the demo's start and its memory before it gets more mail.
GOALS = (
    Goal("P13", "render a mail", "ms/kB", rendering.measure),
    Goal("P1", "list page 1 of a large folder", "ms", list_page.measure),
    Goal("P18", "manage.py demo, new data directory", "s", starting.measure),
    Goal("P16", "memory (PSS) of all that make demo runs", "MB", resting.measure),
    Goal("P9", "sign-in to the first 50 rows", "ms", first_rows.measure),
    Goal("P3", "open a message", "ms", opening.measure),
    Goal("P12", "S/MIME beside openssl cms", "ms", smime_cost.measure),
    Goal("P12", "judge verdicts again", "s", judging.measure),
)
NAMES = tuple(sorted({goal.name for goal in GOALS}, key=lambda name: int(name[1:])))

# What a server that does not play along, or a machine without one, raises.
_REASONS = (
    NotMeasured,
    StartFailed,
    MissingProgram,
    NoFreePort,
    OSError,
    http.client.HTTPException,
    imaplib.IMAP4.error,
)


def run(names: Sequence[str], *, say: Callable[[str], None]) -> list[Row]:
    """Measure the named goals (all, if none is named) and return their rows by number.

    A goal that cannot be measured has a row that says why.
    """
    rows: list[Row] = []
    with Grounds(say=say) as grounds:
        for goal in GOALS:
            if names and goal.name not in names:
                continue
            say(f"{goal.name}: {goal.what} …")
            try:
                rows += goal.measure(grounds)
            except _REASONS as reason:
                why = str(reason) or type(reason).__name__
                rows.append(unmeasured(goal.name, goal.what, goal.unit, why))
    return sorted(rows, key=lambda row: int(row.id[1:]))


def machine() -> str:
    """Return what the figures were taken on."""
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f} before"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
