"""The deciding wavelength of every pixel."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from classifications import make_grid
from labelled_spectra import make_labelled_spectra, make_model

from hsigeo.bands import BandTable
from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.explanation import deciding_wavelength, explain_spectra, range_of_bands
from hsigeo.io import write_float_layer
from hsigeo.scene import make_scene
from hsigeo.training.record import record_training


@pytest.fixture
def model():
    return replace(make_model(), record=record_training(make_labelled_spectra(), make_model().network))


@pytest.fixture
def scene():
    cube = make_labelled_spectra().spectra.T.reshape(12, 8, 15).copy()
    cube[:, 2, 3] = np.nan
    bands = BandTable(count=12, wavelength=np.linspace(450, 2350, 12))
    return make_scene(cube, grid=make_grid(8, 15), bands=bands, attrs={}).chunk({"y": 3, "x": 15})


def test_the_layer_holds_what_the_explanation_of_each_pixel_says(model, scene):
    layer = deciding_wavelength(scene, model)
    assert np.isnan(layer.values[2, 3])
    for row, col in [(0, 0), (2, 4), (7, 14)]:
        found = explain_spectra(model, scene.values[:, row, col][None])[0]
        assert layer.values[row, col] == np.float32(scene.wavelength.values[found.evidence.argmax()])


def test_gdal_reads_the_layer_where_the_scene_lies(tmp_path, model, scene):
    layer, path = deciding_wavelength(scene, model), tmp_path / "nm.tif"
    write_float_layer(layer, path, ramp=range_of_bands(model), metadata={"HSIGEO_SCENE": "s"})
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), layer.values)
        assert dataset.transform.almost_equals(make_grid(8, 15).transform)
        assert dataset.crs.to_epsg() == 32633
        assert np.isnan(dataset.nodata)
        assert dataset.descriptions == ("deciding wavelength (nm)",)
    with pytest.raises(OutputExistsError):
        write_float_layer(layer, path)
    with pytest.raises(OutputError, match=r"\.tif"):
        write_float_layer(layer, tmp_path / "nm.img")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["nm.qml", "nm.tif"]
    style = ET.parse(tmp_path / "nm.qml").getroot()
    assert [item.get("label") for item in style.iter("item")] == ["450 nm", "925 nm", "1400 nm", "1875 nm", "2350 nm"]
    with pytest.raises(OutputExistsError, match=r"nm\.qml"):
        (tmp_path / "nm.tif").unlink()
        write_float_layer(layer, path, ramp=(0, 1))
    assert [file.name for file in tmp_path.iterdir()] == ["nm.qml"]
