"""What a process may use, as files of a machine, a container or a batch system say."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from hsigeo.limits import usable_memory, usable_processors

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
PROCESSORS = len(os.sched_getaffinity(0))


def make_system(root: Path, cgroup: str, files: dict[str, str]) -> dict[str, Path]:
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (root / "cgroup").mkdir(exist_ok=True)
    return {"proc": root / "proc", "cgroups": root / "cgroup"}


V1 = "9:name=systemd:/\n4:memory:/box/a1\n1:cpu,cpuacct:/box/a1\n0::/\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {"memory.max": "104857600"}, 100 << 20),  # a container of version 2
        (
            "0::/job/step\n",
            {"job/step/memory.max": "max", "job/memory.max": "104857600"},
            100 << 20,
        ),  # SLURM: a folder above
        ("0::/job\n", {"job/memory.max": "max", "job/memory.high": "52428800"}, 50 << 20),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        (V1, {"memory/box/a1/memory.limit_in_bytes": "104857600"}, 100 << 20),
        # Docker with version 1: the path is the host's, and the container's own limit lies at the top.
        (V1, {"memory/memory.limit_in_bytes": "104857600"}, 100 << 20),
        (V1, {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("0::/../../etc\n", {}, MACHINE),
        ("nonsense", {"memory.max": "1"}, MACHINE),
        ("0::/\n", {"memory.max": "lots"}, MACHINE),
    ],
)
def test_the_tightest_limit_on_memory_counts(tmp_path, cgroup, files, expected):
    assert usable_memory(**make_system(tmp_path, cgroup, files)) == expected


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "100000 100000"}, 1),
        ("0::/\n", {"cpu.max": "20000 100000"}, 1),  # a fifth of a processor still is one thread
        ("0::/\n", {"cpu.max": "max 100000"}, PROCESSORS),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000"}, 1),
        (V1, {"cpu,cpuacct/box/a1/cpu.cfs_quota_us": "100000", "cpu,cpuacct/box/a1/cpu.cfs_period_us": "100000"}, 1),
        (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, PROCESSORS),
        ("0::/\n", {"cpu.max": "100000 0"}, PROCESSORS),
    ],
)
def test_the_tightest_limit_on_processors_counts(tmp_path, cgroup, files, expected):
    assert usable_processors(**make_system(tmp_path, cgroup, files)) == expected


def count_threads(system: dict[str, Path], environment: dict[str, str]) -> list[int]:
    """How many threads NumPy and torch have after a multiplication, and how many torch and GDAL would use."""
    code = f"""
import os, pathlib, sys
from hsigeo.limits import limit_libraries
limit_libraries(proc=pathlib.Path({str(system["proc"])!r}), cgroups=pathlib.Path({str(system["cgroups"])!r}))
import numpy, torch
numpy.ones((500, 500)) @ numpy.ones((500, 500)), torch.ones((900, 900)) @ torch.ones((900, 900))
from hsigeo.io.gdal_threads import gdal_threads
print(len(os.listdir("/proc/self/task")), torch.get_num_threads(), gdal_threads())
"""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept | environment
    )
    return [int(word) for word in done.stdout.split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc")
@pytest.mark.skipif(PROCESSORS < 2, reason="one processor has one thread anyway")
def test_libraries_start_no_more_threads_than_the_cgroup_grants_processors(tmp_path):
    system = make_system(tmp_path, "0::/\n", {"cpu.max": "100000 100000"})
    assert count_threads(system, {}) == [1, 1, 1]
    assert count_threads(system, {"OMP_NUM_THREADS": "2"})[1:] == [2, 2]  # what was asked for has precedence


def test_a_system_without_cgroups_has_its_memory_and_processors(tmp_path):
    assert usable_memory(proc=tmp_path, cgroups=tmp_path) == MACHINE
    assert usable_processors(proc=tmp_path, cgroups=tmp_path) == PROCESSORS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ulimit -v is kept by Linux")
def test_ulimit_counts(tmp_path):
    allowed = 400 << 20
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({allowed}, {allowed})); "
        "from hsigeo.limits import usable_memory; print(usable_memory())"
    )
    found = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != allowed
    assert 300 << 20 < found <= allowed
