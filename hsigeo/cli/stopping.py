"""Ctrl-C, twice: the first finishes the tile in hand, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hsigeo.cli.options import say

__all__ = ["stop_politely"]


@contextmanager
def stop_politely() -> Iterator[Callable[[], bool]]:
    """Within the block, a first Ctrl-C (or SIGTERM) only makes the yielded function say `True`; the next ends it all.

    Yields
    ------
    Callable
        Whether to stop soon.
    """
    asked = threading.Event()

    def handle(_signum: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say("hsigeo: stopping after the tile in hand; Ctrl-C again stops at once")

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
