"""What a report says of a map's place."""

from __future__ import annotations

import pytest
from affine import Affine
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.report.place import find_place


@pytest.mark.parametrize("left", [180.0, -180.0, 540.0])
def test_the_middle_lies_within_180_degrees_however_the_grid_counts(left: float) -> None:
    grid = Grid(lines=20, samples=40, transform=Affine(0.01, 0, left, 0, -0.01, -16), crs=CRS.from_epsg(4326).to_wkt())
    assert find_place(grid).middle == "16.1000° S, 179.8000° W"
