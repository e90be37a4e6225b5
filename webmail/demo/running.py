"""Runs Signet on one machine under the supervisor: shared by `demo` and `serve`."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from webmail.demo import preloading, services
from webmail.demo.forked import aside
from webmail.demo.ports import first_free
from webmail.demo.supervisor import Service, StartFailed, Supervisor
from webmail.settings import config


class AlreadyRunning(Exception):  # noqa: N818 - the name says what happened
    """Another supervisor works on this data directory."""


def _claim(lock: Path) -> int:
    import fcntl

    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunning(
            f"Signet already runs on {lock.parent.parent}. Stop it first (Ctrl-C in its window)."
        ) from error
    return descriptor


def refuse_if_running() -> None:
    """Raise AlreadyRunning if a supervisor works on this data directory."""
    settings.RUN_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(_claim(settings.RUN_DIR / "supervisor.lock"))


def stay_clean() -> None:
    """Close what Django's system checks opened: a fork must not hold its parent's database."""
    connections.close_all()


def run(
    *,
    say: Callable[[str], None],
    web_port: int,
    host: str,
    before: Sequence[Service],
    prepare: Callable[[], None],
    ready: Callable[[str], None],
) -> None:
    """Migrate, start everything, call `ready(url)`, and stay until told to stop.

    `before` are started first (embedded servers); `prepare` runs once they answer. It, the
    migrations and `ready` run aside: this process must stay clean, for its children are its forks.
    Raises AlreadyRunning, StartFailed, EndedAside, MissingProgram or NoFreePort with a sentence.
    """
    stay_clean()
    settings.RUN_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _claim(settings.RUN_DIR / "supervisor.lock")
    supervisor = Supervisor(log_directory=settings.DATA_DIR / "logs", say=say)
    redis_url_file = settings.RUN_DIR / "redis-url"
    try:
        aside(lambda: call_command("migrate", verbosity=0, interactive=False))
        first = list(before)
        if not config.text("SIGNET_REDIS_URL"):
            socket = services.valkey_socket()
            redis_url_file.write_text(f"unix://{socket}", "ascii")
            os.environ["SIGNET_REDIS_URL"] = f"unix://{socket}"
            settings.REDIS_URL = f"unix://{socket}"
            first.insert(0, services.valkey_service(socket))
        supervisor.start(first)
        aside(prepare)
        port = first_free(web_port)
        os.environ["DJANGO_SETTINGS_MODULE"] = "webmail.settings"
        family = services.signet_services(web_port=port, host=host)
        supervisor.start(preloading.preloaded(family))
        aside(lambda: ready(settings.PUBLIC_URL or f"http://127.0.0.1:{port}"))
        supervisor.run()
    except StartFailed:
        supervisor.stop()
        raise
    finally:
        supervisor.stop()
        redis_url_file.unlink(missing_ok=True)
        os.close(lock)
