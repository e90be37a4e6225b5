"""Celery: lanes and delivery rules (each chosen from measured faults; ARCHITECTURE.md, Workers).

Tasks carry ids only. A task may run twice, at once with itself, or never: leases in the database
guard effects, and a scanner finds what was lost.
"""

import os
import tempfile
from pathlib import Path

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging
from kombu import Queue

from webmail.scheduler import Scheduler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

# Touched every few seconds by a live worker: what a container check looks at.
HEARTBEAT = Path(tempfile.gettempdir()) / f"signet-worker-{os.getuid()}.heartbeat"
LANES = ("interactive", "sync", "send", "crypto", "fetch", "scan")

app = Celery("signet")


def broker_url(redis_url: str) -> str:
    """Return the Celery form of a Redis URL (`unix:` is written `redis+socket:` there)."""
    if redis_url.startswith("unix://"):
        return "redis+socket://" + redis_url.removeprefix("unix://")
    return redis_url


def _configure() -> None:
    from django.conf import settings

    app.conf.update(
        broker_url=broker_url(settings.REDIS_URL),
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": not settings.REDIS_URL.startswith("unix://"),
            "health_check_interval": 25,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
        },
        task_soft_time_limit=240,
        task_time_limit=300,
        worker_soft_shutdown_timeout=10,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_max_tasks_per_child=500,
        worker_max_memory_per_child=400_000,
        worker_eta_task_limit=100,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        task_default_queue="interactive",
        task_queues=[Queue(lane) for lane in LANES],
        task_create_missing_queues=False,
        broker_connection_retry_on_startup=True,
        task_publish_retry_policy={"max_retries": 3, "interval_start": 0, "interval_max": 1},
        timezone="UTC",
        enable_utc=True,
        # Nothing to remember between runs: what is due stands in the database.
        beat_scheduler="celery.beat:Scheduler",
        beat_schedule={
            "due-outbox": {"task": "composer.hand_over_due_mail", "schedule": 5.0},
            "lost-changes": {"task": "mailbox.hand_over_due_changes", "schedule": 5.0},
            "polls": {"task": "mailbox.poll_accounts", "schedule": 60.0},
            "revocation": {"task": "smime.look_after_revocation", "schedule": 60.0},
            "held": {"task": "smime.begin_to_watch_held", "schedule": 3600.0},
            "verdicts": {"task": "reader.judge_due", "schedule": 60.0},
            "expiry": {"task": "reader.expire_caches", "schedule": 300.0},
            "sessions": {"task": "accounts.expire_sessions", "schedule": 3600.0},
        },
    )
    for entry in app.conf.beat_schedule.values():
        entry["options"] = {"queue": "scan", "expires": 30}


_configure()
app.steps["worker"].add(Scheduler)
app.autodiscover_tasks(
    ["accounts", "smime", "webmail.mailbox", "webmail.reader", "webmail.composer", "webmail.pages"]
)


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Stop Celery from replacing the root logger's handlers (webmail.settings.logs)."""


@heartbeat_sent.connect
def _touch_heartbeat(**_: object) -> None:
    HEARTBEAT.touch()
