"""A run of ``hsigeo classify`` as a process of its own: what it planned, and what the kernel says it took."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hsigeo.tiling import parse_size

__all__ = ["Run", "measure_command", "measure_run"]

# The kernel counts the largest resident size of a child; a small parent, as that of a large one would count as well.
_MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
sys.exit(code)
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a run.

    Parameters
    ----------
    planned, peak
        Largest resident size, bytes: as ``--dry-run`` said, and as the kernel counted.
    seconds
        Wall time, start and end included.
    """

    planned: int
    peak: int
    seconds: float

    @property
    def ratio(self) -> float:
        """Of the peak to the plan."""
        return self.peak / self.planned


def measure_run(scene: Path, output: Path, options: Sequence[str]) -> Run:
    """Plan and run; what is made is removed.

    Raises
    ------
    RuntimeError
        The command failed.
    """
    command = ["classify", str(scene), "-o", str(output), *options]
    _run([*command, "--dry-run"])  # compiles what is not compiled yet, which takes memory too
    plan = _run([*command, "--dry-run"])
    found = re.search(r"^memory +([\d.]+ \w+)", plan, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no plan of memory in: {plan}")
    peak, seconds = measure_command(command)
    for made in output.parent.glob(f"{output.stem}*"):
        made.unlink()
    return Run(planned=parse_size(found[1]), peak=peak, seconds=seconds)


def measure_command(arguments: Sequence[str]) -> tuple[int, float]:
    """Largest resident size of ``hsigeo`` with these arguments in bytes, and how many seconds it took.

    Raises
    ------
    RuntimeError
        The command failed.
    """
    began = time.monotonic()
    printed = _run(arguments, around=(sys.executable, "-c", _MEASURE))
    return int(printed.split()[-1]), time.monotonic() - began


def _run(arguments: Sequence[str], *, around: Sequence[str] = ()) -> str:
    command = [*around, str(Path(sysconfig.get_path("scripts")) / "hsigeo"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made above
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
