"""ENVI flight lines and the companions that place them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from envi_files import make_encoded_cube, write_envi
from products.nasa import tilted_lookup
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.geolocation import LookupTable, PixelPositions
from hsigeo.io.spool import Spool

LINES, SAMPLES = 9, 6
LINE = "ang20170323t202244"
UTM = "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North, WGS-84, units=Meters%s}"


def write_scene(folder: Path, name: str = f"{LINE}_rdn_v2p9_img", **header) -> Path:
    fields = {"wavelength": [450, 550, 650], "wavelength units": "Nanometers", **header}
    return write_envi(folder, name, make_encoded_cube(3, LINES, SAMPLES, "float32"), suffix="", header_extra=fields)


def write_glt(folder: Path, name: str = f"{LINE}_rdn_glt", rotation: str = "", dtype: str = "int32") -> Path:
    table = np.stack(tilted_lookup(LINES, SAMPLES))
    return write_envi(folder, name, table, dtype=dtype, suffix="", header_extra={"map info": UTM % rotation})


def utm_positions() -> tuple[np.ndarray, np.ndarray]:
    line, sample = np.mgrid[0:LINES, 0:SAMPLES].astype(float)
    return 500_000 + 5 * sample + line, 4_200_000 - 5 * line


def write_positions(folder: Path, kind: str, x: np.ndarray, y: np.ndarray, name: str = "", **header) -> Path:
    values = np.stack([x, y, np.full_like(x, 100)])
    return write_envi(folder, name or f"{LINE}_rdn_{kind}", values, dtype="float64", suffix="", header_extra=header)


def lon_lat() -> tuple[np.ndarray, np.ndarray]:
    x, y = utm_positions()
    lon, lat = transform_coordinates("EPSG:32633", "EPSG:4326", x.ravel(), y.ravel())
    return np.reshape(lon, x.shape), np.reshape(lat, x.shape)


def test_a_scene_with_a_map_grid_needs_no_companions(tmp_path: Path) -> None:
    write_glt(tmp_path)
    header = open_cube(write_scene(tmp_path, **{"map info": UTM % ""})).header
    assert (header.reader, header.geolocation) == ("envi", None)


@pytest.mark.parametrize("rotation", ["", ", rotation=42"])
def test_the_lookup_table_comes_first_and_may_be_rotated(tmp_path: Path, rotation: str) -> None:
    write_positions(tmp_path, "loc", *lon_lat())
    write_glt(tmp_path, rotation=rotation)
    scene = write_scene(tmp_path)
    for given in (scene, scene.with_suffix("")):
        header = open_cube(given).header
        assert header.reader == "flight-line"
        assert header.reader_reason == f"its header has no map info, and {LINE}_rdn_glt lies beside it"
        assert isinstance(header.geolocation, LookupTable)
    with Spool() as spool, header.geolocation.lookup(spool) as lookup:
        glt_x, glt_y = tilted_lookup(LINES, SAMPLES)
        np.testing.assert_array_equal(
            lookup.read(slice(None)), np.where(glt_x > 0, (glt_y - 1) * SAMPLES + glt_x - 1, -1)
        )
        assert lookup.grid.rotation == pytest.approx(42 if rotation else 0)
        assert (lookup.grid.transform @ (0, 0)) == pytest.approx((500_000, 4_200_000))


@pytest.mark.parametrize("kind", ["loc", "igm"])
def test_positions_place_the_scene(kind: str, tmp_path: Path) -> None:
    """``_loc`` in degrees; ``_igm`` in the map coordinates that the table of the other product states."""
    write_positions(
        tmp_path,
        kind,
        *(lon_lat() if kind == "loc" else utm_positions()),
        **{"map info": UTM % "" if kind == "igm" else None},
    )
    header = open_cube(write_scene(tmp_path)).header
    assert isinstance(header.geolocation, PixelPositions)
    x, y = utm_positions()
    with Spool() as spool, header.geolocation.lookup(spool) as lookup:
        assert CRS.from_wkt(lookup.grid.crs).to_epsg() == 32633
        index = lookup.read(slice(None))
        rows, cols = np.nonzero(index >= 0)
        to_x, to_y = lookup.grid.transform @ (cols + 0.5, rows + 0.5)
        taken = index[rows, cols]
        assert np.hypot(to_x - x.ravel()[taken], to_y - y.ravel()[taken]).max() <= lookup.max_distance + 1e-3


def test_map_coordinates_without_a_crs_do_not_place(tmp_path: Path) -> None:
    write_positions(tmp_path, "igm", *utm_positions())
    with pytest.raises(SceneError, match="holds map coordinates, but no file beside it says in which CRS") as caught:
        open_cube(write_scene(tmp_path))
    assert "--reader envi" in str(caught.value)
    assert open_cube(write_scene(tmp_path), reader="envi").header.geolocation is None


def test_a_companion_that_does_not_fit_is_said_and_the_next_is_taken(tmp_path: Path) -> None:
    write_glt(tmp_path, dtype="float32")
    write_positions(tmp_path, "loc", *lon_lat())
    header = open_cube(write_scene(tmp_path)).header
    assert isinstance(header.geolocation, PixelPositions)
    assert f"{LINE}_rdn_glt.hdr was not used: " in header.repairs[0]


def test_a_companion_whose_data_is_missing_is_said(tmp_path: Path) -> None:
    write_glt(tmp_path).with_suffix("").unlink()
    with pytest.raises(SceneError, match=r"cannot be placed: .*its data file is not there"):
        open_cube(write_scene(tmp_path))


def test_without_companions_the_reader_asked_for_says_what_it_misses(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="no _glt, _loc or _igm of this flight line lies beside it"):
        open_cube(write_scene(tmp_path), reader="flight-line")


def test_companions_of_other_lines_and_of_other_pieces_are_left_alone(tmp_path: Path) -> None:
    lon, lat = lon_lat()
    write_positions(tmp_path, "loc", lon, lat, name="ang20170323t210000_rdn_loc")
    scene = write_scene(tmp_path, f"{LINE}_rdn_7000-7010")
    assert open_cube(scene).header.reader == "envi"
    write_positions(tmp_path, "loc", lon + 1, lat, name=f"{LINE}_loc_8000-8010")
    write_positions(tmp_path, "loc", lon, lat, name=f"{LINE}_loc_7000-7010")
    write_positions(tmp_path, "obs", lon, lat, name=f"{LINE}_obs_7000-7010")
    header = open_cube(scene).header
    assert [(kind, Path(path).name) for kind, path in header.companions] == [
        ("loc", f"{LINE}_loc_7000-7010.hdr"),
        ("obs", f"{LINE}_obs_7000-7010.hdr"),
    ]


def test_segments_of_aviris_3_are_lines_of_their_own(tmp_path: Path) -> None:
    lon, lat = lon_lat()
    scene = write_scene(tmp_path, "AV320250809t182459_000_L2A_OE_RFL")
    write_positions(tmp_path, "loc", lon, lat, name="AV320250809t182459_001_L1B_LOC")
    assert open_cube(scene).header.reader == "envi"
    write_positions(tmp_path, "loc", lon, lat, name="AV320250809t182459_000_L1B_LOC")
    assert open_cube(scene).header.reader == "flight-line"


def test_a_real_line_of_aviris_ng_is_placed_by_its_positions(real_data: Path) -> None:
    header = open_cube(real_data / "avirisng_isofit" / "ang20170323t202244_rdn_7000-7010").header
    assert [kind for kind, _ in header.companions] == ["loc", "obs"]
    assert header.geolocation is not None
    with Spool() as spool, header.geolocation.lookup(spool) as lookup:
        assert CRS.from_wkt(lookup.grid.crs).is_projected
        found = lookup.read(slice(None))
        assert lookup.grid.pixel_size == (21, 21)  # 19.5 m along, 22 m across
        assert len(np.unique(found)) > 80
        # The map coordinates of each sensor pixel fall on a map pixel that took it or a neighbour of it.
        loc = open_cube(real_data / "avirisng_isofit" / "ang20170323t202244_loc_7000-7010").read(
            slice(None), slice(None)
        )
        x, y = transform_coordinates("EPSG:4326", CRS.from_wkt(lookup.grid.crs), loc[0].ravel(), loc[1].ravel())
        col, row = ~lookup.grid.transform @ (np.array(x), np.array(y))
        taken = found[row.astype(int), col.astype(int)]
        assert (taken >= 0).all()
        far = np.hypot(taken // 10 - np.arange(100) // 10, taken % 10 - np.arange(100) % 10)
        assert np.median(far) == 0
        assert far.max() <= 1.5
    assert isinstance(lookup.grid.transform, Affine)
