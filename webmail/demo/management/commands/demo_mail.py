"""`manage.py demo_mail`: only the embedded mail servers, for a composition's `demo` profile."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.demo import people
from webmail.demo.embedded import prepare_servers
from webmail.demo.supervisor import StartFailed, Supervisor


class Command(BaseCommand):
    help = "Run the demo's IMAP and submission servers and make its people (containers)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="host name that clients use")
        parser.add_argument("--listen", default="127.0.0.1")
        parser.add_argument("--imap-port", type=int, default=1143)
        parser.add_argument("--submission-port", type=int, default=1587)

    def handle(self, *args: Any, **options: Any) -> None:
        post = prepare_servers(
            settings.DATA_DIR / "demo",
            imap_port=options["imap_port"],
            submission_port=options["submission_port"],
            name=options["name"],
            listen=options["listen"],
        )
        supervisor = Supervisor(log_directory=settings.DATA_DIR / "logs", say=self.stderr.write)
        try:
            supervisor.start(post.services)
            people.refuse_real_data()
            people.set_up(post.servers, maildirs=post.maildirs, say=self.stdout.write)
            self.stdout.write("The demo's mail servers run.")
            supervisor.run()
        except (people.NotADemo, StartFailed) as error:
            raise CommandError(str(error)) from error
        finally:
            supervisor.stop()
