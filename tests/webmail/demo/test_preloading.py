"""What the processes of one machine share: all of them can be forked, and the parent is clean."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from webmail.demo.preloading import entry_of
from webmail.demo.services import signet_services

ROOT = Path(__file__).resolve().parents[3]
PRELOAD = """
import json, os, sys, threading
import django
django.setup()
from django.db import connections
from accounts import redis, sealing
from webmail.demo import preloading, services
family = preloading.preloaded(services.signet_services(web_port=1))
print(json.dumps({
    "entries": [service.entry is not None for service in family],
    "threads": len(os.listdir("/proc/self/task")),
    "open": [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
             if int(fd) > 2 and os.path.exists(f"/proc/self/fd/{fd}")],
    "databases": [c.alias for c in connections.all(True) if c.connection is not None],
    "clients": redis._client.cache_info().currsize,
    "caches": {name: value.cache_info().currsize for name, value in vars(sealing).items()
               if hasattr(value, "cache_info")},
}))
"""


def test_every_process_can_run_inside_a_fork() -> None:
    for service in signet_services(web_port=1):
        assert callable(entry_of(service.command)), service.name


def test_a_program_that_is_not_python_cannot() -> None:
    with pytest.raises(ValueError, match="valkey-server cannot be run inside"):
        entry_of(["/usr/bin/valkey-server", "--port", "0"])


@pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux alone")
def test_the_parent_holds_no_connection_thread_or_key(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELOAD],
        cwd=ROOT,
        env={**os.environ, "SIGNET_DATA_DIR": str(tmp_path), "SIGNET_KEYRING_FILE": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["entries"] == [True] * 5
    assert found["threads"] == 1
    assert not [each for each in found["open"] if each.startswith(("socket", str(tmp_path)))]
    assert found["databases"] == []
    assert found["clients"] == 0
    assert found["caches"]
    assert not any(found["caches"].values())
    assert not (tmp_path / "keyring").exists()
