"""P3: opening a message, seen before and never seen, beside the list it is opened from.

A message is opened by the page's script as a pane, and its frame asks for the document; by its
address it is a whole page, which holds the list as well and so is judged by nothing.
"""

import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from itertools import cycle

from webmail.demo.bench import people
from webmail.demo.bench.measuring import Timings, alternating
from webmail.demo.bench.private import Demo, Grounds
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.demo.bench.visitor import PAGE, Visitor, open_message, shown, whole
from webmail.reader.models import Reading

READER = people.NAMES[-1]  # whose first sign-in is no sample of P9
REPETITIONS = 30
WARM_UP = 10  # rounds
FEWEST = 10  # messages never opened, for a figure about them
QUIET = 8.0  # seconds for mirroring and reading ahead to end
LISTED_WITHIN = 30.0  # seconds after the first sign-in
_MESSAGE_ID = re.compile(r"^/message/(\d+)")


def measure(grounds: Grounds) -> list[Row]:
    """Time opening by script and by address in turn with the list."""
    demo = grounds.demo
    mail = people.letters(datetime.now(UTC))
    people.deliver(READER, mail, port=demo.imap_port, ca_file=demo.ca_file)
    with Visitor(demo.url) as reader:
        unopened = _unopened(demo, _listed(reader))
        if len(unopened) < FEWEST:
            raise NotMeasured("Every message had been read ahead.")
        first = Timings(tuple(open_message(reader, url) for url in unopened))
        panes, opened, pages = cycle(unopened), cycle(unopened), cycle(unopened)

        def listed() -> float:
            return whole(reader.get("/mail/inbox")).milliseconds

        def pane() -> float:
            return shown(reader.pane(next(panes), name="reading")).milliseconds

        def again() -> float:
            return open_message(reader, next(opened))

        def page() -> float:
            return shown(whole(reader.get(next(pages)))).milliseconds

        samplers = {"list": listed, "pane": pane, "again": again, "page": page}
        times = alternating(samplers, repetitions=REPETITIONS, warm_up=WARM_UP)
    return [
        _beside_list(times, "pane", "open a message again, its pane; floor: own list page 1", 1.0),
        _beside_list(times, "again", "the same with the document of its frame", None),
        _beside_list(times, "page", "the same by its address: a page with its list", None),
        Row(
            id="P3",
            what="open a message that was never opened nor read ahead",
            unit="ms",
            value=first.median,
            p95=first.p95,
        ),
    ]


def _beside_list(times: dict[str, Timings], name: str, what: str, goal: float | None) -> Row:
    return Row(
        id="P3",
        what=what,
        unit="ms",
        value=times[name].median,
        p95=times[name].p95,
        floor=times["list"].median,
        goal=goal,
    )


def _listed(reader: Visitor) -> list[str]:
    """Sign in for the first time and return the messages of page 1 once all is quiet."""
    reader.sign_in(people.address(READER), people.PASSWORDS[READER])
    until = time.monotonic() + LISTED_WITHIN
    while (page := reader.get("/mail/inbox")).list_rows < PAGE:
        if time.monotonic() > until:
            raise NotMeasured(f"The inbox of {READER} was not listed in {LISTED_WITHIN:.0f} s.")
        time.sleep(0.2)
    time.sleep(QUIET)
    return page.message_urls


def _unopened(demo: Demo, urls: list[str]) -> list[str]:
    """Leave out the messages that the reader has worked on already (its rows in the mirror)."""
    file = demo.directory / "signet.sqlite3"
    table = Reading._meta.db_table  # noqa: SLF001
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute(f'SELECT message_id FROM "{table}"').fetchall()  # noqa: S608
    done = {row[0] for row in rows}
    numbered = [(match, url) for url in urls if (match := _MESSAGE_ID.match(url))]
    return [url for match, url in numbered if int(match[1]) not in done]
