"""`manage.py watch`: notice new mail of the accounts in use, until SIGTERM."""

import logging
import os
import signal
import threading
from typing import Any, override

from django.core.management.base import BaseCommand

from webmail.mailbox.watch import Watcher

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Wait for new mail of the accounts in use (IDLE). Ends on SIGTERM or SIGINT."
    # They touch most of Django; what migrates or serves here has run them.
    requires_system_checks = ()

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        logger.info("event=watching pid=%d", os.getpid())
        self.stdout.write("Watching.")
        self.stdout.flush()
        Watcher().run(stopping.is_set)
