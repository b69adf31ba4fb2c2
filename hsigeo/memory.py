"""How much memory this process has taken, how to give back what it does not use, and how to keep that from growing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path

__all__ = ["forget_peak", "limit_arenas", "peak_memory", "release_unused", "resident_memory"]

_ARENA_MAX = -8  # malloc.h: M_ARENA_MAX

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak() -> None:
    """Begin a new measurement, where the system can (Linux; `proc(5)`, clear_refs 5)."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")


def peak_memory() -> int:
    """Largest resident size in bytes since `forget_peak`, or of the whole process where that did nothing.

    Pages of mapped files count, among them the code of libraries; the system's cache of files that are read does not.
    """
    return _read_status("VmHWM") or _largest()


def resident_memory() -> int:
    """Resident size in bytes now; the largest so far where the system does not say."""
    return _read_status("VmRSS") or _largest()


def release_unused() -> None:
    """Give back to the system what the allocator keeps of freed memory, where it is glibc's (`malloc_trim(3)`)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def limit_arenas(count: int) -> None:
    """Have threads that are started from now on share so many heaps, where the allocator is glibc's (`mallopt(3)`).

    By default each gets its own, up to eight for a processor, and each heap keeps some of what was freed in it:
    readers, writers and GDAL's threads, which come one after the other, would add up. ``MALLOC_ARENA_MAX`` has
    precedence.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, count)


def _read_status(key: str) -> int:
    """A size from the process's status in bytes; 0 where it is not there."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass
    return 0


def _largest() -> int:
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
