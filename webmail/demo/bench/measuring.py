"""Times in milliseconds: samples, their median and 95th percentile, products in turn."""

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Samples of one thing, milliseconds, in the order they were taken; at least one."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The sample that 95 of 100 do not exceed (nearest rank)."""
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]


def alternating(
    samplers: Mapping[str, Callable[[], float]], *, repetitions: int, warm_up: int
) -> dict[str, Timings]:
    """Call each sampler in turn, round by round, so that a noisy moment meets all of them.

    A sampler does its work once and returns how long it took; the first `warm_up` rounds are
    not counted.
    """
    samples: dict[str, list[float]] = {name: [] for name in samplers}
    for number in range(-warm_up, repetitions):
        for name, sample in samplers.items():
            took = sample()
            if number >= 0:
                samples[name].append(took)
    return {name: Timings(tuple(taken)) for name, taken in samples.items()}
