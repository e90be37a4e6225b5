"""Fills the database of a private data directory: `python -m webmail.demo.bench.filling`.

A process of its own, because Django's settings name one database for good.
"""

import argparse
import os
import sys
from datetime import UTC, datetime

import django


def main() -> int:
    """Make the mirror that the options ask for; the password is read from standard input."""
    parser = argparse.ArgumentParser(description="Fill a private mirror with made-up mail.")
    parser.add_argument("--address", required=True)
    parser.add_argument("--messages", type=int, required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    django.setup()
    from webmail.demo.bench import synthetic

    synthetic.fill(
        address=options.address,
        password=sys.stdin.readline().rstrip("\n"),
        messages=options.messages,
        newest_at=datetime.now(UTC),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
