"""GDAL's nearest neighbour, with its own shortcuts turned off, is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from campaigns import LONLAT, UTM32, UTM33, make_line_grid
from hypothesis import given
from hypothesis import strategies as st
from rasterio.warp import reproject

from hsigeo.grid import Grid
from hsigeo.lines import placement
from hsigeo.lines.placement import Placement
from hsigeo.lines.sampling import take_nearest
from hsigeo.lines.target import choose_grid


def encode(grid: Grid) -> np.ndarray:
    """Pixels that say their own row and column; 0 is none."""
    return np.arange(1, grid.lines * grid.samples + 1, dtype=np.int32).reshape(grid.shape)


def warp_with_gdal(source: Grid, target: Grid) -> np.ndarray:
    out = np.zeros(target.shape, dtype=np.int32)
    reproject(
        encode(source),
        out,
        src_transform=source.transform,
        src_crs=source.crs,
        dst_transform=target.transform,
        dst_crs=target.crs,
        resampling=rasterio.enums.Resampling.nearest,
        tolerance=0,
        src_nodata=0,
        dst_nodata=0,
    )
    return out


def place(source: Grid, target: Grid) -> np.ndarray:
    out = np.zeros(target.shape, dtype=np.int32)
    at = Placement(source, target).locate(slice(0, target.lines), slice(0, target.samples))
    values = encode(source)
    take_nearest(lambda rows, cols: values[rows, cols], at, out)
    return out


LINE = make_line_grid(90, 41)
SOUTH_UP = Grid(lines=50, samples=70, transform=Affine(4, 0, 380000, 0, 4, 5819000), crs=UTM33)
MIRRORED = Grid(lines=50, samples=70, transform=Affine(-4, 0, 381000, 0, -4, 5819000), crs=UTM33)
LONGITUDES = Grid(lines=60, samples=80, transform=Affine(5e-5, 1e-5, 13.2, 1e-5, -4e-5, 52.5), crs=LONLAT)


@pytest.mark.parametrize("source", [LINE, SOUTH_UP, MIRRORED, LONGITUDES, make_line_grid(64, 64, turn=180.0)])
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:32632", "EPSG:4326", "EPSG:3035"])
def test_every_pixel_is_the_one_gdal_takes(source, crs):
    target = choose_grid([source], crs=crs)

    placed, warped = place(source, target), warp_with_gdal(source, target)

    assert (placed > 0).sum() > 0.5 * source.lines * source.samples
    # Centres that fall on an edge to the last digit may go either way.
    assert (placed != warped).sum() <= 0.001 * placed.size


@pytest.mark.parametrize("crs", [UTM32, LONLAT])
def test_interpolating_between_placed_pixels_gives_what_placing_each_gives(monkeypatch, crs):
    source = make_line_grid(700, 300, turn=31.0, crs=crs) if crs == UTM32 else LONGITUDES
    target = choose_grid([source], crs="EPSG:32633", resolution=3.1)

    quick = place(source, target)
    monkeypatch.setattr(placement, "_STEP", 10**9)
    plain = place(source, target)

    assert np.array_equal(quick, plain)


def test_most_pixels_are_not_asked_for_one_by_one(monkeypatch):
    target = choose_grid([make_line_grid(512, 512, crs=UTM32)], crs="EPSG:32633", resolution=4)
    asked = []
    genuine = placement.project
    monkeypatch.setattr(placement, "project", lambda x, y, *crs: (asked.append(x.size), genuine(x, y, *crs))[1])

    Placement(make_line_grid(512, 512, crs=UTM32), target).locate(slice(0, 512), slice(0, 512))

    assert sum(asked) < 512 * 512 / 20


def test_a_line_that_crosses_the_antimeridian_stays_in_one_piece():
    utm60 = rasterio.CRS.from_epsg(32760).to_wkt()
    x = rasterio.warp.transform("EPSG:4326", "EPSG:32760", [179.999], [-17.0])[0][0]
    y = rasterio.warp.transform("EPSG:4326", "EPSG:32760", [179.999], [-17.0])[1][0]
    source = make_line_grid(60, 80, east=x - 100, north=y, turn=10.0, crs=utm60)
    beyond = Grid(lines=40, samples=50, transform=Affine(4e-5, 0, -180 + 1e-4, 0, -4e-5, -17.0), crs=LONLAT)

    target = choose_grid([source, beyond], crs="EPSG:4326")

    assert target.samples < 1000
    assert np.unique(place(source, target)).size > 0.7 * source.lines * source.samples
    assert np.unique(place(beyond, target)).size > 0.7 * beyond.lines * beyond.samples


@given(turn=st.floats(-180, 180), size=st.floats(0.5, 30), shift=st.floats(-1, 1))
def test_a_grid_placed_on_itself_is_itself(turn, size, shift):
    grid = make_line_grid(11, 7, turn=turn, size=size, east=380000 + shift)

    at = Placement(grid, grid).locate(slice(0, 11), slice(2, 7))

    assert np.array_equal(at.rows, np.repeat(np.arange(11)[:, None], 5, axis=1))
    assert np.array_equal(at.cols, np.repeat(np.arange(2, 7)[None], 11, axis=0))


def test_places_that_the_projection_does_not_know_are_outside():
    source = make_line_grid(20, 20)
    other_side = Grid(lines=8, samples=8, transform=Affine(1, 0, -170, 0, -1, -50), crs=LONLAT)

    assert not Placement(source, other_side).locate(slice(0, 8), slice(0, 8)).inside.any()
