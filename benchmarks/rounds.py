"""Times of several things measured side by side, so that a machine's moods meet all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

__all__ = ["Cost", "Stopwatch", "ratio_of_medians", "run_rounds"]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something took: seconds by the clock, and of all cores together."""

    wall: float
    cpu: float


class Stopwatch:
    """Takes the time of a block of code."""

    cost: Cost

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time what happens inside."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cost = Cost(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def run_rounds(
    measures: Mapping[str, Callable[[], Cost]], repeats: int, *, done: Callable[[], object] = bool
) -> dict[str, list[Cost]]:
    """Take each measure once a round, every other round backwards.

    Parameters
    ----------
    measures
        Each prepares what it needs, and times only what it is about.
    done
        Called after each.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in measures}
    for number in range(repeats):
        names = list(measures)
        for name in names if number % 2 == 0 else reversed(names):
            costs[name].append(measures[name]())
            done()
    return costs


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of the medians, and the least and largest ratio within a round."""
    within = [a / b for a, b in zip(above, below, strict=True)]
    return median(above) / median(below), min(within), max(within)
