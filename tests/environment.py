"""Loaded by pytest before Django's settings: tests have a data directory of their own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Short, because Unix socket paths may hold about 100 characters.
directory = Path(tempfile.mkdtemp(prefix="signet-"))
atexit.register(shutil.rmtree, directory, ignore_errors=True)

for name in [name for name in os.environ if name.startswith("SIGNET_")]:
    if name not in {
        "SIGNET_NO_SKIP",
        "SIGNET_CORPORA",
        "SIGNET_FUZZ_CASES",
        "SIGNET_TEST_DATABASE_URL",
    }:
        del os.environ[name]
os.environ["SIGNET_DATA_DIR"] = str(directory)
os.environ["SIGNET_CONFIG"] = str(directory / "none.env")
(directory / "none.env").touch()
os.environ["SIGNET_REDIS_URL"] = f"unix://{directory / 'valkey.sock'}"
os.environ["SIGNET_LOG_LEVEL"] = "WARNING"
if url := os.environ.get("SIGNET_TEST_DATABASE_URL"):
    os.environ["SIGNET_DATABASE_URL"] = url
