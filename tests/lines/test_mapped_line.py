from __future__ import annotations

import numpy as np
import pytest
import rasterio
from campaigns import CLASSES, make_ids, make_line_grid, make_probabilities_of, write_line

from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.line_names import product_id
from hsigeo.lines.mapped_line import open_lines
from hsigeo.lines.target import choose_grid
from hsigeo.mosaic import write_mosaic


def test_layers_and_mosaics_that_a_pattern_finds_are_passed_over(tmp_path):
    grid = make_line_grid(12, 9)
    ids = make_ids(grid)
    write_line(tmp_path / "one_map.tif", grid, ids, confidence=ids * 0.1, probabilities=make_probabilities_of(ids))
    lines, _ = open_lines([tmp_path / "one_map.tif"])
    write_mosaic(lines, tmp_path / "campaign.tif")

    lines, notes = open_lines(sorted(tmp_path.glob("*.tif")))

    assert [line.name for line in lines] == ["one"]
    assert lines[0].probabilities is not None
    assert any(note.startswith("2 of the files given: layers beside maps") for note in notes)
    assert any("mosaic" in note for note in notes)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_maps_without_a_place_are_refused_by_name(tmp_path):
    nowhere = Grid(lines=12, samples=9)
    no_crs = Grid(lines=12, samples=9, transform=make_line_grid(12, 9).transform)
    for name, grid, words in (("a.tif", nowhere, "no CRS"), ("b.tif", no_crs, "no CRS")):
        write_line(tmp_path / name, grid, np.ones((12, 9)))
        with pytest.raises(LabelError, match=f"{name} has {words}"):
            open_lines([tmp_path / name])


def test_control_points_alone_are_no_place(tmp_path):
    points = [
        rasterio.control.GroundControlPoint(row, col, 13 + col, 52 - row) for row, col in ((0, 0), (9, 0), (0, 9))
    ]
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", dtype="uint8", count=1, width=9, height=9, gcps=points, crs="EPSG:4326"
    ) as dataset:
        dataset.write(np.ones((1, 9, 9), dtype=np.uint8))

    with pytest.raises(LabelError, match=r"ground control points.*gdalwarp"):
        open_lines([tmp_path / "a.tif"])


def test_a_map_given_twice_is_refused(tmp_path):
    path = write_line(tmp_path / "a.tif", make_line_grid(5, 5), np.ones((5, 5)))
    (tmp_path / "b.tif").symlink_to(path)

    with pytest.raises(LabelError, match="given twice"):
        open_lines([path, tmp_path / "b.tif"])


def test_maps_of_one_name_in_two_folders_are_told_apart(tmp_path):
    paths = []
    for folder in ("monday", "tuesday"):
        (tmp_path / folder).mkdir()
        paths.append(write_line(tmp_path / folder / "l_map.tif", make_line_grid(5, 5), np.ones((5, 5))))

    lines, _ = open_lines(paths)

    assert [line.name for line in lines] == ["monday/l", "tuesday/l"]


def test_nothing_but_layers_is_no_campaign(tmp_path):
    grid = make_line_grid(5, 5)
    write_line(tmp_path / "a_map.tif", grid, np.ones((5, 5)), confidence=np.ones((5, 5)))

    with pytest.raises(LabelError, match="no class map among"):
        open_lines([tmp_path / "a_confidence.tif"])


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("ang20200712t201415_rfl_v2y1_img", "ang20200712t201415"),
        ("f130522t01p00r11_rfl_v1l1", "f130522t01p00r11"),
        ("AV320250809t182459_000_L2A_OE_RFL", "AV320250809t182459_000"),
        ("line_1_map", "line_1"),
        ("line_10", "line_10"),
        ("NIS01_20200607_153022_reflectance", "NIS01_20200607_153022"),
    ],
)
def test_products_of_a_line_share_its_id(name, product):
    assert product_id(name) == product


def write_angles(path, grid, bands=4, zenith=12.5, **options):
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=bands, width=grid.samples, height=grid.lines, **options
    ) as dataset:
        for band in range(1, bands + 1):
            dataset.write(np.full(grid.shape, zenith if band == 3 else 77, dtype=np.float32), band)


