"""`manage.py serve`: Signet on this machine with your own mail servers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import MailServer
from webmail.demo import running
from webmail.demo.forked import EndedAside
from webmail.demo.ports import NoFreePort
from webmail.demo.services import MissingProgram
from webmail.demo.supervisor import StartFailed


class Command(BaseCommand):
    help = "Run web, workers, watcher and scheduler on this machine, with an embedded Valkey."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            running.run(
                say=self.stderr.write,
                web_port=options["port"],
                host=options["host"],
                before=[],
                prepare=lambda: None,
                ready=self._ready,
            )
        except (
            EndedAside,
            running.AlreadyRunning,
            StartFailed,
            MissingProgram,
            NoFreePort,
        ) as error:
            raise CommandError(str(error)) from error

    def _ready(self, url: str) -> None:
        self.stdout.write(f"\nSignet runs at {url}\n")
        if not MailServer.objects.exists():
            self.stdout.write(
                "No mail server is set up yet. In another window:\n"
                "  .venv/bin/python manage.py createsuperuser\n"
                "  .venv/bin/python manage.py mailserver add example.org "
                "--imap imap.example.org:993 --imap-security tls "
                "--submission smtp.example.org:587 --submission-security starttls\n"
            )
        self.stdout.write("Stop with Ctrl-C.\n")
