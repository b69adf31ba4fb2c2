"""Nearest neighbours on a map, beside a search over all pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.errors import SceneError
from hsigeo.io.geolocation import PixelPositions
from hsigeo.io.geolocation.positions import utm_epsg
from hsigeo.io.spool import Spool

UTM = CRS.from_epsg(32633).to_wkt()
WGS84 = CRS.from_epsg(4326).to_wkt()


@dataclass(frozen=True)
class ArrayPlane:
    values: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.values.shape

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        return self.values[rows, cols]


def positions(x: np.ndarray, y: np.ndarray, crs: str = UTM, **options) -> PixelPositions:
    return PixelPositions(x=ArrayPlane(x), y=ArrayPlane(y), crs=crs, where="scene", **options)


def swath(
    lines: int = 60, samples: int = 23, *, turn: float = 0.4, wobble: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Easting and northing of a turned, wobbling flight line with pixels of about 10 m."""
    rng = np.random.default_rng(3)
    line, sample = np.mgrid[0:lines, 0:samples].astype(float)
    along, across = 10 * line + rng.normal(0, wobble, line.shape), 10 * sample + 3 * np.sin(line / 5)
    x = 500_000 + across * np.cos(turn) - along * np.sin(turn)
    y = 4_200_000 - across * np.sin(turn) - along * np.cos(turn)
    return x, y


def search(x: np.ndarray, y: np.ndarray, lookup) -> np.ndarray:
    """The plain way: the distance of every map pixel to every sensor pixel."""
    rows, cols = np.indices(lookup.grid.shape)
    to_x, to_y = lookup.grid.transform @ (cols + 0.5, rows + 0.5)
    far = np.hypot(to_x[..., None] - x.ravel(), to_y[..., None] - y.ravel())
    return np.where(far.min(axis=-1) <= lookup.max_distance, far.argmin(axis=-1), -1)


@pytest.mark.parametrize("max_distance", [None, 4.0, 17.0])
@pytest.mark.parametrize("turn", [0.0, 0.4, 3.0])
def test_each_map_pixel_takes_the_nearest_sensor_pixel(turn: float, max_distance: float | None) -> None:
    x, y = swath(turn=turn)
    with Spool() as spool, positions(x, y).lookup(spool, max_distance=max_distance) as lookup:
        found = lookup.read(slice(None))
        expected = search(x, y, lookup)
    # Two sensor pixels may be equally near to within float32.
    assert (found != expected).mean() < 1e-3
    assert ((found >= 0) == (expected >= 0)).all()
    assert len(np.unique(found)) > 0.2 * x.size


def test_a_regular_swath_fills_the_map_pixel_for_pixel() -> None:
    """No half-pixel shift: where sensor pixels lie on a grid already, each goes to its own pixel."""
    rows, cols = np.mgrid[0:8, 0:5]
    x, y = 499_980.0 + 30 * (cols + 0.5), 4_200_000.0 - 30 * (rows + 0.5)
    with Spool() as spool, positions(x, y).lookup(spool) as lookup:
        assert lookup.grid.shape == (8, 5)
        assert tuple(lookup.grid.transform)[:6] == (30, 0, 499_980, 0, -30, 4_200_000)
        np.testing.assert_array_equal(lookup.read(slice(None)), np.arange(40).reshape(8, 5))


def test_blocks_and_disk_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    x, y = swath()
    with Spool() as spool, positions(x, y).lookup(spool) as lookup:
        whole = lookup.read(slice(None))
    monkeypatch.setattr("hsigeo.io.geolocation.positions._BLOCK_PIXELS", 100)
    with Spool(tmp_path, budget=0) as spool, positions(x, y).lookup(spool) as lookup:
        np.testing.assert_array_equal(lookup.read(slice(None)), whole)
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_longitude_and_latitude_go_to_the_utm_zone_of_the_scene() -> None:
    x, y = swath()
    lon, lat = map(np.array, transform_coordinates(CRS.from_wkt(UTM), CRS.from_epsg(4326), x.ravel(), y.ravel()))
    with Spool() as spool:
        with positions(x, y).lookup(spool) as lookup:
            expected, grid = lookup.read(slice(None)), lookup.grid
        with positions(lon.reshape(x.shape), lat.reshape(x.shape), WGS84).lookup(spool) as lookup:
            assert CRS.from_wkt(lookup.grid.crs).to_epsg() == 32633
            assert lookup.grid.transform == grid.transform
            np.testing.assert_array_equal(lookup.read(slice(None)), expected)


@pytest.mark.parametrize(
    ("longitude", "latitude", "epsg"),
    [(-180, 1, 32601), (179.9, -1, 32760), (9, 47, 32632), (0, 85, 32661), (0, -81, 32761)],
)
def test_zones(longitude: float, latitude: float, epsg: int) -> None:
    assert utm_epsg(longitude, latitude) == epsg


def test_a_scene_across_the_date_line_stays_in_one_piece() -> None:
    line, sample = np.mgrid[0:20, 0:30]
    lon = 179.99 + 0.001 * sample
    lon[lon > 180] -= 360
    with Spool() as spool, positions(lon, 10.0 - 0.001 * line, WGS84).lookup(spool) as lookup:
        assert lookup.grid.samples < 40
        assert len(np.unique(lookup.read(slice(None)))) > 500


def test_unknown_positions_take_no_part() -> None:
    x, y = swath()
    x[5, 7], y[9, 2], x[3] = np.nan, -9999, -9999
    with Spool() as spool, positions(x, y, nodata=-9999).lookup(spool) as lookup:
        found = set(np.unique(lookup.read(slice(None))))
    assert not found & {5 * 23 + 7, 9 * 23 + 2, *range(3 * 23, 4 * 23)}
    assert lookup.grid.lines < 100


def test_positions_that_make_no_map_are_refused() -> None:
    x, y = swath()
    with Spool() as spool:
        for bad_x, reason in (
            (np.full_like(x, np.nan), "no pixel of the scene has a known position"),
            (np.full_like(x, 5.0), "same position"),
        ):
            with pytest.raises(SceneError, match=reason):
                positions(bad_x, np.where(np.isnan(bad_x), y, 5.0)).lookup(spool).__enter__()
        x[0, 0] = 5e9
        with pytest.raises(SceneError, match="some may be wrong"):
            positions(x, y).lookup(spool).__enter__()
        with pytest.raises(SceneError, match="maximum distance of 1e\\+06"):
            positions(*swath()).lookup(spool, max_distance=1e6).__enter__()
