"""Headers that misplace a scene, here or in GDAL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from spectral_scenes import edit, write_scene

from hsigeo.grid import Grid
from hsigeo.io import open_cube
from hsigeo.io.doctor.place import check_map_info, check_place, format_map_info
from hsigeo.io.envi.header import parse_header, read_header
from hsigeo.io.envi.mapinfo import parse_map_info

TURNED = "{{UTM, {tie}, 500000, 4200000, 5, {y}, 33, North, WGS-84, units=Meters, {turn}}}"


@pytest.mark.parametrize(("tie", "turn"), [("3, 2", "rotation=30"), ("1, 1", "rotation = 30"), ("3, 2", "Rotation=30")])
def test_what_gdal_misreads_is_rewritten_so_that_it_agrees(tie: str, turn: str, tmp_path: Path) -> None:
    path = write_scene(tmp_path, map_info=TURNED.format(tie=tie, y=5, turn=turn))
    ours = open_cube(path).header.grid.transform
    with rasterio.open(tmp_path / "scene.img") as dataset:
        assert not dataset.transform.almost_equals(ours, 1e-6)
    (finding,) = check_map_info(read_header(path))
    assert finding.code == "rotation"
    edit(path, map_info=finding.changes["map info"])
    assert open_cube(path).header.grid.transform.almost_equals(ours, 1e-6)
    with rasterio.open(tmp_path / "scene.img") as dataset:
        assert dataset.transform.almost_equals(ours, 1e-6)
    assert check_map_info(read_header(path)) == []


@pytest.mark.parametrize("unit", ["Degrees", "Minutes", "Seconds", "Radians"])
def test_a_rotated_map_in_any_unit_of_angle_is_rewritten_in_degrees(unit: str) -> None:
    text = f"{{Geographic Lat/Lon, 3, 2, 36000, 1800, 3, 2, WGS-84, units={unit}, rotation = 30}}"
    stated = parse_map_info(parse_header(f"ENVI\nmap info = {text}\n", "x.hdr"))
    assert stated is not None
    rewritten = parse_map_info(parse_header(f"ENVI\nmap info = {format_map_info(stated)}\n", "x.hdr"))
    assert rewritten is not None
    assert rewritten.options["units"] == "Degrees"
    np.testing.assert_allclose(rewritten.transform[:6], stated.transform[:6], rtol=1e-12)


@pytest.mark.parametrize(("y", "turn", "said"), [(5, "rotation=180", "mirrors"), (2, "rotation=30", "not square")])
def test_what_no_header_can_tell_gdal_is_only_said(y: int, turn: str, said: str, tmp_path: Path) -> None:
    path = write_scene(tmp_path, map_info=TURNED.format(tie="1, 1", y=y, turn=turn))
    (finding,) = check_map_info(read_header(path))
    assert said in finding.message
    assert finding.changes == {}


def test_a_sound_rotation_is_not_mentioned(tmp_path: Path) -> None:
    path = write_scene(tmp_path, map_info=TURNED.format(tie="1, 1", y=5, turn="rotation=-23.5"))
    assert check_map_info(read_header(path)) == []


def test_a_pixel_size_of_0_is_taken_from_the_field_pixel_size(tmp_path: Path) -> None:
    broken = "{UTM, 1, 1, 500000, 4200000, 0, 0, 33, North, WGS-84, units=Meters}"
    path = write_scene(tmp_path, map_info=broken)
    (finding,) = check_map_info(read_header(path))
    assert (finding.severity, finding.changes) == ("error", {"map info": None})
    (finding,) = check_map_info(read_header(edit(path, pixel_size="{5, 5, units=Meters}")))
    assert finding.changes["map info"] == broken.replace("0, 0, 33", "5, 5, 33")


def test_coordinates_of_another_kind_than_the_crs_are_pointed_out() -> None:
    utm, degrees = rasterio.CRS.from_epsg(32633).to_wkt(), rasterio.CRS.from_epsg(4326).to_wkt()
    geographic, projected = Affine(0.001, 0, 13.1, 0, -0.001, 52.4), Affine(5, 0, 5e5, 0, -5, 4.2e6)
    cases = [(utm, geographic, True), (degrees, projected, True), (utm, projected, False), (degrees, geographic, False)]
    for crs, transform, odd in cases:
        found = check_place(Grid(lines=10, samples=10, transform=transform, crs=crs))
        assert [finding.code for finding in found] == ["crs-mismatch"] * odd


def test_a_missing_crs_and_a_missing_place_are_told_apart() -> None:
    (finding,) = check_place(Grid(lines=2, samples=2))
    assert finding.code == "no-georeference"
    (finding,) = check_place(Grid(lines=2, samples=2, transform=Affine(5, 0, 0, 0, -5, 0)))
    assert finding.code == "no-crs"
