"""The database-near tests once more, on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres

pytestmark = [pytest.mark.live, pytest.mark.timeout(1000)]
ROOT = Path(__file__).resolve().parents[2]
SUITES = {
    "accounts": ["tests/accounts"],
    "smime": [
        "tests/smime",
        "--ignore=tests/smime/cms",
        "--ignore=tests/smime/pki",
        "--ignore=tests/smime/interop",
        "-m",
        "not corpus and not slow",
    ],
    "mailbox": ["tests/webmail/mailbox"],
    "reader": ["tests/webmail/reader"],
    "composer": ["tests/webmail/composer"],
    "pages": ["tests/webmail/pages"],
}


@pytest.mark.parametrize("suite", SUITES)
def test_on_postgresql(postgres_server: Postgres, suite: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *SUITES[suite], "-x", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "SIGNET_TEST_DATABASE_URL": postgres_server.url(suite)},
    )
    assert done.returncode == 0, done.stdout[-4000:]
