"""The app's own tests once more, on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live
ROOT = Path(__file__).resolve().parents[2]


def test_mailbox_on_postgresql(postgres_server):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/webmail/mailbox", "-x", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "SIGNET_TEST_DATABASE_URL": postgres_server.url("mailbox")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
