"""P9: from the sign-in form to the first fifty rows of an account that Signet has never seen."""

import time
from datetime import UTC, datetime

from webmail.demo.bench import people
from webmail.demo.bench.measuring import Timings
from webmail.demo.bench.private import Demo, Grounds
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.demo.bench.visitor import PAGE, Visitor

NEWCOMERS = people.NAMES[:-1]  # each signs in once, as nobody is new twice
PAUSE = 0.02  # seconds before the page is asked for again: as soon as an event would bring it
WITHIN = 30.0  # seconds
QUIET = 2.0  # seconds for the rest of the account to be mirrored before the next one


def measure(grounds: Grounds) -> list[Row]:
    """Time sign-ins in turn with what the mail server alone takes: connect, STARTTLS, login."""
    demo = grounds.demo
    mail = people.letters(datetime.now(UTC))
    for name in NEWCOMERS:
        people.deliver(name, mail, port=demo.imap_port, ca_file=demo.ca_file)
    arrivals, logins = [], []
    for name in NEWCOMERS:
        logins.append(_login(demo, name))
        arrivals.append(_arrival(demo, name))
        time.sleep(QUIET)
    times = Timings(tuple(arrivals))
    return [
        Row(
            id="P9",
            what="sign-in to the first 50 rows, account never seen; floor: IMAP connect and login",
            unit="ms",
            value=times.median,
            p95=times.p95,
            floor=Timings(tuple(logins)).median,
        )
    ]


def _login(demo: Demo, name: str) -> float:
    begun = time.perf_counter()
    with people.connected(name, port=demo.imap_port, ca_file=demo.ca_file):
        return (time.perf_counter() - begun) * 1000


def _arrival(demo: Demo, name: str) -> float:
    """Return milliseconds from sending the form to the end of the page that lists fifty rows."""
    with Visitor(demo.url) as newcomer:
        form = newcomer.get("/sign-in")
        begun = time.perf_counter()
        newcomer.send_sign_in(form, people.address(name), people.PASSWORDS[name])
        while newcomer.get("/").list_rows < PAGE:
            if time.perf_counter() - begun > WITHIN:
                raise NotMeasured(f"The inbox of {name} was not listed within {WITHIN:.0f} s.")
            time.sleep(PAUSE)
        return (time.perf_counter() - begun) * 1000
