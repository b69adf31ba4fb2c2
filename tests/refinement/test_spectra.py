"""NumPy on the whole array is the oracle."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from campaigns import CLASSES, make_ids, make_line_grid, write_line

from hsigeo.bands import BandTable
from hsigeo.errors import OutputExistsError, SceneError
from hsigeo.io import open_map
from hsigeo.refinement import spectra
from hsigeo.refinement.spectra import measure_class_spectra, write_spectra
from hsigeo.scene import make_scene

GRID = make_line_grid(41, 23)
IDS = make_ids(GRID)
BANDS = BandTable(count=5, wavelength=np.linspace(450, 850, 5), good=np.array([True, True, False, True, True]))


def make_cube() -> np.ndarray:
    """Far from zero with little spread, which sums of squares in float32 could not tell from none."""
    random = np.random.default_rng(3)
    cube = 4000.0 + IDS + random.normal(0, 0.01, (5, *IDS.shape))
    cube[:, 5:9, 2:6] = np.nan
    cube[3, 20:] = np.nan
    return cube.astype(np.float32)


@pytest.fixture
def raster(tmp_path):
    return open_map(write_line(tmp_path / "line_map.tif", GRID, IDS))


@pytest.mark.parametrize("chunks", [None, {"y": 7}, {"y": 10, "x": 6}, {"band": 2, "y": 1}])
def test_one_pass_in_pieces_gives_what_the_whole_array_gives(raster, chunks, monkeypatch):
    monkeypatch.setattr(spectra, "PIECE_BYTES", 20 * 37)
    cube = make_cube()
    cube[:, (IDS == 4) & (np.cumsum(IDS == 4).reshape(IDS.shape) > 1)] = np.nan  # one pixel is left of class 4
    scene = make_scene(cube, grid=GRID, bands=BANDS, attrs={})
    seen = []

    found = measure_class_spectra(
        raster,
        scene if chunks is None else scene.chunk(chunks),
        progress=lambda done, total: seen.append((done, total)),
    )

    for place, number in enumerate(CLASSES.ids):
        inside = cube[:, number == IDS].astype(np.float64)
        valid = np.isfinite(inside)
        np.testing.assert_array_equal(found.pixels[place], valid.sum(axis=1))
        known = valid.any(axis=1)
        np.testing.assert_allclose(found.mean[place][known], np.nanmean(inside[known], axis=1), rtol=1e-12)
        several = valid.sum(axis=1) > 1
        np.testing.assert_allclose(found.std[place][several], np.nanstd(inside[several], axis=1, ddof=1), rtol=1e-9)
        assert np.isnan(found.std[place][~several]).all()
    assert found.pixels[3].max() == 1
    assert seen[-1] == (IDS.size, IDS.size)


def test_a_class_without_pixels_has_no_spectrum(tmp_path):
    ids = np.where(IDS == 2, 0, IDS)
    raster = open_map(write_line(tmp_path / "map.tif", GRID, ids))

    found = measure_class_spectra(raster, make_scene(make_cube(), grid=GRID, bands=BANDS, attrs={}))

    assert (found.pixels[1] == 0).all()
    assert np.isnan(found.mean[1]).all()
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["classes"][1]["mean"] == [None] * 5
    assert document["classes"][0]["mean"][0] == pytest.approx(4001, abs=0.1)
    assert document["good"] == BANDS.good.tolist()


def test_the_csv_has_a_row_for_each_class_and_band(raster, tmp_path):
    found = measure_class_spectra(raster, make_scene(make_cube(), grid=GRID, bands=BANDS, attrs={}))

    write_spectra(found, tmp_path / "spectra.csv")

    with (tmp_path / "spectra.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(CLASSES) * BANDS.count
    assert [row["class"] for row in rows[::5]] == list(CLASSES.names)
    assert [row["good"] for row in rows[:5]] == ["1", "1", "0", "1", "1"]
    assert float(rows[7]["wavelength_nm"]) == 650
    assert float(rows[7]["mean"]) == pytest.approx(found.mean[1, 2], rel=1e-8)
    assert float(rows[7]["std"]) == pytest.approx(found.std[1, 2], rel=1e-8)
    with pytest.raises(OutputExistsError):
        write_spectra(found, tmp_path / "spectra.csv")


def test_another_scene_is_refused(raster):
    other = make_line_grid(41, 23, east=380_004.0)

    with pytest.raises(SceneError, match="do not lie on those of the map"):
        measure_class_spectra(raster, make_scene(make_cube(), grid=other, bands=BANDS, attrs={}))
