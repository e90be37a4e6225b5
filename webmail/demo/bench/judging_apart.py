"""What judging mail again takes: `python -m webmail.demo.bench.judging_apart --messages 20000`.

A process of its own, because Django's settings name one database for good. Prints the seconds of
processor time as one line of JSON.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import django


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of processor time for all messages."""

    gone: float  # their root is trusted no longer
    back: float  # and again


class NothingTurnedError(Exception):
    """A verdict is not what was expected: nothing that is worth a figure was measured."""


def main() -> int:
    """Make the mailbox that the options ask for, and measure."""
    parser = argparse.ArgumentParser(description="Judge made-up signed mail again.")
    parser.add_argument("--messages", type=int, required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    django.setup()
    sys.stdout.write(f"{json.dumps(asdict(measure(options.messages)))}\n")
    return 0


def measure(messages: int) -> Times:
    """Judge `messages` signed messages, again without their root, and again with it.

    Raises NothingTurnedError.
    """
    from smime import trust
    from webmail.demo.bench import signed_mail

    account, anchor = signed_mail.fill(
        address="reader@bench.example", messages=messages, newest_at=datetime.now(UTC)
    )
    root = bytes(anchor.der)
    _sweep(account.pk, "ok")  # the first time is not measured
    trust.remove_anchor(anchor, actor=None, reason=signed_mail.WHY)
    gone = _seconds(lambda: _sweep(account.pk, "unknown"))
    trust.add_anchor(root, actor=None, reason=signed_mail.WHY)
    return Times(gone, _seconds(lambda: _sweep(account.pk, "ok")))


def _seconds(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _sweep(account_id: int, level: str) -> None:
    """Run the chain of steps that the scanner would begin, to its end."""
    from webmail.reader import sweeping
    from webmail.reader.models import Reading, Rejudging

    sweeping.start(account_id)
    fence = Rejudging.objects.get(account_id=account_id).fence
    while sweeping.step(account_id, fence):
        pass
    if Reading.objects.exclude(level=level).exists():
        raise NothingTurnedError(f"Not every verdict is {level}.")


if __name__ == "__main__":
    sys.exit(main())
