"""A GPU that runs out of memory slows a run down, says so, and changes nothing about the map."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from envi_files import write_envi
from labelled_spectra import make_model

from hsigeo import classification
from hsigeo.campaign.local import LocalEngine
from hsigeo.campaign.pace import LEAST_BATCH, Pace, fitting_batch
from hsigeo.campaign.work import LineWork
from hsigeo.classification import match_scene
from hsigeo.io import open_cube, open_scene
from hsigeo.tiling import TilePlan, WindowPlan

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")


class FakeGpu:
    """A device on which so many pixels fit at once; what it computes, the processor does."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.batches: list[int] = []

    def compute(self, device: torch.device, batch: int) -> str:
        if device.type == "cuda" and batch > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        self.batches.append(batch)
        return device.type


def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_stays_so():
    gpu, pace = FakeGpu(1500), Pace(GPU, 8192)
    assert [pace.run(gpu.compute), pace.run(gpu.compute)] == ["cuda", "cuda"]
    assert gpu.batches == [1024, 1024]
    assert pace.take_notes() == [
        "cuda:0 is out of memory: batches of 4096 pixels instead of 8192",
        "cuda:0 is out of memory: batches of 2048 pixels instead of 4096",
        "cuda:0 is out of memory: batches of 1024 pixels instead of 2048",
    ]
    assert pace.take_notes() == []


def test_where_even_the_least_batch_does_not_fit_the_processor_goes_on():
    pace = Pace(GPU, 2 * LEAST_BATCH)
    assert pace.run(FakeGpu(0).compute) == "cpu"
    assert pace.device == CPU
    assert pace.take_notes()[-1] == (
        f"cuda:0 is out of memory even for {LEAST_BATCH} pixels; the rest is computed on the CPU"
    )


def test_a_processor_without_memory_is_an_error():
    def fail(_device, _batch):
        raise torch.cuda.OutOfMemoryError("not this time")

    with pytest.raises(torch.cuda.OutOfMemoryError):
        Pace(CPU).run(fail)


@pytest.mark.parametrize(
    ("free", "expected"),
    [(1 << 34, 8192), (100 << 20, 4096), (30 << 20, 1024), (1 << 20, LEAST_BATCH), (0, LEAST_BATCH)],
)
def test_batches_are_planned_from_what_is_free(free, expected):
    assert fitting_batch(8192, free=free, pixel_bytes=10_000) == expected


def make_work(folder):
    cube = np.random.default_rng(0).integers(500, 6000, (12, 40, 30)).astype("int16")
    wavelengths = {"wavelength": np.linspace(450, 2350, 12).tolist(), "wavelength units": "Nanometers"}
    path = write_envi(folder, "line", cube, header_extra=wavelengths)
    model = make_model()
    return LineWork(
        cube=open_cube(path),
        model=model,
        match=match_scene(open_scene(path), model),
        pace=Pace(CPU),
        layers=("class_id", "probability"),
        plan=TilePlan(lines=40, samples=30, rows=8, columns=30),
        window=WindowPlan(rows=8, columns=30),
    )


def test_a_map_made_in_falling_batches_and_in_the_end_by_the_processor_is_the_same(tmp_path, monkeypatch):
    work = make_work(tmp_path)
    expected = dict(LocalEngine().compute(work, range(5)))
    original, tried = classification.answers_of_spectra, []

    def answer(block, *, device, batch, **others):
        tried.append((device.type, batch))
        if device.type == "cuda" and (batch > 512 or len(tried) > 4):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return original(block, device=CPU, batch=batch, **others)

    monkeypatch.setattr("hsigeo.campaign.work.answers_of_spectra", answer)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_: self)  # there may be no GPU to send it to
    falling = dataclasses.replace(work, pace=Pace(GPU, 2048))
    made = dict(LocalEngine().compute(falling, range(5)))

    assert tried[:4] == [("cuda", 2048), ("cuda", 1024), ("cuda", 512), ("cuda", 512)]
    assert {device for device, _ in tried[-2:]} == {"cpu"}
    assert len(falling.pace.take_notes()) == 4
    for tile, layers in expected.items():
        np.testing.assert_array_equal(made[tile]["class_id"], layers["class_id"])
        np.testing.assert_allclose(made[tile]["probability"], layers["probability"], atol=1e-5)
