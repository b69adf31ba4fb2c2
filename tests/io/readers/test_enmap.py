"""EnMAP L2A: the document says what the image does not; in folders and archives."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from envi_files import make_encoded_cube, write_envi
from products.dlr import ENMAP, ENMAP_WAVELENGTH, NODATA, TRANSFORM, pack, write_enmap
from rasterio.crs import CRS

import hsigeo
from hsigeo.campaign.inputs import expand_scenes
from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.scene import grid_of

BANDS, LINES, SAMPLES = len(ENMAP_WAVELENGTH), 7, 5


@pytest.fixture
def cube() -> np.ndarray:
    values = make_encoded_cube(BANDS, LINES, SAMPLES) % 9999
    values[:, 1, 2] = NODATA
    return values


def check_scene(path: Path, cube: np.ndarray) -> None:
    scene = hsigeo.open_scene(path)
    np.testing.assert_allclose(scene.values, np.where(cube == NODATA, np.nan, cube * 1e-4), rtol=1e-6)
    assert scene.wavelength.values.tolist() == list(ENMAP_WAVELENGTH)
    assert scene.fwhm.values == pytest.approx([6.1, 6.2, 6.3, 6.4, 6.5, 6.6, 6.7, 6.8, 6.9])
    # VNIR at 902.3, 907.7 and 993.4 nm lies beyond SWIR's first, 901.9 nm; band 8 has no values.
    assert scene.good.values.tolist() == [True, True, False, False, True, False, True, False, True]
    assert grid_of(scene).transform == TRANSFORM
    assert CRS.from_wkt(grid_of(scene).crs).to_epsg() == 32633
    assert scene.attrs["reader"] == "enmap"
    assert not any("guess" in note or "divided" in note for note in scene.attrs["repairs"])


@pytest.mark.parametrize("given", ["METADATA.XML", "SPECTRAL_IMAGE.TIF", "folder"])
def test_any_file_of_the_product_opens_it(given: str, cube: np.ndarray, tmp_path: Path) -> None:
    document = write_enmap(tmp_path / "product", cube)
    check_scene(document.parent if given == "folder" else document.with_name(f"{ENMAP}-{given}"), cube)


@pytest.mark.parametrize("archive", ["a.zip", "a.tar", "a.tar.gz"])
def test_archives_are_read_without_unpacking(archive: str, cube: np.ndarray, tmp_path: Path) -> None:
    packed = pack(write_enmap(tmp_path / "product", cube).parent, tmp_path / archive)
    before = sorted(tmp_path.iterdir())
    check_scene(packed, cube)
    assert sorted(tmp_path.iterdir()) == before


def test_the_image_without_a_nodata_tag_has_the_products(cube: np.ndarray, tmp_path: Path) -> None:
    check_scene(write_enmap(tmp_path / "product", cube, nodata=None), cube)


def test_an_envi_image_is_read_as_well(cube: np.ndarray, tmp_path: Path) -> None:
    document = write_enmap(tmp_path, cube, leave_out=("image",))
    map_info = "{UTM, 1, 1, 360000, 5810000, 30, 30, 33, North, WGS-84, units=Meters}"
    write_envi(
        tmp_path, f"{ENMAP}-SPECTRAL_IMAGE", cube, suffix=".BSQ", interleave="bsq", header_extra={"map info": map_info}
    )
    check_scene(document, cube)


def test_quality_layers_are_named(cube: np.ndarray, tmp_path: Path) -> None:
    header = open_cube(write_enmap(tmp_path, cube)).header
    layer = tmp_path / f"{ENMAP}-QL_QUALITY_CLOUD.TIF"
    assert header.companions == (("quality", str(layer)),)
    assert open_cube(layer).header.reader == "geotiff"


def test_a_folder_of_one_product_is_a_scene_and_one_of_several_holds_scenes(cube: np.ndarray, tmp_path: Path) -> None:
    write_enmap(tmp_path, cube)
    assert expand_scenes([str(tmp_path)]) == [str(tmp_path)]
    write_enmap(tmp_path, cube, name=ENMAP.replace("_008_", "_009_"))
    assert [Path(scene).name[-18:] for scene in expand_scenes([str(tmp_path)])] == ["SPECTRAL_IMAGE.TIF"] * 2


def test_a_tiff_beside_another_document_is_a_plain_tiff(cube: np.ndarray, tmp_path: Path) -> None:
    document = write_enmap(tmp_path, cube)
    document.write_text("<other/>")
    assert open_cube(document.with_name(f"{ENMAP}-SPECTRAL_IMAGE.TIF")).header.reader == "geotiff"


def damage(folder: Path, cube: np.ndarray, how: str) -> Path:
    """A product with one thing wrong; what to open."""
    options: dict = {
        "level": {"level": "L1C"},
        "bands": {"bands": ENMAP_WAVELENGTH[:-1]},
        "no image": {"leave_out": ("image",)},
    }.get(how, {})
    document = write_enmap(folder, cube, **options)
    text = document.read_text()
    if how == "cut":
        document.write_text(text[: len(text) // 2])
    if how == "entities":
        document.write_text(text.replace("?>\n", '?>\n<!DOCTYPE x [<!ENTITY a "aaaa">]>', 1))
    if how == "no gain":
        document.write_text(text.replace("<GainOfBand>0.0001</GainOfBand>", "", 1))
    if how == "two scenes":
        write_enmap(folder, cube, name=ENMAP.replace("_008_", "_009_"))
        return folder
    return document


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("level", "describes EnMAP L1C, which is not reflectance; hsigeo reads L2A"),
        ("bands", "describes 8 bands, the image has 9; a newer version of the product"),
        ("no image", "SPECTRAL_IMAGE.TIF is not there"),
        ("cut", "is not XML; it may be truncated"),
        ("entities", "defines entities"),
        ("no gain", "band 1 has no GainOfBand"),
        ("two scenes", "is a folder, and not of one product"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(how: str, reason: str, cube: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=reason) as caught:
        open_cube(damage(tmp_path / "product", cube, how))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("archive", ["a.zip", "a.tar", "a.tar.gz"])
def test_a_cut_archive_is_said_to_be_cut(archive: str, cube: np.ndarray, tmp_path: Path) -> None:
    packed = pack(write_enmap(tmp_path / "product", cube).parent, tmp_path / archive)
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    with pytest.raises(SceneError, match=r"download it again|may be damaged|is not there") as caught:
        open_cube(packed, reader="enmap").read(slice(None), slice(None))
    assert "\n" not in str(caught.value)


def test_names_that_point_out_of_an_archive_are_not_followed(cube: np.ndarray, tmp_path: Path) -> None:
    folder = write_enmap(tmp_path / "product", cube).parent
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for file in folder.iterdir():
            packed.write(file, f"../product/{file.name}")
    with pytest.raises(SceneError, match="archive that holds no product"):
        open_cube(tmp_path / "a.zip")
    with pytest.raises(SceneError, match=r"holds no -SPECTRAL_IMAGE.TIF"):
        open_cube(tmp_path / "a.zip", reader="enmap")


def test_gdal_reads_the_same_numbers_out_of_the_archive(cube: np.ndarray, tmp_path: Path) -> None:
    packed = pack(write_enmap(tmp_path / "product", cube).parent, tmp_path / "a.zip")
    with rasterio.open(f"zip://{packed}!product/{ENMAP}-SPECTRAL_IMAGE.TIF") as dataset:
        np.testing.assert_array_equal(open_cube(packed).read(slice(None), slice(None)), dataset.read())
