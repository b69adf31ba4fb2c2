"""How a running classification is shown, and how it hears Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hsigeo.cli.options import progress_bar, say
from hsigeo.cli.stopping import stop_politely

if TYPE_CHECKING:
    from hsigeo.campaign.roles import Listener

__all__ = ["listening"]


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
