"""What QGIS makes of the maps, opened as by drag and drop; GDAL says what they are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from campaigns import make_ids, make_line_grid, make_probabilities_of, write_line
from classifications import NAMES, make_grid, make_result
from qgis_program import find_qgis_python, qgis_environment

from hsigeo.classes import ClassTable
from hsigeo.io import open_map, write_float_layer, write_map
from hsigeo.io.georeference import open_quietly
from hsigeo.lines.mapped_line import open_lines
from hsigeo.mosaic import write_mosaic
from hsigeo.refinement.polygons import write_polygons
from hsigeo.scene import spatial_coords

PROBE = Path(__file__).with_name("probe.py")
NORTH_UP = Affine(5, 0, 380000, 0, -5, 5820000)
ROTATED = Affine.translation(380000, 5820000) @ Affine.rotation(37) @ Affine.scale(5, -5)
MANY = tuple(f"Klasse {number} & more" for number in range(1, 301))
LINES, SAMPLES = 90, 70
CLASS_MAPS = {"map": NAMES, "rotated": NAMES, "many": MANY, "mosaic": None, "lines": None}
LAYERS = ("sure", "all")
NUMBERS = ("nm",)


def make_patches(names, grid, lines=LINES, samples=SAMPLES):
    """A classification in patches of 10 by 10 pixels, each class in turn; 0 in the first column."""
    result = make_result(lines, samples, names=names, grid=grid, chunks=None)
    patch = np.arange(lines)[:, None] // 10 * (samples // 10) + np.arange(samples) // 10
    ids = (patch % len(names) + 1).astype(result["class_id"].dtype)
    if len(names) == len(MANY):  # every class, the last included
        ids = (np.arange(lines * samples).reshape(lines, samples) % len(names) + 1).astype(ids.dtype)
    ids[:, 0] = 0
    result["class_id"].values[:] = ids
    return result


@pytest.fixture(scope="module")
def maps(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("maps")
    paths = {name: folder / f"{name}.tif" for name in (*CLASS_MAPS, *LAYERS, *NUMBERS)}
    upright = make_grid(LINES, SAMPLES, transform=NORTH_UP)
    write_map(make_patches(NAMES, upright), paths["map"], confidence=paths["sure"], probabilities=paths["all"])
    write_map(make_patches(NAMES, make_grid(LINES, SAMPLES, transform=ROTATED)), paths["rotated"])
    write_map(make_patches(MANY, upright), paths["many"])
    places = np.linspace(420.0, 2420.0, LINES * SAMPLES, dtype=np.float32).reshape(LINES, SAMPLES)
    places[:, 0] = np.nan
    deciding = xr.DataArray(
        places, dims=("y", "x"), coords=spatial_coords(upright), name="deciding wavelength (nm)", attrs={"units": "nm"}
    )
    write_float_layer(deciding, paths["nm"], ramp=(420.0, 2420.0))
    flights = []
    for number, grid in enumerate((make_line_grid(80, 40), make_line_grid(80, 40, turn=20, east=380_090))):
        ids = make_ids(grid, number)
        path = folder / f"flight_{number}_map.tif"
        flights.append(write_line(path, grid, ids, probabilities=make_probabilities_of(ids, number)))
    written = write_mosaic(open_lines(flights)[0], paths["mosaic"])
    return paths | {"lines": written.lines_path}


def centres_of_patches(path: Path) -> tuple[list[tuple[int, int]], list[tuple[float, float]]]:
    """Pixels around which all is of one class, and where these lie."""
    with rasterio.open(path) as dataset:
        ids, transform = dataset.read(1), dataset.transform
    pixels = [
        (row, col)
        for row in range(4, ids.shape[0] - 4, 10)
        for col in range(4, ids.shape[1] - 4, 10)
        if (ids[row - 2 : row + 3, col - 2 : col + 3] == ids[row, col]).all() and ids[row, col]
    ]
    return pixels, [transform @ (col + 0.5, row + 0.5) for row, col in pixels]


@pytest.fixture(scope="module")
def polygons(maps) -> Path:
    """Those of the plain map, beside it and under its name, so that both would take ``map.qml`` for their style."""
    return write_polygons(open_map(maps["map"]), maps["map"].with_suffix(".gpkg")).path


@pytest.fixture(scope="module")
def shown(maps, polygons, tmp_path_factory) -> dict[str, dict]:
    """What QGIS says of every raster; one start of QGIS for all."""
    python = find_qgis_python()
    folder = tmp_path_factory.mktemp("shown")
    request = {}
    for name, path in maps.items():
        with rasterio.open(path) as dataset:
            size = dataset.shape
        small = [max(1, side // 4) for side in size]
        request[name] = {
            "path": str(path),
            "samples": centres_of_patches(path)[1] if name in ("map", "rotated") else [],
            "images": [(str(folder / f"{name}.png"), size), (str(folder / f"{name}_small.png"), small)],
        }
    request["polygons"] = {
        "path": str(polygons),
        "images": [(str(folder / "polygons.png"), (LINES, SAMPLES - 1))],  # the first column has no class
    }
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    done = subprocess.run(
        [python, str(PROBE), str(folder / "request.json"), str(folder / "answer.json")],
        env=qgis_environment(folder),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    layers = json.loads((folder / "answer.json").read_text(encoding="utf-8"))["layers"]
    return {name: {**layer, "image": folder / f"{name}.png"} for name, layer in layers.items()}


def read_picture(path: Path) -> np.ndarray:
    """(y, x, 4)."""
    with open_quietly(path) as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


def classes_of(path: Path) -> ClassTable:
    return open_map(path).classes


def colours_of(path: Path) -> np.ndarray:
    """(class id, 4), nothing at all for 0."""
    table = np.zeros((65_536, 4), dtype=np.uint8)
    for entry in classes_of(path):
        table[entry.id] = (*entry.color, 255)
    return table


@pytest.mark.parametrize("name", [*CLASS_MAPS, *LAYERS, *NUMBERS])
def test_the_georeference_is_the_one_that_gdal_reads(shown, maps, name):
    with rasterio.open(maps[name]) as dataset:
        corners = [dataset.transform @ corner for corner in
                   ((0, 0), (dataset.width, 0), (0, dataset.height), (dataset.width, dataset.height))]  # fmt: skip
        low, high = np.min(corners, axis=0), np.max(corners, axis=0)
        size, crs = list(dataset.shape), dataset.crs.to_string()
    # A rotated raster is shown on a north-up grid around it, which ends at whole pixels.
    slack = 5 if name == "rotated" else 1e-6

    assert shown[name]["valid"]
    assert shown[name]["crs"] == crs
    assert shown[name]["extent"] == pytest.approx([*low, *high], abs=slack)
    if name != "rotated":
        assert shown[name]["size"] == size


@pytest.mark.parametrize("name", ["map", "rotated"])
def test_every_patch_lies_where_gdal_puts_it(shown, maps, name):
    pixels, _ = centres_of_patches(maps[name])
    with rasterio.open(maps[name]) as dataset:
        ids = dataset.read(1)

    assert len(pixels) > 40
    assert shown[name]["samples"] == [float(ids[pixel]) for pixel in pixels]


@pytest.mark.parametrize("name", CLASS_MAPS)
def test_the_legend_has_exactly_the_classes_with_names_and_colours(shown, maps, name):
    classes = classes_of(maps[name])
    wanted = [[entry.name, "#{:02x}{:02x}{:02x}".format(*entry.color)] for entry in classes]

    assert shown[name]["renderer"] == "paletted"
    assert shown[name]["legend"] == wanted
    assert shown[name]["values"] == list(classes.ids)
    assert [node for node in shown[name]["nodes"] if node in classes.names] == list(classes.names)
    assert CLASS_MAPS[name] in (None, classes.names)


def test_polygons_have_the_names_and_the_colours_of_their_map(shown, maps):
    with rasterio.open(maps["map"]) as dataset:
        ids = dataset.read(1)

    assert shown["polygons"]["legend"] == shown["map"]["legend"]
    picture = read_picture(shown["polygons"]["image"])
    wanted = colours_of(maps["map"])[ids[:, 1:]]
    inside = (slice(2, None, 10), slice(4, None, 10))  # away from edges, which QGIS blends
    np.testing.assert_array_equal(picture[inside], wanted[inside])


@pytest.mark.parametrize("name", CLASS_MAPS)
def test_unclassified_is_nodata(shown, name):
    assert shown[name]["nodata"] == [0]


@pytest.mark.parametrize("name", ["map", "many", "mosaic", "lines"])
def test_pixels_have_the_colours_of_their_classes_and_nodata_is_transparent(shown, maps, name):
    with rasterio.open(maps[name]) as dataset:
        ids = dataset.read(1)

    picture = read_picture(shown[name]["image"])

    assert (ids == 0).any()
    np.testing.assert_array_equal(picture, colours_of(maps[name])[ids])


@pytest.mark.parametrize("name", CLASS_MAPS)
@pytest.mark.parametrize("zoom", ["", "_small"])
def test_no_zoom_and_no_rotation_blends_classes(shown, maps, name, zoom):
    picture = read_picture(shown[name]["image"].with_name(f"{name}{zoom}.png")).reshape(-1, 4)

    assert len(picture[picture[:, 3] > 0]) > 100
    assert {tuple(pixel) for pixel in picture} <= {tuple(colour) for colour in colours_of(maps[name])}


@pytest.mark.parametrize("name", CLASS_MAPS)
def test_overviews_hold_only_classes_that_lie_below(maps, name):
    with rasterio.open(maps[name]) as dataset:
        full, factors = dataset.read(1), dataset.overviews(1)
    for level, factor in enumerate(factors):
        with rasterio.open(maps[name], overview_level=level) as dataset:
            small = dataset.read(1)
        for (row, col), value in np.ndenumerate(small):
            below = full[row * factor : (row + 1) * factor, col * factor : (col + 1) * factor]
            assert value in below


def test_a_map_too_large_for_one_tile_has_overviews_in_class_colours(tmp_path):
    write_map(make_patches(NAMES, make_grid(900, 600), 900, 600), tmp_path / "large.tif")

    test_overviews_hold_only_classes_that_lie_below({"large": tmp_path / "large.tif"}, "large")
    with rasterio.open(tmp_path / "large.tif") as dataset:
        assert dataset.overviews(1) == [2]


def test_bands_of_a_probability_stack_have_the_names_of_the_classes(shown):
    assert shown["all"]["bands"] == [f"Band {number}: {name}" for number, name in enumerate(NAMES, start=1)]


@pytest.mark.parametrize("name", LAYERS)
def test_confidence_and_probabilities_open_as_a_ramp_from_zero_to_one(shown, name):
    assert shown[name]["renderer"] == "singlebandpseudocolor"
    assert shown[name]["range"] == [0, 1]
    assert [label for label, _ in shown[name]["legend"]] == ["0", "0.25", "0.5", "0.75", "1"]


def test_the_deciding_wavelength_opens_as_a_ramp_in_nm(shown):
    assert shown["nm"]["bands"] == ["Band 1: deciding wavelength (nm)"]
    assert shown["nm"]["renderer"] == "singlebandpseudocolor"
    assert shown["nm"]["range"] == [420, 2420]
    assert [label for label, _ in shown["nm"]["legend"]] == ["420 nm", "920 nm", "1420 nm", "1920 nm", "2420 nm"]


@pytest.mark.parametrize("name", ["sure", *NUMBERS])
def test_higher_values_are_lighter_and_nodata_is_transparent(shown, maps, name):
    with rasterio.open(maps[name]) as dataset:
        values = dataset.read(1)

    picture = read_picture(shown[name]["image"]).astype(float)

    np.testing.assert_array_equal(picture[..., 3] > 0, np.isfinite(values))
    seen = np.isfinite(values)
    order = np.argsort(values[seen])
    green = picture[seen][order, 1]  # grows along the whole ramp
    assert (np.diff(green) >= 0).all()
