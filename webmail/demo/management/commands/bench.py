"""`manage.py bench [NAME…]`: figures, their floors of the same run, and goals."""

import contextlib
import json
import signal
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.demo.bench import goals
from webmail.demo.bench.rows import table


class Command(BaseCommand):
    help = "Measure Signet against private servers; prints figures, ratios to floors and goals."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help=f"what to measure: {', '.join(goals.NAMES)}; everything if none is named",
        )
        parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        names = [name.upper() for name in options["names"]]
        for name in names:
            if name not in goals.NAMES:
                known = ", ".join(goals.NAMES)
                raise CommandError(f"There is no {name}. Known: {known}.", returncode=2)
        machine = goals.machine()
        # A stop cleans up as an end does.
        signal.signal(signal.SIGTERM, _end)
        with contextlib.chdir(settings.BASE_DIR):
            rows = goals.run(names, say=self._say)
        if options["json"]:
            document = {"rows": [row.document() for row in rows], "machine": machine}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(f"{table(rows)}\n\n{machine}")
        if any(row.value is None for row in rows):
            sys.exit(1)

    def _say(self, words: str) -> None:
        self.stderr.write(words)


def _end(number: int, frame: object) -> NoReturn:  # noqa: ARG001
    sys.exit(128 + number)
