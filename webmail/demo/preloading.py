"""Imports once what all processes of one machine need, so that they share its memory.

Measured with the demo at rest: Django, the apps and Celery occupy 85 MB in each process that
imports them; a fork of one that has done so writes to a quarter or a third of that.
"""

import functools
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from django.db import connections

from webmail.demo import forked
from webmail.demo.supervisor import Service

# What one of the processes imports sooner or later. None of it opens a socket or starts a thread.
MODULES = (
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "billiard.synchronize",
    "celery.__main__",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.worker",
    "celery.beat",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "cffi.cparser",
    "django.db.models.sql.compiler",
    "django.template.loaders.cached",
    "granian.cli",
    "granian.server",
    "kombu.pidbox",
    "kombu.transport.redis",
    "webmail.asgi",
    "webmail.mailbox.management.commands.watch",
    "webmail.urls",
)
# Programs that are a Python function, by their file's name.
_PROGRAMS = {"celery": ("celery.__main__", "main"), "granian": ("granian.cli", "entrypoint")}


def preloaded(services: Sequence[Service]) -> list[Service]:
    """Import everything and return `services` with entries that do what their commands do.

    Where forking is not possible they are returned as they are, and nothing is imported.
    """
    if not forked.IS_POSSIBLE:
        return list(services)
    from webmail.celery import app

    for name in MODULES:
        importlib.import_module(name)
    # What each worker does first, done once: the tasks' modules and Django's system checks.
    app.loader.init_worker()
    app.finalize()
    # One of the checks looks at the database.
    connections.close_all()
    forked.settle()
    return [replace(service, entry=entry_of(service.command)) for service in services]


def entry_of(command: Sequence[str]) -> Callable[[], object]:
    """Return what runs `command`, a Python program, inside a process that is there already.

    ValueError if it is not known how.
    """
    program, arguments = Path(command[0]).name, list(command)
    if program in _PROGRAMS:
        module, function = _PROGRAMS[program]
    elif os.fspath(command[0]) == sys.executable and command[1] == "manage.py":
        module, function = "django.core.management", "execute_from_command_line"
        arguments = arguments[1:]
    else:
        raise ValueError(f"{program} cannot be run inside this process.")
    return functools.partial(_run, module, function, arguments)


def _run(module: str, function: str, arguments: list[str]) -> None:
    sys.argv = arguments
    getattr(importlib.import_module(module), function)()
