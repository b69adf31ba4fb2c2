"""What the process has taken, and that a run takes what was planned, whatever the size of the scene."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from envi_files import DATA_TYPES, header_text
from labelled_spectra import make_model

from hsigeo.memory import forget_peak, peak_memory, release_unused, resident_memory
from hsigeo.model import write_model

BANDS, SAMPLES = 64, 1000
ROW_BYTES = BANDS * SAMPLES * 2
MIB = 1 << 20

# The peak of a child process is the kernel's count, so nothing between two samples is missed.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
sys.exit(code)
"""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is counted in kB on Linux only")


@linux
def test_memory_is_seen_to_come_and_go():
    forget_peak()
    before = resident_memory()
    taken = np.ones(64 * MIB, dtype=np.uint8)
    held = resident_memory()
    del taken
    release_unused()

    assert 60 * MIB < held - before < 70 * MIB
    assert resident_memory() < held - 60 * MIB
    assert peak_memory() > held - MIB  # the kernel counts in batches of pages


def write_sparse_scene(folder: Path, name: str, lines: int, *, valid_every: int) -> Path:
    """A scene that is nodata, and takes no disk, but for single rows."""
    row = np.random.default_rng(0).integers(1000, 5000, (BANDS, SAMPLES)).astype("<i2").tobytes()
    with (folder / f"{name}.img").open("wb") as file:
        file.truncate(lines * ROW_BYTES)
        for line in range(0, lines, valid_every):
            file.seek(line * ROW_BYTES)
            file.write(row)
    fields = {
        "samples": SAMPLES,
        "lines": lines,
        "bands": BANDS,
        "data type": DATA_TYPES["int16"],
        "interleave": "bil",
        "byte order": 0,
        "data ignore value": 0,
        "reflectance scale factor": 10_000,
        "wavelength": np.linspace(450.0, 2350.0, BANDS),
        "wavelength units": "Nanometers",
    }
    path = folder / f"{name}.hdr"
    path.write_text(header_text(fields), encoding="utf-8")
    return path


def peak_of_classifying(scene: Path, model: Path, *options: str) -> int:
    """Bytes of resident memory that ``hsigeo classify`` takes at most."""
    command = [str(Path(sysconfig.get_path("scripts")) / "hsigeo"), "classify", str(scene), "--model", str(model)]
    command += ["-o", str(scene.with_suffix(".tif")), "--threads", "2", *options]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@linux
def test_a_scene_fifty_times_as_large_takes_no_more_memory(tmp_path):
    model = tmp_path / "model.safetensors"
    write_model(make_model(bands=BANDS), model)
    small = write_sparse_scene(tmp_path, "small", 100, valid_every=10)
    large = write_sparse_scene(tmp_path, "large", 5000, valid_every=100)
    assert large.with_suffix(".img").stat().st_size == 5000 * ROW_BYTES  # 610 MiB, more than the process takes

    peak_of_classifying(small, model, "--dry-run")  # compiles what is not compiled yet, which takes memory too
    ratio = peak_of_classifying(large, model) / peak_of_classifying(small, model)

    assert 0.9 < ratio < 1.1
