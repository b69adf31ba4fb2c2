"""The engine makes the pixels that the lazy face makes, to the bit, whatever is read at once."""

from __future__ import annotations

import contextlib
import threading
import time

import numpy as np
import pytest
import torch
from envi_files import write_envi
from labelled_spectra import make_model

from hsigeo import tiling
from hsigeo.campaign import local
from hsigeo.campaign.local import LocalEngine, local_engine
from hsigeo.campaign.pace import Pace
from hsigeo.campaign.work import LineWork
from hsigeo.classification import classify, match_scene
from hsigeo.errors import SceneError
from hsigeo.io import open_cube, open_scene
from hsigeo.tiling import WindowPlan, plan_strips

BANDS, LINES, SAMPLES = 12, 41, 30
LAYERS = ("class_id", "confidence", "probability")


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiling, "STRIP_PIXELS", 256)


def make_scene(folder, *, interleave="bil", bands=BANDS, **header):
    rng = np.random.default_rng(0)
    cube = rng.integers(500, 6000, (bands, LINES, SAMPLES)).astype("int16")
    cube[:, :, :3] = -9999
    cube[:, 16:24] = -9999
    fields = {
        "wavelength": [f"{nm:.1f}" for nm in np.linspace(450, 2350, bands)],
        "wavelength units": "Nanometers",
        "data ignore value": -9999,
        "reflectance scale factor": 10000,
    }
    return write_envi(folder, "line", cube, interleave=interleave, header_extra=fields | header)


def make_work(path, *, window=None, layers=LAYERS):
    model, cube, scene = make_model(), open_cube(path), open_scene(path)
    return LineWork(
        cube=cube,
        model=model,
        match=match_scene(scene, model),
        pace=Pace(torch.device("cpu")),
        layers=layers,
        plan=plan_strips(lines=LINES, samples=SAMPLES),
        window=window or WindowPlan(rows=plan_strips(lines=LINES, samples=SAMPLES).rows, columns=SAMPLES),
    )


def compute(work, engine=None):
    tiles = dict((engine or LocalEngine()).compute(work, range(len(work.plan))))
    assert sorted(tiles) == list(range(len(work.plan)))
    return {name: np.concatenate([tiles[tile][name] for tile in sorted(tiles)], axis=-2) for name in work.layers}


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("bands", [BANDS, 30])  # 30 bands are resampled to the model's 12
def test_engine_and_lazy_face_agree_to_the_bit(tmp_path, small_tiles, interleave, bands):
    path = make_scene(tmp_path, interleave=interleave, bands=bands)
    made = compute(make_work(path))
    lazy = classify(open_scene(path, chunks={"y": 7, "x": 11}), make_model()).compute()
    for name in LAYERS:
        np.testing.assert_array_equal(made[name], lazy[name].values)


@pytest.mark.parametrize(
    "window",
    [
        WindowPlan(rows=16, columns=SAMPLES, run=2),  # strips together
        WindowPlan(rows=8, columns=7, run=3),  # columns of several strips, as blocks of a file would have it
        WindowPlan(rows=3, columns=SAMPLES),  # parts of a strip
        WindowPlan(rows=1, columns=11, run=2),
        WindowPlan(rows=1, columns=1),
        WindowPlan(rows=16, columns=7, run=2, held=5, readers=3),  # by several threads
    ],
)
def test_what_is_read_at_once_never_changes_a_bit(tmp_path, small_tiles, window):
    path = make_scene(tmp_path)
    expected = compute(make_work(path))
    made = compute(make_work(path, window=window))
    for name in LAYERS:
        np.testing.assert_array_equal(made[name], expected[name])


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_never_change_a_bit(tmp_path, small_tiles, monkeypatch, threads):
    work = make_work(make_scene(tmp_path))
    monkeypatch.setattr("hsigeo.campaign.work.PIECE_PIXELS", 50)
    with local_engine(torch.device("cpu"), threads=threads) as engine:
        assert engine.pool is not None
        assert engine.threads == threads
        made = compute(work, engine)
    np.testing.assert_array_equal(made["probability"], compute(work)["probability"])


def test_no_more_threads_compute_than_the_process_may_use(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr(local, "usable_processors", lambda: 3)
    with local_engine(torch.device("cpu")) as engine:
        assert engine.threads == 3
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # as OMP_NUM_THREADS=1 has it
    with local_engine(torch.device("cpu")) as engine:
        assert engine.pool is None


def test_only_the_missing_tiles_are_read_and_made(tmp_path, small_tiles, monkeypatch):
    work = make_work(make_scene(tmp_path))
    read = []
    original = LineWork.read
    monkeypatch.setattr(
        LineWork, "read", lambda self, window, *into: read.append(window[0]) or original(self, window, *into)
    )
    made = [tile for tile, _ in LocalEngine().compute(work, [1, 4])]
    assert made == [1, 4]
    assert [(rows.start, rows.stop) for rows in read] == [(8, 16), (32, 40)]


def test_a_layer_that_is_not_wanted_is_not_made(tmp_path):
    ((_, tile),) = LocalEngine().compute(make_work(make_scene(tmp_path), layers=("class_id",)), [0])
    assert set(tile) == {"class_id"}


def test_an_error_while_reading_ahead_reaches_the_caller(tmp_path, small_tiles):
    work = make_work(make_scene(tmp_path))
    data = tmp_path / "line.img"
    data.write_bytes(data.read_bytes()[: 20 * BANDS * SAMPLES * 2])
    tiles = []
    with pytest.raises(SceneError, match="was shortened"):
        tiles.extend(tile for tile, _ in LocalEngine().compute(work, range(6)))
    assert tiles == [0, 1]


def test_leaving_early_ends_the_reader(tmp_path, small_tiles):
    with contextlib.closing(LocalEngine().compute(make_work(make_scene(tmp_path)), range(6))) as tiles:
        next(tiles)
        assert any(thread.name.startswith("hsigeo-reader") for thread in threading.enumerate())
    assert not any(thread.name.startswith("hsigeo-reader") for thread in threading.enumerate())


def test_windows_come_in_order_from_any_number_of_readers_and_the_system_hears_of_each_once(
    tmp_path, small_tiles, monkeypatch
):
    work = make_work(make_scene(tmp_path), window=WindowPlan(rows=8, columns=11, run=1, held=5, readers=3))
    heard, read = [], []
    original = LineWork.read

    def read_slowly(self, window, *into):
        time.sleep(0.01 * (window[1].start == 0))
        read.append((window, len(heard)))
        return original(self, window, *into)

    monkeypatch.setattr(LineWork, "announce", lambda self, windows: heard.extend(windows))
    monkeypatch.setattr(LineWork, "read", read_slowly)
    wanted = list(work.windows(range(6)))
    assert [window for window, _ in local.read_ahead(work, range(6))] == wanted
    assert sorted(heard, key=wanted.index) == wanted
    assert all(known > 0 for _, known in read)


@pytest.mark.parametrize(("samples", "rows"), [(1, 16384), (600, 16), (1000, 16), (1025, 8), (20_000, 1), (90_000, 1)])
def test_tiles_depend_on_the_scene_alone_and_are_a_power_of_two_high(samples, rows):
    assert plan_strips(lines=100_000, samples=samples).rows == rows
    assert plan_strips(lines=3, samples=samples).rows == min(3, rows)
