"""P16: the memory of everything that `make demo` runs, after use, at rest."""

import os
import time

from webmail.demo.bench import memory
from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.demo.bench.visitor import Visitor, open_message
from webmail.demo.embedded import PASSWORDS
from webmail.demo.letters import ALICE

GOAL = 450.0  # MB
LISTED_WITHIN = 30.0  # seconds
OPENED = 5  # messages somebody reads before the rest
REST = 20.0  # seconds without a request


def measure(grounds: Grounds) -> list[Row]:
    """Sign in, list, read a little, wait, and add up the processes' proportional set sizes."""
    demo = grounds.demo
    with Visitor(demo.url) as alice:
        alice.sign_in(ALICE.address, PASSWORDS["alice"])
        until = time.monotonic() + LISTED_WITHIN
        while not (urls := alice.get("/mail/inbox").message_urls):
            if time.monotonic() > until:
                raise NotMeasured(f"No mail was listed within {LISTED_WITHIN:.0f} s.")
            time.sleep(0.2)
        for url in urls[:OPENED]:
            open_message(alice, url)
    time.sleep(REST)
    sizes = memory.resting(memory.child(os.getpid(), "supervisor"))
    total = Row(
        id="P16",
        what="memory (PSS) of all that make demo runs, at rest after use",
        unit="MB",
        value=sum(sizes.values()),
        goal=GOAL,
    )
    parts = sorted(sizes.items(), key=lambda part: -part[1])
    return [
        total,
        *(Row(id="P16", what=f"  of it {name}", unit="MB", value=size) for name, size in parts),
    ]
