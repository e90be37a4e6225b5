"""What Signet's commands share: `--json`, exit codes, one sentence for each failure.

With `--json` standard output holds one JSON document and nothing else. Exit status 0 done, 1 it
could not be done, 2 wrong usage.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, override

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

USAGE = 2
SECRET_LIMIT = 4096  # bytes of a file with a password


class ReportingCommand(BaseCommand):
    """A command that answers with lines for people or with one JSON document."""

    requires_system_checks = ()

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")

    @override
    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used ({type(error).__name__}). Is it running, and was "
                "`manage.py migrate` run?"
            ) from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error

    def answer(self, document: Any, lines: Iterable[str], options: dict[str, Any]) -> None:
        """Print `document` with --json, else the lines."""
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, default=str))
            return
        for line in lines:
            self.stdout.write(line)


def read_secret(name: str) -> str:
    """Return the first line of a file that holds a password; raises CommandError."""
    try:
        text = Path(name).read_bytes()[:SECRET_LIMIT].decode()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not in UTF-8.") from error
    secret = text.split("\n", 1)[0].removesuffix("\r")
    if not secret:
        raise CommandError(f"{name} is empty.")
    return secret
