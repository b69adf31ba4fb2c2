"""Threads and memory are a matter of speed: outputs have the same bytes whatever is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from envi_files import write_envi
from labelled_spectra import make_model

from hsigeo.model import write_model

OUTPUTS = ("map.tif", "sure.tif", "all.tif")


def make_command(folder: Path, *, bands: int, samples: int) -> list[str]:
    """To classify a scene of 8 lines, with all outputs."""
    rng = np.random.default_rng(0)
    header = {
        "wavelength": [f"{nm:.1f}" for nm in np.linspace(450, 2350, bands)],
        "wavelength units": "Nanometers",
        "data ignore value": -1,
        "reflectance scale factor": 10000,
        "map info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters}",
    }
    cube = np.full((bands, 8, samples), -1, dtype=np.int16)
    cube[:, :, ::8] = rng.integers(0, 9000, (bands, 8, samples // 8))
    write_envi(folder, "scene", cube, dtype="int16", interleave="bil", header_extra=header)
    write_model(make_model(bands=bands), folder / "model.safetensors")
    command = ["classify", "scene.hdr", "--model", "model.safetensors", "--overwrite", "-o", OUTPUTS[0]]
    return [*command, "--confidence", OUTPUTS[1], "--probabilities", OUTPUTS[2]]


@pytest.fixture
def read_outputs(tmp_path):
    return lambda: [Path(tmp_path, name).read_bytes() for name in OUTPUTS]


@pytest.mark.parametrize("kernel", ["plain", "cpu"])
def test_threads_change_no_byte_of_any_output(hsigeo, read_outputs, tmp_path, kernel):
    command = make_command(tmp_path, bands=32, samples=1200)  # three pieces, the unit of what threads share
    made = []
    for threads in ("1", "3"):
        done = hsigeo(*command, "--threads", threads, env={"HSIGEO_KERNEL": kernel})
        assert done.returncode == 0, done.stderr
        made.append(read_outputs())
    assert made[0] == made[1]


@pytest.fixture
def run_apart(start_hsigeo, monkeypatch):
    """Run `hsigeo` in processes of their own: in that of the tests, what is taken before the first pixel varies."""
    monkeypatch.setenv("HSIGEO_KERNEL", "cpu")  # the quicker one

    def run(*arguments: str) -> tuple[int, str]:
        process = start_hsigeo(*arguments)
        out, error = process.communicate(timeout=200)
        return process.returncode, out + error

    return run


def test_the_memory_that_is_allowed_changes_no_byte_of_any_output(run_apart, read_outputs, tmp_path):
    command = make_command(tmp_path, bands=128, samples=4000)  # two tiles, of 4 MB as stored

    code, said = run_apart(*command, "--dry-run", "--max-memory", "1M")
    assert code == 2, said
    least = int(re.search(r"--max-memory (\d+)M", said)[1])
    plans, made = set(), []
    for limit in (f"{least + 5}M", f"{least + 400}M"):
        code, said = run_apart(*command, "--dry-run", "--max-memory", limit)
        assert code == 0, said
        plans.add(re.search(r"windows of (.*)", said)[1])
        code, said = run_apart(*command, "--max-memory", limit)
        assert code == 0, said
        made.append(read_outputs())
    assert len(plans) == 2, plans
    assert made[0] == made[1]
