"""Every kind of georeference, against GDAL where GDAL is right and against arithmetic where it is not."""

from __future__ import annotations

import contextlib
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from envi_files import write_envi
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.envi.header import parse_header
from hsigeo.io.envi.mapinfo import read_grid

WGS84_ESRI = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
UTM33_ESRI = (
    f'PROJCS["WGS_1984_UTM_Zone_33N",{WGS84_ESRI},PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",15.0],PARAMETER["Scale_Factor",0.9996],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
LAEA_ESRI = (
    'PROJCS["ETRS_1989_LAEA",GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Azimuthal_Equal_Area"],'
    'PARAMETER["False_Easting",4321000.0],PARAMETER["False_Northing",3210000.0],PARAMETER["Central_Meridian",10.0],'
    'PARAMETER["Latitude_Of_Origin",52.0],UNIT["Meter",1.0]]'
)
ALBERS = "{9, 6378206.4, 6356583.8, 23.0, -96.0, 0., 0., 29.5, 45.5, Albers Equal Area Example}"


def grid_and_notes(fields: str) -> tuple[Grid, list[str]]:
    return read_grid(parse_header(f"ENVI\n{fields}\n", "x.hdr"), lines=4, samples=3)


def grid_of(fields: str) -> Grid:
    return grid_and_notes(fields)[0]


def gdal_georeference(folder: Path, fields: dict[str, str]) -> tuple[Affine, CRS | None]:
    path = write_envi(folder, "scene", np.zeros((1, 4, 3), dtype="uint8"), header_extra=fields)
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(path.with_suffix(".img")) as dataset,
    ):
        return dataset.transform, dataset.crs


def utm(rest: str = "units=Meters", *, tie: str = "1, 1", size: str = "5, 5", datum: str = "11, North, WGS-84") -> str:
    return f"{{UTM, {tie}, 500000, 4200000, {size}, {datum}, {rest}}}"


RIGHT_IN_GDAL = {
    "UTM north": {"map info": utm()},
    "UTM south": {"map info": utm(datum="23, South, WGS-84")},
    "UTM, NAD27": {"map info": utm(datum="11, North, North America 1927")},
    "UTM, NAD83": {"map info": utm(datum="11, North, North America 1983")},
    "UTM, ED50": {"map info": utm(datum="31, North, European 1950")},
    "UTM in feet": {"map info": utm("units=Feet")},
    "tie point at a pixel centre": {"map info": utm(tie="1.5, 1.5")},
    "tie point inside": {"map info": utm(tie="3, 2")},
    "pixels that are not square": {"map info": utm(size="5, 2")},
    "rows run north": {"map info": utm(size="5, -5")},
    "rotated by 30": {"map info": utm("units=Meters, rotation=30")},
    "rotated by -66": {"map info": utm("units=Meters, rotation=-66.00000000")},
    "rotated by 42": {"map info": "{UTM, 1, 1, 581226.666764, 7916192.56364, 5.2, 5.2, 4, North,WGS-84, rotation=42}"},
    "geographic": {"map info": "{Geographic Lat/Lon, 1, 1, 10, 50, 0.1, 0.1, WGS-84, units=Degrees}"},
    "geographic in seconds": {"map info": "{Geographic Lat/Lon, 1, 1, 36000, 180000, 3.6, 3.6, WGS-84, units=Seconds}"},
    "geographic in minutes": {"map info": "{Geographic Lat/Lon, 1, 1, 600, 3000, 3, 3, WGS-84, units=Minutes}"},
    "state plane": {"map info": "{State Plane (NAD 83), 1, 1, 10, 50, 1, 1, 405, units=Meters}"},
    "projection info": {
        "map info": "{Albers Equal Area Example, 1, 1, -936408.178, 2423902.344, 28.5, 28.5}",
        "projection info": ALBERS,
    },
    "projection info and datum": {
        "map info": "{Albers, 1, 1, -936408.178, 2423902.344, 28.5, 28.5, North America 1983, units=Meters}",
        "projection info": "{9, 6378137.0, 6356752.3, 23.0, -96.0, 0.0, 0.0, 29.5, 45.5, North America 1983, Albers}",
    },
    "ESRI string": {"map info": utm(datum="33, North, WGS-84"), "coordinate system string": f"{{{UTM33_ESRI}}}"},
    "ESRI string, another projection": {
        "map info": "{ETRS_1989_LAEA, 1, 1, 4321000, 3210000, 10, 10, units=Meters}",
        "coordinate system string": f"{{{LAEA_ESRI}}}",
    },
}


