"""Models that do not depend on each other, trained at the same time: the folds of a validation.

Threads and not processes: torch lets go of the interpreter while it computes, and starting a process costs more than
training a model. Each thread computes with one, so no bit of a result depends on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["run_all"]

T = TypeVar("T")


def run_all(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What the jobs give, in order, as soon as each is there; on as many cores as torch may use here."""
    threads = torch.get_num_threads()
    # For the whole time and not in the pool alone: the linear algebra underneath has one setting for all threads.
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, "hsigeo-train", initializer=torch.set_num_threads, initargs=(1,)) as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                for future in futures:
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()
    finally:
        torch.set_num_threads(threads)
