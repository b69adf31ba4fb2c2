"""DESIS L2A: the header that GDAL does not look at, or the document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from envi_files import make_encoded_cube
from products.dlr import DESIS, DESIS_GAIN, DESIS_WAVELENGTH, NODATA, TRANSFORM, pack, write_desis

import hsigeo
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.scene import grid_of


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(4, 6, 5) % 4999
    values[:, 2, 0] = NODATA
    return values


@pytest.mark.parametrize("given", ["SPECTRAL_IMAGE.tif", "SPECTRAL_IMAGE.hdr", "METADATA.xml", "a.zip", "a.tar.gz"])
@pytest.mark.parametrize("left_out", [(), ("header",)])
def test_the_scene_is_the_same_whatever_is_given(given: str, left_out: tuple, cube: np.ndarray, tmp_path: Path) -> None:
    if left_out and given.endswith("hdr"):
        pytest.skip("there is no header to give")
    folder = write_desis(tmp_path / "product", cube, leave_out=left_out).parent
    path = pack(folder, tmp_path / given) if given.startswith("a.") else folder / f"{DESIS}-{given}"
    scene = hsigeo.open_scene(path)
    gain = np.array(DESIS_GAIN)[:, None, None]
    np.testing.assert_allclose(scene.values, np.where(cube == NODATA, np.nan, cube * gain), rtol=1e-6)
    assert scene.wavelength.values.tolist() == list(DESIS_WAVELENGTH)
    assert scene.fwhm.values.tolist() == [3.4, 3.5, 3.6, 3.7]
    assert grid_of(scene).transform == TRANSFORM
    assert scene.attrs["reader"] == "desis"


def test_a_missing_document_is_said(cube: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"METADATA.XML is not there"):
        open_cube(write_desis(tmp_path, cube, leave_out=("document",)))


def test_other_levels_are_refused(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_desis(tmp_path, cube, name=DESIS.replace("L2A", "L1C"))
    with pytest.raises(SceneError, match="is DESIS L1C, which is not reflectance"):
        open_cube(path)


def test_other_bands_than_the_image_has_are_refused(cube: np.ndarray, tmp_path: Path) -> None:
    path = write_desis(tmp_path, cube[:3], leave_out=("header",))
    with pytest.raises(SceneError, match="describes 4 bands, the image has 3; a newer version"):
        open_cube(path)
