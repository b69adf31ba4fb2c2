"""How a running classification shows its progress, and how it hears Ctrl-C.

A first Ctrl-C lets the current tile finish; a second one stops at once.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hsigeo.cli.options import progress_bar, say

if TYPE_CHECKING:
    from hsigeo.campaign.roles import Listener

__all__ = ["listening", "stop_politely"]


@contextmanager
def listening(what: str, pixels: int) -> Iterator[Listener]:
    """A listener with one progress bar for all pixels there are to make. Pixels that need not be made shrink the whole.

    Parameters
    ----------
    what
        Stands before the bar.
    pixels
        How many there seem to be.
    """
    from tqdm import tqdm

    from hsigeo.campaign.roles import Listener

    counts = {"done": 0, "total": pixels}
    lock = threading.Lock()

    def show(done: int, gone: int) -> None:
        with lock:
            counts["done"] += done
            counts["total"] -= gone
            bar(counts["done"], counts["total"])

    def say_above(text: str) -> None:
        with tqdm.external_write_mode(file=sys.stderr):
            say(text)

    with progress_bar(what, "px") as bar, stop_politely() as is_stopping:
        yield Listener(
            say=say_above,
            advance=lambda pixels: show(pixels, 0),
            skip=lambda pixels: show(0, pixels),
            is_stopping=is_stopping,
        )


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
