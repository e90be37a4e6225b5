"""What S/MIME mail of 25 MB takes, the message itself included: no more than three times its size.

Measured in processes of their own (tests.checks.weigh_smime), by the kernel's own peak.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.weigh_smime import READ, SIZE, WRITTEN

TIMES = 3


@pytest.fixture(scope="module")
def weights() -> dict[str, dict]:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.checks.weigh_smime"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {line["name"]: line for line in map(json.loads, run.stdout.splitlines())}


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    "name", [*(f"read {name}" for name in READ), *(f"write {name}" for name in WRITTEN)]
)
def test_the_peak_follows_the_message(name, weights):
    weight = weights[name]
    assert weight["size"] > SIZE * 0.9
    assert weight["peak"] <= TIMES * weight["size"], weight
