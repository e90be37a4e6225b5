"""P18: how soon the demo is ready on a machine where everything is installed."""

import time

from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.demo.bench.visitor import Visitor

GOAL = 20.0  # seconds


def measure(grounds: Grounds) -> list[Row]:
    """Return the time from the start to the banner and the first page, on a new data directory."""
    demo = grounds.demo
    begun = time.monotonic()
    with Visitor(demo.url) as anyone:
        status = anyone.get("/sign-in").status
    if status != 200:
        raise NotMeasured(f"The sign-in page was answered with {status}.")
    return [
        Row(
            id="P18",
            what="manage.py demo, new data directory: to its banner and the first page",
            unit="s",
            value=demo.seconds_to_banner + time.monotonic() - begun,
            goal=GOAL,
        )
    ]
