"""Fuzzing of everything that reads mail; `make fuzz` is the long run.

SIGNET_FUZZ_CASES is the number of mutated messages (default 10,000: measured 32 s on one core with
test_signed.py and the start of the tests).
A failing case is its number: `mutated(number, seeds())` gives the message again.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.invariants import check_message
from tests.fuzz.mutations import mutated, seeds
from tests.fuzz.trees import damaged

CASES = int(os.environ.get("SIGNET_FUZZ_CASES", "10000"))
IS_LONG = CASES > 10_000
SHARDS = 10


@pytest.mark.corpus
@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_mail_keeps_every_promise(shard: int) -> None:
    originals = seeds()
    if not originals:
        pytest.skip("corpora are absent (set SIGNET_CORPORA)")
    for number in range(shard, CASES, SHARDS):
        raw = mutated(number, originals)
        try:
            check_message(raw, most=200_000 if IS_LONG and number % 50 == 0 else 4_000)
        except Exception as error:
            error.add_note(f"case {number}")
            raise


@settings(
    max_examples=CASES // 2 if IS_LONG else 300,
    deadline=None,
    derandomize=not IS_LONG,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(raw=damaged())
def test_built_and_damaged_trees_keep_every_promise(raw: bytes) -> None:
    check_message(raw)