@pytest.mark.parametrize("case", RIGHT_IN_GDAL)
def test_grid_is_that_of_gdal_where_gdal_is_right(case: str, tmp_path: Path) -> None:
    fields = RIGHT_IN_GDAL[case]
    transform, crs = gdal_georeference(tmp_path, fields)
    grid = grid_of("\n".join(f"{key} = {value}" for key, value in fields.items()))
    np.testing.assert_allclose(grid.transform[:6], transform[:6], rtol=1e-12, atol=1e-9)
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs) == crs


C30, S30 = math.cos(math.radians(30)), math.sin(math.radians(30))

WRONG_IN_GDAL = {
    # The tie point (column 3, row 2) must land on the stated coordinates, whatever the rotation.
    "tie point away from the first pixel": (
        utm("rotation=30", tie="3, 2"),
        Affine(5 * C30, 5 * S30, 500000 - 2 * 5 * C30 - 5 * S30, 5 * S30, -5 * C30, 4200000 - 2 * 5 * S30 + 5 * C30),
    ),
    # A step along a row is x_size long in both coordinates, a step down y_size.
    "pixels that are not square": (
        utm("rotation=30", size="5, 2"),
        Affine(5 * C30, 2 * S30, 500000, 5 * S30, -2 * C30, 4200000),
    ),
    "turned by 180": (utm("rotation=180"), Affine(-5, 0, 500000, 0, 5, 4200000)),
    "turned by -180": (utm("rotation=-180.0"), Affine(-5, 0, 500000, 0, 5, 4200000)),
    "blanks around the equals sign": (
        utm("units = Meters, rotation = 30"),
        Affine(5 * C30, 5 * S30, 500000, 5 * S30, -5 * C30, 4200000),
    ),
    "upper case": (utm("Rotation=30"), Affine(5 * C30, 5 * S30, 500000, 5 * S30, -5 * C30, 4200000)),
}


