"""`manage.py demo`: everything embedded, with sample mail."""

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection, connections

from webmail.demo import embedded, people, running
from webmail.demo.forked import EndedAside, aside
from webmail.demo.letters import ALICE, BOB
from webmail.demo.ports import NoFreePort, first_free
from webmail.demo.services import MissingProgram
from webmail.demo.supervisor import StartFailed

BANNER = """
  Signet is running:  {url}

  Sign in as   {alice}   password  {alice_password}
          or   {bob}     password  {bob_password}
  Administer   {url}/admin/
               {admin}   password  {admin_password}

  Mail, accounts and keys are kept in {directory}.
  Stop with Ctrl-C. Start over with: make demo-reset
"""


class Command(BaseCommand):
    help = "Run Signet with embedded servers and sample mail, on this machine alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="first web port to try")
        parser.add_argument("--reset", action="store_true", help="throw the demo's data away first")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.reconfigure(line_buffering=True)
        running.stay_clean()
        try:
            if options["reset"]:
                aside(self._reset)
            self._run(options["port"])
        except (
            EndedAside,
            people.NotADemo,
            running.AlreadyRunning,
            StartFailed,
            MissingProgram,
            NoFreePort,
        ) as error:
            raise CommandError(str(error)) from error

    def _reset(self) -> None:
        running.refuse_if_running()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            if "accounts_mailserver" in connection.introspection.table_names():
                people.refuse_real_data()
        except OperationalError as error:
            raise CommandError(f"The database cannot be opened: {error}") from error
        connections.close_all()
        if connection.vendor != "sqlite":
            raise CommandError("--reset only throws away an embedded SQLite database.")
        for path in settings.DATA_DIR.iterdir():
            if path.name in {"secret-key", "keyring"}:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.stdout.write("The demo's data is gone; starting over.")

    def _run(self, web_port: int) -> None:
        imap = first_free(1143)
        submission = first_free(1587, taken=frozenset({imap}))
        post = aside(
            lambda: embedded.prepare_servers(
                settings.DATA_DIR / "demo", imap_port=imap, submission_port=submission
            )
        )

        def prepare() -> None:
            people.refuse_real_data()
            people.set_up(post.servers, maildirs=post.maildirs, say=self.stdout.write)

        running.run(
            say=self.stderr.write,
            web_port=web_port,
            host="127.0.0.1",
            before=post.services,
            prepare=prepare,
            ready=self._ready,
        )

    def _ready(self, url: str) -> None:
        self.stdout.write(
            BANNER.format(
                url=url,
                alice=ALICE.address,
                alice_password=embedded.PASSWORDS["alice"],
                bob=BOB.address,
                bob_password=embedded.PASSWORDS["bob"],
                admin=people.ADMIN,
                admin_password=people.ADMIN_PASSWORD,
                directory=settings.DATA_DIR,
            )
        )
