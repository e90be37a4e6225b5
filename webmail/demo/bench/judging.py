"""Beside P12: judging the verdicts of a mailbox again after an anchor changed.

Processor time of the crypto lane's steps, run one after the other by a process of their own. Fewer
messages are judged than the goal speaks of, and what one of them takes is multiplied: signers have
as many messages each, so that what is done once for a signer is counted as often.
"""

import json

from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rows import Row

JUDGED = 5_000  # messages
MEANT = 100_000
GOAL = 60.0  # seconds for as many as are meant


def measure(grounds: Grounds) -> list[Row]:
    """Judge signed mail again, all of which turns: without the root it ends at, and with it."""
    arguments = ("--messages", str(JUDGED))
    times = json.loads(grounds.apart("webmail.demo.bench.judging_apart", *arguments))
    return [
        Row(
            id="P12",
            what=f"judge {MEANT:,} verdicts again, CPU: their root {happened} "
            f"(from {JUDGED:,} that all turn)",
            unit="s",
            value=times[name] * MEANT / JUDGED,
            goal=GOAL,
        )
        for name, happened in (("gone", "is gone"), ("back", "is back"))
    ]
