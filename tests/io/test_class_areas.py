"""Areas against PROJ's geodesics, the planar formula, and a plain sum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.io.class_areas import measure_class_areas, measure_pixel_areas
from hsigeo.io.class_raster import open_map

ROTATED = Affine.translation(300_000, 5_800_000) @ Affine.rotation(30) @ Affine.scale(20, -10)


def make_grid(epsg: int, transform: Affine, lines: int = 40, samples: int = 30) -> Grid:
    return Grid(lines=lines, samples=samples, transform=transform, crs=CRS.from_epsg(epsg).to_wkt())


def geodesic_hectares(grid: Grid, row: int, col: int) -> float:
    """The pixel's area by PROJ, its outline densified."""
    to_degrees = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    steps = np.linspace(0, 1, 9)
    sides = [(steps, 0 * steps), (1 + 0 * steps, steps), (1 - steps, 1 + 0 * steps), (0 * steps, 1 - steps)]
    right, down = (np.concatenate(part) for part in zip(*sides, strict=True))
    t = grid.transform
    x = t.a * (col + right) + t.b * (row + down) + t.c
    y = t.d * (col + right) + t.e * (row + down) + t.f
    area, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(*to_degrees.transform(x, y))
    return abs(area) / 1e4


@pytest.mark.parametrize(
    ("epsg", "transform"),
    [
        (4326, Affine(0.01, 0, 13.0, 0, -0.01, 52.5)),
        (4326, Affine(0.0003, 0.0001, 179.999, 0.0001, -0.0003, -33.0)),  # rotated, across the date line
        (3857, Affine(30, 0, 1_450_000, 0, -30, 6_900_000)),
        (3413, Affine(1000, 0, -20_000, 0, -1000, 20_000)),  # over the pole, where the pole is a pixel's corner
    ],
    ids=["degrees", "degrees rotated", "Web Mercator", "polar"],
)
def test_pixels_have_the_area_that_geodesics_give_them(epsg: int, transform: Affine) -> None:
    grid = make_grid(epsg, transform)
    if epsg == 3413:  # polar stereographic, true at 70° N: 3 % too large here
        assert "distorts areas by up to" in (measure_pixel_areas(grid).note or "")

    areas = measure_pixel_areas(grid)
    by_row = areas.of_rows(0, grid.lines, grid.samples)

    assert areas.unit == "ha"
    for row, col in ((0, 0), (7, 29), (22, 13), (39, 29)):
        assert by_row[row, col] == pytest.approx(geodesic_hectares(grid, row, col), rel=2e-5)


def test_rows_in_parts_are_those_of_the_whole() -> None:
    grid = make_grid(4326, Affine(0.25, 0, -180, 0, -0.25, 90), lines=720, samples=8)
    areas = measure_pixel_areas(grid)

    whole = areas.of_rows(0, 720, 8)

    assert np.array_equal(np.concatenate([areas.of_rows(0, 123, 8), areas.of_rows(123, 720, 8)]), whole)
    # The Earth, by its share of longitudes: 510 065 622 km².
    assert whole.sum() * (1440 / 8) == pytest.approx(510_065_622 * 100, rel=1e-4)


def test_a_projection_that_hardly_stretches_keeps_its_own_units() -> None:
    areas = measure_pixel_areas(make_grid(32633, ROTATED))

    assert (areas.unit, areas.is_constant, areas.note) == ("ha", True, None)
    assert areas.of_rows(3, 5, 2) == pytest.approx(np.full((2, 2), 200 / 1e4))


def test_feet_are_not_taken_for_metres() -> None:
    areas = measure_pixel_areas(make_grid(2263, Affine(100, 0, 980_000, 0, -100, 200_000)))

    assert areas.area.item() == pytest.approx((100 * 1200 / 3937) ** 2 / 1e4)


@pytest.mark.parametrize(
    "grid",
    [Grid(lines=4, samples=5), Grid(lines=4, samples=5, transform=Affine.scale(10, -10))],
    ids=["none", "no CRS"],
)
def test_without_a_place_on_the_earth_pixels_are_counted(grid: Grid) -> None:
    areas = measure_pixel_areas(grid)

    assert areas.unit == "pixels"
    assert areas.of_rows(0, 4, 5).sum() == 20
    assert "no georeference" in (areas.note or "")


@pytest.mark.parametrize("epsg", [32633, 4326])
def test_class_areas_are_the_sum_over_their_pixels(epsg: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(0).integers(0, 4, (50, 20)).astype("uint8")
    transform = ROTATED if epsg == 32633 else Affine(0.1, 0, 13, 0, -0.1, 52)
    profile = {"driver": "GTiff", "height": 50, "width": 20, "count": 1, "dtype": "uint8", "blockysize": 1}
    with rasterio.open(tmp_path / "map.tif", "w", crs=CRS.from_epsg(epsg), transform=transform, **profile) as dataset:
        dataset.write(ids, 1)
    monkeypatch.setattr("hsigeo.io.class_raster._STRIP_PIXELS", 140)
    seen: list[tuple[int, int]] = []

    found = measure_class_areas(open_map(tmp_path / "map.tif"), progress=lambda *done: seen.append(done))

    each = measure_pixel_areas(make_grid(epsg, transform, 50, 20)).of_rows(0, 50, 20)
    assert found.by_id == pytest.approx({number: each[ids == number].sum() for number in range(4)})
    assert seen[-1] == (50, 50)
    assert len(seen) > 5
