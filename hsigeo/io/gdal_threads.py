"""How many threads GDAL compresses and decompresses with."""

from __future__ import annotations

import os

from hsigeo.limits import usable_processors

__all__ = ["gdal_threads"]

_MOST = 8
"""More than these, and the one thread that hands blocks on is what everybody waits for."""


def gdal_threads() -> int:
    """Threads for the blocks of a file; GDAL keeps one pool of them in a process, whoever asks.

    ``GDAL_NUM_THREADS`` decides, else ``OMP_NUM_THREADS``, which dask's workers and batch systems set where several
    processes share a machine; else there is one for each processor that the process may keep busy.
    """
    for name in ("GDAL_NUM_THREADS", "OMP_NUM_THREADS"):
        if (text := os.environ.get(name, "")).isdecimal() and int(text) > 0:
            return min(int(text), _MOST)
    return min(usable_processors(), _MOST)
