"""The scheduler: a thread of every worker that serves the lane `scan` posts what is due.

It only posts tasks, so it needs no process of its own (Celery's `--beat` would fork one). Several
may run: the effects of its entries are guarded by leases, and each entry expires.
"""

import logging
import threading
from typing import Any, override

from celery import Celery
from celery.bootsteps import StartStopStep

LANE = "scan"
LONGEST_SLEEP = 1  # seconds between two looks at the clock
RETRY = 5.0  # seconds after a failure

logger = logging.getLogger(__name__)


class Clock(threading.Thread):
    """Runs Celery's schedule (`beat_schedule`) until it is stopped, whatever happens to it."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="scheduler", daemon=True)
        self._app = app
        self._service: Any = None
        self._stopping = threading.Event()

    @override
    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except Exception:
                # Such as a broker that stayed away longer than Celery tries.
                logger.exception("event=scheduler-failed")
                self._stopping.wait(RETRY)

    def _serve(self) -> None:
        from celery.beat import Service

        self._service = Service(
            self._app,
            max_interval=LONGEST_SLEEP,
            scheduler_cls=self._app.conf.beat_scheduler,
        )
        if not self._stopping.is_set():
            self._service.start()

    def stop(self) -> None:
        """Post nothing more; returns at once."""
        self._stopping.set()
        if self._service is not None:
            self._service.stop()


class Scheduler(StartStopStep):
    """Celery's bootstep that starts the clock, after the pool, in workers of the lane `scan`."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = LANE in worker.app.amqp.queues.consume_from

    @override
    def create(self, worker: Any) -> Any:
        return Clock(worker.app)
