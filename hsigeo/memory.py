"""How much memory this process has taken."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

__all__ = ["forget_peak", "peak_memory"]

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak() -> None:
    """Begin a new measurement, where the system can (Linux; `proc(5)`, clear_refs 5)."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")


def peak_memory() -> int:
    """Largest resident size in bytes since `forget_peak`, or of the whole process where that did nothing."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        pass
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