@pytest.mark.parametrize("case", WRONG_IN_GDAL)
def test_transform_is_right_where_gdal_is_wrong(case: str, tmp_path: Path) -> None:
    map_info, expected = WRONG_IN_GDAL[case]
    grid = grid_of(f"map info = {map_info}")
    np.testing.assert_allclose(grid.transform[:6], expected[:6], rtol=1e-12, atol=1e-9)
    # Should GDAL be mended, this says so, and the case can move up.
    transform, _ = gdal_georeference(tmp_path, {"map info": map_info})
    assert not np.allclose(grid.transform[:6], transform[:6], rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize(("degrees", "terms"), [(90, (0, 5, 5, 0)), (-90, (0, -5, -5, 0)), (360, (5, 0, 0, -5))])
def test_quarter_turns_are_exact(degrees: int, terms: tuple[float, ...]) -> None:
    t = grid_of(f"map info = {utm(f'rotation={degrees}')}").transform
    assert (t.a, t.b, t.d, t.e) == terms


@given(
    rotation=st.floats(-360, 360),
    column=st.floats(-1e4, 1e4),
    row=st.floats(-1e4, 1e4),
    x_size=st.floats(0.1, 100),
    y_size=st.floats(0.1, 100),
)
def test_tie_point_lands_on_its_coordinates_and_rotation_comes_back(
    rotation: float, column: float, row: float, x_size: float, y_size: float
) -> None:
    tie, size = f"{column!r}, {row!r}", f"{x_size!r}, {y_size!r}"
    grid = grid_of(f"map info = {{Arbitrary, {tie}, 500000, 4200000, {size}, rotation={rotation!r}}}")
    t = grid.transform
    x, y = t.a * (column - 1) + t.b * (row - 1) + t.c, t.d * (column - 1) + t.e * (row - 1) + t.f
    np.testing.assert_allclose((x, y), (500000, 4200000), atol=1e-6)
    np.testing.assert_allclose(grid.pixel_size, (x_size, y_size), rtol=1e-9)
    turn = math.radians(grid.rotation - rotation)
    np.testing.assert_allclose((math.cos(turn), math.sin(turn)), (1.0, 0.0), atol=1e-9)


DATUMS = {
    "none": ("32, North", 32632),
    "WGS84": ("32, North, WGS84", 32632),
    "WGS-84": ("32, South, WGS-84", 32732),
    "ETRS-89": ("32, North, ETRS-89", 25832),
    "ETRS89": ("33, North, ETRS89", 25833),
}


@pytest.mark.parametrize("case", DATUMS)
def test_datum_of_a_utm_scene(case: str) -> None:
    datum, code = DATUMS[case]
    grid, notes = grid_and_notes(f"map info = {{UTM, 1, 1, 500000, 4200000, 5, 5, {datum}, units=Meters}}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == code
    assert any("no datum" in note for note in notes) == (case == "none")


def test_unknown_datum_is_taken_as_wgs84_and_said() -> None:
    grid, notes = grid_and_notes(f"map info = {utm(datum='33, North, Rubbish 1850')}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 32633
    assert notes == ["the datum 'Rubbish 1850' of 'map info' is not known; it was taken as WGS 84"]
    for known in ("North America 1983", "European 1950", "WGS-84"):
        assert grid_and_notes(f"map info = {utm(datum=f'33, North, {known}')}")[1] == []


def test_geographic_scene_without_datum_is_taken_as_wgs84_and_said() -> None:
    grid, notes = grid_and_notes("map info = {Geographic Lat/Lon, 1, 1, 10, 50, 0.1, 0.1}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 4326
    assert "no datum" in notes[0]


def test_arbitrary_map_keeps_its_grid_and_has_no_crs() -> None:
    grid = grid_of("map info = {Arbitrary, 1, 1, 100, 200, 2, 3, 0, units=Meters, rotation=30}")
    assert grid.crs is None
    assert grid.pixel_size == pytest.approx((2, 3))
    assert grid.rotation == pytest.approx(30)


def test_unknown_projection_keeps_its_grid_and_says_so() -> None:
    grid, notes = grid_and_notes("map info = {Lunar Something, 1, 1, 100, 200, 2, 3, units=Meters}")
    assert grid.crs is None
    assert grid.transform == Affine(2, 0, 100, 0, -3, 200)
    assert "'Lunar Something'" in notes[0]


def test_crs_without_map_info_is_kept_and_the_missing_place_said() -> None:
    grid, notes = grid_and_notes(f"coordinate system string = {{{UTM33_ESRI}}}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 32633
    assert not grid.has_transform
    assert "no 'map info'" in notes[0]


def test_string_wins_over_map_info_and_the_conflict_is_said() -> None:
    map_info = utm(datum="32, North, WGS-84")
    grid, notes = grid_and_notes(f"map info = {map_info}\ncoordinate system string = {{{UTM33_ESRI}}}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 32633
    assert "EPSG:32633" in notes[0]
    assert "EPSG:32632" in notes[0]


def test_unreadable_string_is_ignored_and_said() -> None:
    grid, notes = grid_and_notes(f"map info = {utm()}\ncoordinate system string = {{GEOGCS[}}")
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 32611
    assert "PROJ" in notes[0]


def test_map_info_without_braces_is_read() -> None:
    grid, notes = grid_and_notes(f"map info = {utm().strip('{}')}")
    assert grid.transform == Affine(5, 0, 500000, 0, -5, 4200000)
    assert "braces" in notes[0]


def test_geo_points_are_ground_control_points_in_degrees(tmp_path: Path) -> None:
    text = "{1, 1, 50, 10, 4, 1, 50.5, 11, 1, 4, 49, 10, 4, 4, 49, 11.25}"
    path = write_envi(tmp_path, "scene", np.zeros((1, 4, 3), dtype="uint8"), header_extra={"geo points": text})
    with rasterio.open(path.with_suffix(".img")) as dataset:
        expected = [(point.row, point.col, point.x, point.y) for point in dataset.gcps[0]]
    grid = grid_of(f"geo points = {text}")
    assert [(p.row, p.col, p.x, p.y) for p in grid.ground_control_points] == expected
    assert grid.crs is not None
    assert CRS.from_wkt(grid.crs).to_epsg() == 4326
    assert grid.is_georeferenced


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("map info = {UTM, 1, 1, 500000}", "six numbers"),
        ("map info = {UTM, 1, 1, 500000, north, 5, 5, 11, North}", "six numbers"),
        ("map info = {UTM, 1, 1, 500000, nan, 5, 5, 11, North}", "six numbers"),
        ("map info = {UTM, 1, 1, 500000, 4200000, 0, 5, 11, North}", "pixel size is 0"),
        ("map info = {UTM, 1, 1, 500000, 4200000, 5, 5, 11, North, rotation=left}", "rotation=left"),
        ("geo points = {1, 1, 50}", "geo points"),
    ],
)
def test_broken_georeference_is_refused_with_its_line(fields: str, message: str) -> None:
    with pytest.raises(SceneError, match=f"line 2.*{message}"):
        grid_of(fields)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["UTM", "1", "-5", "33", "North", "WGS-84", "units=Feet", "rotation=", "=", "", "é", "{"]))
)
def test_no_map_info_breaks_the_reader(items: list[str]) -> None:
    with contextlib.suppress(SceneError):
        grid_of(f"map info = {{{', '.join(items)}}}")
