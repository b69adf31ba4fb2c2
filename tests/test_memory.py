"""Peak memory follows what is allowed, not the size of the scene."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from envi_files import DATA_TYPES, header_text
from labelled_spectra import make_model

from hsigeo.model import write_model

BANDS, SAMPLES = 64, 1000
ROW_BYTES = BANDS * SAMPLES * 2
ALLOWED = 160 << 20
# Whatever the tiles: GDAL's cache, the writer's rows, and what the allocator keeps of the memory of earlier tiles.
BESIDE_TILES = 64 << 20

# The peak of a child process is the kernel's count, so nothing between two samples is missed.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
sys.exit(code)
"""


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


def peak_of_classifying(scene: Path, model: Path) -> int:
    """Bytes of resident memory that ``hsigeo classify`` takes at most."""
    command = [str(Path(sysconfig.get_path("scripts")) / "hsigeo"), "classify", str(scene), "--model", str(model)]
    options = ["-o", str(scene.with_suffix(".tif")), "--max-memory", str(ALLOWED)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command, *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is counted in kB on Linux only")
def test_a_scene_several_times_larger_than_the_memory_allowed_stays_within_it(tmp_path):
    model = tmp_path / "model.safetensors"
    write_model(make_model(bands=BANDS), model)
    tiny = write_sparse_scene(tmp_path, "tiny", 4, valid_every=1)
    large = write_sparse_scene(tmp_path, "large", 4 * ALLOWED // ROW_BYTES, valid_every=100)
    assert large.with_suffix(".img").stat().st_size > 3.9 * ALLOWED

    grown = peak_of_classifying(large, model) - peak_of_classifying(tiny, model)

    assert grown < ALLOWED + BESIDE_TILES, f"{grown >> 20} MiB more than for a tiny scene"
