"""Labels that miss the scene: which mistake explains it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.grid import Grid
from hsigeo.io.labels.misplaced import ADVICE, explain_miss

ROTATED = Affine.translation(380000, 5820000) @ Affine.rotation(37) @ Affine.scale(30, -12)
GRID = Grid(lines=40, samples=60, transform=ROTATED, crs=CRS.from_epsg(32633).to_wkt())


def features(*, crs: str = "EPSG:32633", offset: float = 0.0) -> np.ndarray:
    """Squares around three pixels of the grid, and a feature without geometry."""
    centres = np.array([ROTATED @ place for place in ((10.0, 3.0), (30.0, 20.0), (55.0, 39.0))]) + offset
    x, y = transform_coordinates("EPSG:32633", crs, *centres.T)
    width = 1e-5 if crs == "EPSG:4326" else 5
    return np.array([*shapely.box(np.array(x), np.array(y), np.array(x) + width, np.array(y) + width), None])


def exchange(geometries: np.ndarray) -> np.ndarray:
    return shapely.transform(geometries, lambda xy: xy[:, ::-1])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32633", "EPSG:3035"])
def test_exchanged_axes_are_recognised_in_any_crs(crs):
    text = explain_miss(exchange(features(crs=crs)), crs, GRID)

    assert "with x and y exchanged, 3 of 3 features would fall on it" in text


def test_coordinates_in_the_scenes_crs_under_another_name_are_recognised():
    text = explain_miss(features(), "EPSG:4326", GRID)

    assert "read in the scene's own CRS, 3 of 3 features would fall on it" in text
    assert "not in EPSG:4326" in text


def test_otherwise_both_extents_are_given():
    text = explain_miss(features(offset=50_000.0), "EPSG:32633", GRID)

    assert "the labels are at x 430" in text
    assert "the scene at x 380" in text
    assert ADVICE in text


@pytest.mark.parametrize(
    ("geometries", "crs", "grid"),
    [
        (np.array([None, shapely.Polygon()], dtype=object), "EPSG:4326", GRID),
        (features(), "EPSG:32633", Grid(lines=4, samples=5)),
        (np.array([shapely.Point(1e300, 1e300)]), "EPSG:4326", GRID),
    ],
)
def test_where_nothing_can_be_tried_the_usual_advice_is_given(geometries, crs, grid):
    assert explain_miss(geometries, crs, grid) == ADVICE


def test_without_any_crs_exchanged_axes_are_recognised():
    grid = Grid(lines=40, samples=60, transform=ROTATED)

    assert "with x and y exchanged" in explain_miss(exchange(features()), None, grid)
