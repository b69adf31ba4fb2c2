from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, write_line
from envi_files import write_envi
from products.nasa import write_emit

from hsigeo.io.class_raster import open_map
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.spool import Spool
from hsigeo.report import survey
from hsigeo.report.findings import Findings
from hsigeo.report.survey import read_mapped_spectra, read_pictures, survey_confidence


@pytest.fixture
def scene_and_map(tmp_path: Path) -> tuple[Path, Path, np.ndarray, np.ndarray]:
    """A scene of six bands, the second one bad, and a map of it; nodata in the first rows."""
    grid = make_line_grid(70, 50, turn=0)
    ids = make_ids(grid, seed=3)
    cube = np.random.default_rng(0).integers(0, 5000, (6, 70, 50)).astype(np.int16)
    cube[:, :4] = -9999
    header = {
        "wavelength": [450, 500, 550, 650, 850, 2200],
        "wavelength units": "Nanometers",
        "bbl": [1, 0, 1, 1, 1, 1],
        "reflectance scale factor": 10000,
        "data ignore value": -9999,
        "map info": f"{{UTM, 1, 1, {grid.transform.c}, {grid.transform.f}, 4, 4, 33, North, WGS-84}}",
    }
    write_envi(tmp_path, "scene", cube, header_extra=header)
    return tmp_path / "scene.hdr", write_line(tmp_path / "m.tif", grid, ids), cube, ids


def test_spectra_of_mapped_pixels_are_those_of_a_plain_loop(
    scene_and_map: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, path, cube, ids = scene_and_map
    monkeypatch.setattr(survey, "ROWS", 70)  # all of them
    found = read_mapped_spectra(open_map(path), open_cube(scene), CLASSES.ids)
    assert found is not None
    good = [0, 2, 3, 4, 5]
    for place, number in enumerate(CLASSES.ids):
        members = (ids == number) & (cube[0] != -9999)
        spectra = cube[good][:, members] / 10_000
        assert found.count[place] == members.sum()
        np.testing.assert_allclose(found.mean[place], spectra.mean(axis=1), rtol=1e-5)
        np.testing.assert_allclose(found.spread[place], spectra.std(axis=1), rtol=1e-4)


def test_of_a_large_scene_rows_are_read_evenly_and_never_more_than_allowed(
    scene_and_map: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, path, _, _ = scene_and_map
    rows: list[int] = []
    cube = open_cube(scene)

    class Watched:
        header = cube.header

        def read(self, at: slice, cols: slice, bands: slice = slice(None)) -> np.ndarray:
            rows.append(at.start)
            assert (at.stop - at.start) * (cols.stop - cols.start) * 6 * 2 <= 200
            return cube.read(at, cols, bands)

    monkeypatch.setattr(survey, "ROWS", 7)
    monkeypatch.setattr(survey, "ROW_BYTES", 200)
    read_mapped_spectra(open_map(path), Watched(), CLASSES.ids)
    assert rows == [5, 15, 25, 35, 45, 55, 65]


def test_a_map_on_another_grid_has_no_spectra(scene_and_map: Any, tmp_path: Path) -> None:
    grid = make_line_grid(71, 50, turn=0)
    other = write_line(tmp_path / "other.tif", grid, make_ids(grid))
    assert read_mapped_spectra(open_map(other), open_cube(scene_and_map[0]), CLASSES.ids) is None


@pytest.mark.parametrize("longest", [760, 25])
def test_scene_and_map_show_the_same_ground(scene_and_map: Any, monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    scene, path, cube, ids = scene_and_map
    monkeypatch.setattr(survey, "LONGEST_SIDE", longest)
    found = read_pictures(open_map(path), open_cube(scene))
    step = found.classes.step
    assert found.scene is not None
    assert found.scene.rgba.shape == found.classes.rgba.shape
    np.testing.assert_array_equal(found.classes.rgba[3] > 0, ids[::step, ::step] > 0)
    np.testing.assert_array_equal(found.scene.rgba[3] > 0, cube[0, ::step, ::step] != -9999)
    assert found.scene_bands == ((4, 650.0), (3, 550.0), (1, 450.0))


def test_a_scene_in_another_crs_is_not_shown(scene_and_map: Any, tmp_path: Path) -> None:
    grid = make_line_grid(60, 50, turn=0, crs=rasterio.CRS.from_epsg(32632).to_wkt())
    other = write_line(tmp_path / "other.tif", grid, make_ids(grid))
    found = read_pictures(open_map(other), open_cube(scene_and_map[0]))
    assert found.scene is None
    assert "different grids" in found.note


def test_a_scene_in_sensor_geometry_is_shown_where_its_lookup_table_places_it(tmp_path: Path) -> None:
    lines, samples = 24, 15
    cube = np.random.default_rng(0).random((12, lines, samples)).astype(np.float32)
    scene = open_cube(write_emit(tmp_path / "EMIT_L2A_RFL.nc", cube))
    assert scene.header.geolocation is not None
    with Spool(None) as spool, scene.header.geolocation.lookup(spool) as lookup:
        grid = lookup.grid
        index = lookup.read(slice(0, grid.lines))
    path = write_line(tmp_path / "m.tif", grid, (index >= 0).astype(np.uint8))
    found = read_pictures(open_map(path), scene)
    assert found.scene is not None
    np.testing.assert_array_equal(found.scene.rgba[3] > 0, index >= 0)
    raw = survey.make_picture(scene, survey.Look(exponent=survey.EXPONENT))
    line, sample = index[index >= 0] // samples, index[index >= 0] % samples
    np.testing.assert_array_equal(found.scene.rgba[:3, index >= 0], raw.rgba[:3, line, sample])
    assert read_mapped_spectra(open_map(path), scene, CLASSES.ids) is None


@pytest.mark.parametrize("turn", [0.0, 23.0])
def test_confidence_is_counted_pixel_by_pixel(tmp_path: Path, turn: float) -> None:
    grid = make_line_grid(300, 90, turn=turn)
    ids = make_ids(grid, seed=5)
    confidence = np.random.default_rng(1).random(ids.shape).astype(np.float32)
    confidence[ids == 0] = np.nan
    path = write_line(tmp_path / "a_map.tif", grid, ids, confidence=confidence)
    raster = open_map(path)
    pictures = read_pictures(raster, None)
    found = survey_confidence(raster, tmp_path / "a_confidence.tif", pictures.classes)
    for place, number in enumerate(CLASSES.ids):
        members = confidence[ids == number]
        assert found.mean[place] == pytest.approx(members.mean(), rel=1e-5)
        np.testing.assert_array_equal(
            found.histogram[place], np.histogram(members, np.linspace(0, 1, 51).astype("f4"))[0]
        )
    assert found.share_below(0.6) == pytest.approx((confidence[ids > 0] < 0.6).mean(), abs=1e-3)
    # Where the map has a class there is a colour, on the very same pixels of the pictures.
    np.testing.assert_array_equal(found.picture.rgba[3], pictures.classes.rgba[3])


def test_every_class_that_is_shown_has_spectra(full: tuple[Findings, str]) -> None:
    findings = full[0]
    assert findings.mapped_spectra is not None
    read = dict(zip(findings.mapped_spectra.ids, findings.mapped_spectra.count.tolist(), strict=True))
    assert all(read[entry.id] > 50 for entry in findings.by_area)
