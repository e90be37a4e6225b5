"""`manage.py watch`: notice new mail of the accounts in use, until SIGTERM."""

import signal
import threading
from typing import Any, override

from django.core.management.base import BaseCommand

from webmail.mailbox.watch import Watcher


class Command(BaseCommand):
    help = "Wait for new mail of the accounts in use (IDLE). Ends on SIGTERM or SIGINT."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        Watcher().run(stopping.is_set)
