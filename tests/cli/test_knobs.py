"""Threads and memory are a matter of speed: outputs have the same bytes whatever is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from envi_files import write_envi
from labelled_spectra import make_model

from hsigeo.model import write_model

BANDS, LINES, SAMPLES = 128, 8, 4000  # two tiles, of 4 MB as stored
OUTPUTS = ("map.tif", "sure.tif", "all.tif")


@pytest.fixture
def classify(tmp_path, hsigeo):
    """Classify a scene of many tiles and return the bytes of all outputs, or the plan."""
    rng = np.random.default_rng(0)
    header = {
        "wavelength": [f"{nm:.1f}" for nm in np.linspace(450, 2350, BANDS)],
        "wavelength units": "Nanometers",
        "data ignore value": -1,
        "reflectance scale factor": 10000,
        "map info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters}",
    }
    cube = np.full((BANDS, LINES, SAMPLES), -1, dtype=np.int16)
    cube[:, :, ::8] = rng.integers(0, 9000, (BANDS, LINES, SAMPLES // 8))
    write_envi(tmp_path, "scene", cube, dtype="int16", interleave="bil", header_extra=header)
    write_model(make_model(bands=BANDS), tmp_path / "model.safetensors")
    command = ["classify", "scene.hdr", "--model", "model.safetensors", "--overwrite", "-o", OUTPUTS[0]]
    command += ["--confidence", OUTPUTS[1], "--probabilities", OUTPUTS[2]]

    def run(*options: str, **env: str) -> list[bytes] | str:
        done = hsigeo(*command, *options, env=env)
        if "--dry-run" in options:
            return done.stdout + done.stderr
        assert done.returncode == 0, done.stderr
        return [Path(tmp_path, name).read_bytes() for name in OUTPUTS]

    return run


@pytest.mark.parametrize("kernel", ["plain", "cpu"])
def test_threads_change_no_byte_of_any_output(classify, kernel):
    made = [classify("--threads", threads, HSIGEO_KERNEL=kernel) for threads in ("1", "2", "4")]
    assert made[0] == made[1] == made[2]


def test_the_memory_that_is_allowed_changes_no_byte_of_any_output(classify):
    refused = classify("--dry-run", "--max-memory", "1M")
    least = int(re.search(r"--max-memory (\d+)M", refused)[1])
    plans, made = set(), []
    for limit in (f"{least + 5}M", f"{least + 400}M"):
        plans.add(re.search(r"windows of (.*)", classify("--dry-run", "--max-memory", limit))[1])
        made.append(classify("--max-memory", limit))
    assert len(plans) == 2, plans
    assert made[0] == made[1]
