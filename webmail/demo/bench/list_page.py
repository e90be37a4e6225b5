"""P1: the first page of a large folder, beside the hello floor."""

from webmail.demo.bench.measuring import alternating
from webmail.demo.bench.private import MESSAGES, Grounds
from webmail.demo.bench.rows import Row
from webmail.demo.bench.visitor import Visitor, whole

REPETITIONS = 30
WARM_UP = 10  # rounds: every thread of the server has its connection and templates by then
GOAL = 1.8  # times the floor


def measure(grounds: Grounds) -> list[Row]:
    """Time the whole signed-in page over one keep-alive connection, in turn with the floor."""
    large = grounds.large
    with Visitor(large.url) as reader, Visitor(large.floor_url) as floor:
        reader.sign_in(large.address, large.password)

        def page() -> float:
            return whole(reader.get("/mail/inbox")).milliseconds

        def hello() -> float:
            return whole(floor.get("/")).milliseconds

        times = alternating(
            {"page": page, "hello": hello}, repetitions=REPETITIONS, warm_up=WARM_UP
        )
    return [
        Row(
            id="P1",
            what=f"list page 1 of {MESSAGES:,} messages, whole page; floor: 50 rows by bare Django",
            unit="ms",
            value=times["page"].median,
            p95=times["page"].p95,
            floor=times["hello"].median,
            goal=GOAL,
        )
    ]
