"""Which reader a file gets, and readers of other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from envi_files import make_encoded_cube, write_envi

import hsigeo
from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io import open_cube
from hsigeo.io.readers.registry import reader_names

FOREIGN = """
from dataclasses import dataclass
import numpy as np
from hsigeo.bands import BandTable
from hsigeo.grid import Grid
from hsigeo.io.cube import CubeHeader, FileStamp, check_window
from hsigeo.io.scaling import Scaling


@dataclass(frozen=True)
class OnesCube:
    header: CubeHeader

    def read(self, rows, cols, bands=slice(None)):
        ranges = check_window(self.header.shape, bands, rows, cols)
        return np.ones([len(part) for part in ranges], dtype=self.header.dtype)


class OnesReader:
    name = "ones"
    title = "files that begin with ONES"

    def claim(self, probe):
        return "it begins with ONES" if probe.start.startswith(b"ONES") else None

    def open(self, path):
        return OnesCube(
            CubeHeader(
                path=str(path), data_path=str(path.absolute()), stamp=FileStamp.of(path), format="ones",
                interleave="bsq", dtype=np.dtype("f4"), byte_order="little", block_shape=(1, 4),
                grid=Grid(lines=3, samples=4), bands=BandTable(count=2), scaling=Scaling.constant(2),
            )
        )
"""


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a reader, installed as pip would leave it."""
    site = tmp_path / "site"
    info = site / "ones-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ones\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hsigeo.readers]\nones = ones_reader:OnesReader\n")
    (site / "ones_reader.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "ones_reader", raising=False)
    return site


def write_tiff(path: Path) -> Path:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=4,
        height=3,
        count=2,
        dtype="int16",
        transform=rasterio.Affine(1, 0, 5, 0, -1, 9),
    ) as dataset:
        dataset.write(make_encoded_cube(2, 3, 4))
    return path


def test_the_reader_is_found_from_the_content_whatever_the_name(tmp_path: Path) -> None:
    tiff = write_tiff(tmp_path / "cube.dat")
    envi = write_envi(tmp_path, "line", make_encoded_cube(2, 3, 4), suffix=".tif")
    assert (open_cube(tiff).header.reader, open_cube(tiff).header.reader_reason) == (
        "geotiff",
        "it begins as a TIFF does",
    )
    assert open_cube(envi).header.reader_reason == "its name ends in .hdr"
    by_data = open_cube(envi.with_suffix(".tif")).header
    assert (by_data.reader, by_data.reader_reason) == ("envi", "the ENVI header line.hdr lies beside it")


def test_a_reader_asked_for_by_name_is_used_or_says_why_not(tmp_path: Path) -> None:
    tiff = write_tiff(tmp_path / "cube.tif")
    assert open_cube(tiff, reader="geotiff").header.reader_reason == "it was asked for by name"
    with pytest.raises(SceneError, match="has no ENVI header beside it"):
        open_cube(tiff, reader="envi")
    with pytest.raises(SceneError, match=r"no reader 'envy'; there are .*envi, geotiff"):
        open_cube(tiff, reader="envy")


def test_a_missing_file_is_said_to_be_missing_whatever_the_reader(tmp_path: Path) -> None:
    with pytest.raises(SceneNotFoundError, match="there is no such file"):
        open_cube(tmp_path / "none.h5", reader="geotiff")


def test_a_reader_of_another_package_is_asked_first(other_package: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ones"
    path.write_bytes(b"ONES")
    assert reader_names()[0] == "ones"
    scene = hsigeo.open_scene(path)
    assert scene.attrs["reader"] == "ones"
    np.testing.assert_array_equal(scene.values, np.ones((2, 3, 4)))


def test_a_reader_that_cannot_be_imported_is_said_and_does_no_harm(other_package: Path, tmp_path: Path) -> None:
    (other_package / "ones_reader.py").write_text("import a_package_that_is_not_there\n")
    header = open_cube(write_tiff(tmp_path / "cube.tif")).header
    assert header.reader == "geotiff"
    assert any("'ones'" in note and "a_package_that_is_not_there" in note for note in header.repairs)
    with pytest.raises(SceneError, match="cannot be imported"):
        open_cube(tmp_path / "cube.tif", reader="ones")
