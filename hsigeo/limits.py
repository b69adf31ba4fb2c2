"""What this process may use of the machine: memory and processors, as the system, cgroups and limits have it.

Containers and schedulers (Docker, Kubernetes, SLURM) set limits as cgroups. Those of version 2 lie in one tree, named
``0::/path`` in ``/proc/self/cgroup``; those of version 1 in one tree for each resource, ``N:memory:/path``. A limit on
any folder above counts too. Within a container the path may be that of the host, which is not there: then the top of
the tree is the container's own. Sources: cgroups(7); the kernel's `Documentation/admin-guide/cgroup-v2.rst`
(``memory.max``, ``cpu.max``) and `cgroup-v1/memory.rst` (``memory.limit_in_bytes``).
"""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["limit_libraries", "usable_memory", "usable_processors"]

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_THREADS = "OMP_NUM_THREADS"
"""Torch, OpenBLAS and MKL follow it, and `hsigeo.io.gdal_threads`."""


def usable_memory(*, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Bytes this process may have resident: the least of the machine's memory, its cgroups' limits and ``ulimit -v``.

    Memory that other processes use now is not subtracted: they may free it at any time.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    limits += [int(text) for text in _read_limits("memory", "memory.max", proc, cgroups) if text.isdecimal()]
    limits += [int(text) for text in _read_limits("memory", "memory.high", proc, cgroups) if text.isdecimal()]
    limits += [int(text) for text in _read_limits("memory", "memory.limit_in_bytes", proc, cgroups) if text.isdecimal()]
    limits += _address_space(proc)
    return min(limits)


def usable_processors(*, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Processors this process may keep busy, at least 1: its affinity, and the time its cgroups grant it."""
    granted = [float(_processors())]
    for text in _read_limits("cpu", "cpu.max", proc, cgroups):
        quota, _, period = text.partition(" ")
        granted += _share(quota, period or "100000")
    quotas = _read_limits("cpu", "cpu.cfs_quota_us", proc, cgroups)
    periods = _read_limits("cpu", "cpu.cfs_period_us", proc, cgroups)
    for quota, period in zip(quotas, periods, strict=False):
        granted += _share(quota, period)
    return max(1, math.ceil(min(granted)))


def limit_libraries(*, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> None:
    """Have the libraries that compute start no more threads than the process's cgroups grant processors.

    They count the machine's processors and know nothing of ``cpu.max``: on 64 of them NumPy's BLAS alone starts 63
    threads, and where two processors' time is granted, all of them wait for each other. Call it before NumPy or torch
    are imported. ``OMP_NUM_THREADS``, where it is set, has precedence.
    """
    granted = usable_processors(proc=proc, cgroups=cgroups)
    if granted < _processors():
        os.environ.setdefault(_THREADS, str(granted))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _share(quota: str, period: str) -> list[float]:
    """Processors, or nothing where there is no limit (``max``, -1)."""
    return [int(quota) / int(period)] if quota.isdecimal() and period.isdecimal() and int(period) > 0 else []


def _read_limits(controller: str, name: str, proc: Path, cgroups: Path) -> Iterator[str]:
    """What the files of this name say, from the process's own cgroup to the top."""
    for folder in _cgroup_folders(controller, proc, cgroups):
        try:
            yield (folder / name).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue


def _cgroup_folders(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = ["0::/"]
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            top = cgroups / controllers if (cgroups / controllers).is_dir() else cgroups / controller
        elif number == "0" and not controllers:
            top = cgroups / "unified" if (cgroups / "unified").is_dir() else cgroups
        else:
            continue
        inside = PurePosixPath(path.lstrip("/"))
        if ".." not in inside.parts:
            yield from (top / part for part in (inside, *inside.parents) if (top / part).is_dir())


def _address_space(proc: Path) -> list[int]:
    """What ``ulimit -v`` leaves: it counts all that is mapped, and libraries map much that they never touch."""
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return []
    try:
        mapped, resident = (
            int(word) * os.sysconf("SC_PAGE_SIZE")
            for word in (proc / "self" / "statm").read_text(encoding="ascii").split()[:2]
        )
    except (OSError, ValueError):
        return [most]
    return [max(0, most - mapped + resident)]
