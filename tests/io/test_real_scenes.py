"""Every raster of the real data, value by value against GDAL, or refused for the right reason."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

import hsigeo
from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.grid import Grid
from hsigeo.io import open_cube
from hsigeo.io.envi.header import read_header
from hsigeo.io.envi.mapinfo import read_grid

EVERYTHING = slice(None)

RASTERS = [
    "avirisng_isofit/ang20160910t185702_2rdn_img",
    "avirisng_isofit/ang20160910t185702_obs_ortdem_mod",
    "avirisng_isofit/ang20170323t202244_loc_7000-7010",
    "avirisng_isofit/ang20170323t202244_obs_7000-7010",
    "avirisng_isofit/ang20170323t202244_rdn_7000-7010",
    "berlin/enmap80x60/EnMAP_BerlinUrbanGradient.bsq",
    "berlin/enmap80x60/HighResolution_BerlinUrbanGradient.bsq",
    "berlin/enmap80x60/raw244/EnMAP_BerlinUrbanGradient.bsq",
    "emit_jpl/emit20250324t221005_jpl_unmix_ex",
    "enmap_potsdam/images/enmap_potsdam_tile_128_0.tif",
    "enmap_potsdam/labels/enmap_potsdam_tile_128_0.tif",
    "envi_header_edge_cases/AV320250308t200738_loc.img",
    "envi_header_edge_cases/AV320250308t200738_obs.img",
    "envi_header_edge_cases/AV320250308t200738_rdn.img",
    "envi_header_edge_cases/qps_envi",
    "envi_header_edge_cases/qps_hymap.tif",
    "gamsberg_hyperion/cubus_gamsberg_subset",
    "indian_pines/IndianTR123_temp123.tif",
]


@pytest.mark.parametrize("name", RASTERS)
def test_values_and_georeference_are_those_of_gdal(name: str, real_data: Path) -> None:
    cube = open_cube(real_data / name)
    grid = cube.header.grid
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        # Else GDAL leaves a file beside the compressed ones.
        rasterio.Env(CPL_VSIL_GZIP_WRITE_PROPERTIES="NO"),
        rasterio.open(real_data / name) as dataset,
    ):
        np.testing.assert_array_equal(cube.read(EVERYTHING, EVERYTHING), dataset.read())
        np.testing.assert_allclose(grid.transform[:6], dataset.transform[:6], rtol=1e-12)
        assert (None if grid.crs is None else CRS.from_wkt(grid.crs)) == dataset.crs
        assert cube.header.nodata == dataset.nodata


@pytest.mark.parametrize("name", [name for name in RASTERS if not name.endswith(".tif")])
def test_header_and_data_file_open_the_same_scene(name: str, real_data: Path) -> None:
    data = real_data / name
    header = next(path for path in (Path(f"{data}.hdr"), data.with_suffix(".hdr")) if path.is_file())
    assert open_cube(header).header.data_path == str(data)


REFUSED = {
    "gamsberg_hyperion/gamsberg_field_library.hdr": "spectral library, not a scene",
    "gamsberg_hyperion/gamsberg_field_library": "spectral library, not a scene",
    "berlin/speclib/library_berlin.hdr": "spectral library, not a scene",
    "jasper_ridge/JasperRidge2_R198.mat": "MATLAB",
    "README.md": "not a raster",
    "berlin": "is a folder",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_scene_is_refused_for_the_right_reason(name: str, real_data: Path) -> None:
    with pytest.raises(SceneError, match=REFUSED[name]) as caught:
        open_cube(real_data / name)
    assert "\n" not in str(caught.value)


def test_headers_without_their_data_are_refused_with_the_names_tried(real_data: Path) -> None:
    headers = [
        path
        for path in (real_data / "envi_header_edge_cases").glob("*.hdr")
        if path.name.startswith(("lfsonly", "gdal", "ang"))
    ]
    assert len(headers) > 15
    for path in headers:
        reason = "spectral library" if "imagesample" in path.name else rf"tried {path.stem}, and {path.stem} \+ \.img"
        with pytest.raises((SceneNotFoundError, SceneError), match=reason):
            open_cube(path)


@pytest.mark.parametrize(
    "name",
    [
        "gdal_rotation",
        "gdal_uint16_envi_bigendian",
        "gdal_aea_compressed",
        "ang20170714t213741_corr_v2p9_img_band1",
        "lfsonly_AF_Image",
        "lfsonly_AF_AdminBorders",
        "lfsonly_HymapBerlinA_image",
        "lfsonly_HymapBerlinB_truth",
    ],
)
def test_georeference_of_headers_alone_is_that_of_gdal(name: str, real_data: Path, tmp_path: Path) -> None:
    source = real_data / "envi_header_edge_cases" / f"{name}.hdr"
    header = read_header(source)
    grid: Grid = read_grid(header, lines=header.integer("lines"), samples=header.integer("samples"))[0]
    shutil.copyfile(source, tmp_path / "a.hdr")
    text = (tmp_path / "a.hdr").read_text(encoding="latin-1").replace("file compression = 1", "file compression = 0")
    (tmp_path / "a.hdr").write_text(text, encoding="latin-1")
    with (tmp_path / "a.img").open("wb") as file:
        file.truncate(grid.lines * grid.samples * header.integer("bands") * 8)
    with rasterio.open(tmp_path / "a.img") as dataset:
        np.testing.assert_allclose(grid.transform[:6], dataset.transform[:6], rtol=1e-12)
        assert grid.crs is not None
        assert CRS.from_wkt(grid.crs) == dataset.crs


def test_berlin_is_reflectance_in_nm_without_its_nodata(real_data: Path) -> None:
    scene = hsigeo.open_scene(real_data / "berlin/enmap80x60/EnMAP_BerlinUrbanGradient.hdr")
    assert scene.shape == (177, 80, 60)
    assert scene.wavelength.values[[0, -1]].tolist() == [460.0, 2409.0]
    assert 0 < float(scene.min()) < float(scene.max()) < 1


def test_potsdam_has_its_stated_scale_and_bad_bands(real_data: Path) -> None:
    scene = hsigeo.open_scene(real_data / "enmap_potsdam/images/enmap_potsdam_tile_128_0.tif")
    assert (np.flatnonzero(~scene.good.values) + 1).tolist() == [130, 131, 132, 133, 134, 135]
    assert scene.attrs["repairs"] == []
    good = scene.isel(band=scene.good.values)
    assert bool(np.isfinite(good).all())
    assert 0 < float(good.min()) < float(good.max()) < 1


def test_wavelengths_are_found_in_band_names(real_data: Path) -> None:
    for name, first, last in (
        ("avirisng_isofit/ang20160910t185702_2rdn_img.hdr", 376.44, 2500.12),
        ("gamsberg_hyperion/cubus_gamsberg_subset.hdr", 426.820007, 2324.909912),
    ):
        wavelength = hsigeo.open_scene(real_data / name).wavelength.values
        assert wavelength[[0, -1]].tolist() == [first, last]


def test_emit_bad_bands_are_read(real_data: Path) -> None:
    header = open_cube(real_data / "emit_jpl/emit20250324t221005_jpl_unmix_ex.hdr").header
    assert header.bands.count == 285
    assert (~header.bands.good).sum() == 41