def test_view_angles_are_found_by_the_id_and_not_by_a_longer_one(tmp_path):
    grid = make_line_grid(6, 5)
    path = write_line(tmp_path / "line_1_map.tif", grid, np.ones((6, 5)))
    write_angles(tmp_path / "line_10_obs.tif", grid, zenith=1, transform=grid.transform, crs=grid.crs)
    assert open_lines([path])[0][0].observation is None

    write_angles(tmp_path / "line_1_obs.tif", grid, transform=grid.transform, crs=grid.crs)
    observation = open_lines([path])[0][0].observation

    assert observation.path.name == "line_1_obs.tif"
    assert (observation.read(slice(0, 2), slice(0, 5)) == 12.5).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_view_angles_without_a_place_lie_where_the_map_does_if_they_have_its_size(tmp_path):
    grid = make_line_grid(6, 5)
    path = write_line(tmp_path / "line_1_map.tif", grid, np.ones((6, 5)))
    write_angles(tmp_path / "line_1_obs.tif", grid)

    assert open_lines([path])[0][0].observation.grid == grid


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_view_angles_that_cannot_be_used_are_named(tmp_path):
    grid = make_line_grid(6, 5)
    path = write_line(tmp_path / "line_1_map.tif", grid, np.ones((6, 5)))
    write_angles(tmp_path / "line_1_obs.tif", make_line_grid(7, 5))
    write_angles(tmp_path / "line_1_obs_ort.tif", grid, bands=2, transform=grid.transform, crs=grid.crs)

    lines, notes = open_lines([path])

    assert lines[0].observation is None
    assert any("line_1_obs.tif: it has no georeference" in note for note in notes)
    assert any("it has 2 bands" in note for note in notes)


def test_class_rasters_of_other_programs_and_formats_are_lines_too(tmp_path):
    grid = make_line_grid(20, 10, turn=0)
    ids = make_ids(grid)
    with rasterio.open(
        tmp_path / "envi.img",
        "w",
        driver="ENVI",
        dtype="uint8",
        count=1,
        width=10,
        height=20,
        transform=grid.transform,
        crs=grid.crs,
    ) as dataset:
        dataset.write(ids[None])

    lines, _ = open_lines([tmp_path / "envi.img"])
    result = write_mosaic(lines, tmp_path / "out.tif")

    assert sum(result.pixels.values()) == (ids > 0).sum()
    assert result.grid == choose_grid([grid])
    assert len(CLASSES) == 4


@pytest.mark.parametrize("name", ["_map.tif", " _map.tif", "水_map.tif", "a'b.tif"])
def test_odd_file_names_make_usable_names(tmp_path, name):
    path = write_line(tmp_path / name, make_line_grid(5, 5), np.ones((5, 5)))

    lines, _ = open_lines([path])
    write_mosaic(lines, tmp_path / "out.tif")

    assert open_lines([path])[0][0].name.strip()


def test_a_folder_stands_for_the_maps_in_it(tmp_path):
    grid = make_line_grid(5, 5)
    for name in ("b_map.tif", "a_map.tif", ".half_map.tif"):
        write_line(tmp_path / name, grid, np.ones((5, 5)), confidence=np.ones((5, 5)))
    (tmp_path / "notes.txt").write_text("fine weather")

    lines, _ = open_lines([tmp_path])

    assert [line.name for line in lines] == ["a", "b"]


def test_view_angles_in_envi_are_the_band_that_is_called_so(tmp_path):
    grid = make_line_grid(6, 5, turn=0)
    path = write_line(tmp_path / "ang20200712t201415_map.tif", grid, np.ones((6, 5)))
    file = tmp_path / "ang20200712t201415_rfl_v2_obs_ort"
    with rasterio.open(
        file, "w", driver="ENVI", dtype="float32", count=4, width=5, height=6, nodata=-9999,
        transform=grid.transform, crs=grid.crs,
    ) as dataset:  # fmt: skip
        for band, name in enumerate(("Path length (m)", "To-sensor zenith (degrees)", "azimuth", "other"), start=1):
            values = np.full((6, 5), 7.25 if band == 2 else 50, dtype=np.float32)
            values[0, 0] = -9999
            dataset.write(values, band)
            dataset.set_band_description(band, name)

    observation = open_lines([path])[0][0].observation
    zenith = observation.read(slice(0, 6), slice(0, 5))

    assert np.isnan(zenith[0, 0])
    assert (zenith[1:] == 7.25).all()
