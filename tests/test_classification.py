"""Classification is lazy, honours nodata, and does not depend on how the scene is cut."""

from __future__ import annotations

from dataclasses import replace

import dask
import dask.array as da
import numpy as np
import pytest
import rasterio
import rioxarray  # noqa: F401 - registers `.rio`
import torch
from affine import Affine
from envi_files import write_envi
from labelled_spectra import make_model
from rasterio.crs import CRS

from hsigeo.bands import BandTable
from hsigeo.classification import classify
from hsigeo.errors import BandMismatchError, DeviceError, ModelError, OutputError, SceneError
from hsigeo.grid import Grid
from hsigeo.io import open_scene, write_map
from hsigeo.io.class_raster import open_map
from hsigeo.model import measure_distance, predict_probabilities
from hsigeo.model.novelty import describe, learn_novelty
from hsigeo.scene import grid_of, make_scene

UTM = CRS.from_epsg(32633).to_wkt()
ROTATED = Affine.translation(5e5, 4.2e6) @ Affine.rotation(30) @ Affine.scale(5, -5)


def make_cube(lines=9, samples=7, bands=12, *, seed=0):
    return np.random.default_rng(seed).random((bands, lines, samples), dtype=np.float32)


def scene_of(cube, *, chunks=None, wavelength=True, good=None, transform=ROTATED, crs=UTM, repairs=()):
    count, lines, samples = cube.shape
    bands = BandTable(
        count=count,
        wavelength=np.linspace(450.0, 2350.0, count) if wavelength else None,
        good=np.ones(count, dtype=bool) if good is None else good,
    )
    data = cube if isinstance(cube, da.Array) else da.from_array(cube, chunks=chunks or (-1, 4, 3))
    return make_scene(
        data,
        grid=Grid(lines=lines, samples=samples, transform=transform, crs=crs),
        bands=bands,
        attrs={"repairs": list(repairs)},
    )


@pytest.fixture(scope="module")
def model():
    return make_model()


def test_nothing_is_computed_until_asked_for(model):
    def explode(block):
        raise AssertionError("a block was read")

    cube = da.map_blocks(explode, da.zeros((12, 9, 7), chunks=(12, 4, 3)), dtype=np.float32, meta=np.empty((0, 0, 0)))
    result = classify(scene_of(cube), model)
    assert result["class_id"].shape == (9, 7)


def test_every_pixel_gets_the_class_its_spectrum_has(model):
    cube = make_cube()
    result = classify(scene_of(cube), model).compute()
    expected = predict_probabilities(model, cube.reshape(12, -1).T.copy())
    np.testing.assert_allclose(result["probability"].values.reshape(3, -1).T, expected, atol=1e-6)
    np.testing.assert_array_equal(result["class_id"].values.ravel(), expected.argmax(axis=1) + 1)
    np.testing.assert_allclose(result["confidence"].values.ravel(), expected.max(axis=1), atol=1e-6)
    assert result["class_id"].dtype == np.uint8


@pytest.mark.parametrize("chunks", [(-1, -1, -1), (5, 1, 1), (12, 9, 1), (1, 2, 7)])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_chunks_and_schedulers_do_not_change_the_map(model, chunks, scheduler):
    cube = make_cube()
    with dask.config.set(scheduler=scheduler):
        whole = classify(scene_of(cube, chunks=(-1, -1, -1)), model)["class_id"].values
        np.testing.assert_array_equal(classify(scene_of(cube, chunks=chunks), model)["class_id"].values, whole)


def test_a_pixel_invalid_in_any_used_band_stays_unclassified(model):
    cube = make_cube()
    cube[5, 2, 3] = np.nan
    cube[0, 8, 6] = np.inf
    result = classify(scene_of(cube), model).compute()
    zero = np.argwhere(result["class_id"].values == 0).tolist()
    assert zero == [[2, 3], [8, 6]]
    assert np.isnan(result["confidence"].values[2, 3])
    assert np.isnan(result["probability"].values[:, 8, 6]).all()
    assert np.isfinite(result["probability"].values).sum() == 3 * (9 * 7 - 2)


def test_a_band_the_model_does_not_read_may_be_invalid(model):
    cube = np.concatenate([make_cube(), np.full((1, 9, 7), np.nan, dtype=np.float32)])
    bands = BandTable(count=13, wavelength=np.append(np.linspace(450.0, 2350.0, 12), 2500.0))
    scene = make_scene(da.from_array(cube), grid=Grid(lines=9, samples=7), bands=bands, attrs={})
    assert (classify(scene, model)["class_id"].values > 0).all()


def test_a_block_of_nodata_never_reaches_the_network(model, monkeypatch):
    def explode(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(model.network, "forward", explode)
    result = classify(scene_of(np.full((12, 9, 7), np.nan, dtype=np.float32)), model).compute()
    assert (result["class_id"].values == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1)])
def test_a_scene_of_one_row_column_or_pixel_works(model, shape):
    result = classify(scene_of(make_cube(*shape)), model).compute()
    assert result["class_id"].shape == shape


def test_the_map_lies_where_the_scene_lies(model):
    assert grid_of(classify(scene_of(make_cube()), model)).transform == ROTATED


def test_the_map_says_where_it_comes_from(model):
    scene = scene_of(make_cube(), repairs=["wavelengths without unit: read as nm"])
    attrs = classify(scene, model)["class_id"].attrs
    assert attrs["classes"] == model.card.classes.to_json()
    assert attrs["metadata"]["model_sha256"] == model.digest
    assert attrs["metadata"]["repairs"] == ["wavelengths without unit: read as nm"]


@pytest.mark.parametrize(
    ("georeference", "said"),
    [
        ({"crs": None, "transform": Affine.identity()}, "the scene has no georeference, and neither has the map"),
        ({"crs": None}, "the scene has no CRS, and neither has the map"),
        ({"transform": Affine.identity()}, "the scene has no georeference"),
    ],
)
def test_a_map_that_cannot_be_placed_says_so(model, georeference, said):
    result = classify(scene_of(make_cube(), **georeference), model)
    (repair,) = result["class_id"].attrs["metadata"]["repairs"]
    assert said in repair


def test_reprojecting_with_rioxarray_invents_no_class(model):
    classes = classify(scene_of(make_cube(), transform=Affine(5, 0, 5e5, 0, -5, 4.2e6)), model)["class_id"]
    assert classes.rio.nodata == 0
    assert set(np.unique(classes.rio.reproject("EPSG:4326"))) <= {0, 1, 2, 3}


def test_more_than_255_classes_give_a_16_bit_map():
    result = classify(scene_of(make_cube(2, 2)), make_model(classes=300)).compute()
    assert result["class_id"].dtype == np.uint16


def test_a_scene_without_wavelengths_is_matched_by_count_and_says_so(model):
    cube = make_cube()
    result = classify(scene_of(cube, wavelength=False), model)
    np.testing.assert_array_equal(result["class_id"].values, classify(scene_of(cube), model)["class_id"].values)
    assert "no wavelengths" in result["class_id"].attrs["metadata"]["repairs"][-1]


def test_missing_wavelengths_are_refused_before_anything_is_read(model):
    good = np.ones(12, dtype=bool)
    good[5:7] = False
    with pytest.raises(BandMismatchError, match=r"lacks 2 of the 12 wavelengths.*1314-1486 nm"):
        classify(scene_of(make_cube(), good=good), model)


def test_what_is_no_scene_is_refused(model):
    with pytest.raises(SceneError, match="dims"):
        classify(scene_of(make_cube()).transpose("y", "x", "band"), model)


def test_a_device_that_is_not_there_is_refused(model):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(DeviceError, match="--device cpu"):
        classify(scene_of(make_cube()), model, device="cuda")


@pytest.fixture(scope="module")
def knowing_model():
    """An untrained model that knows how far pixels lie from some others."""
    plain = make_model()
    spectra = make_cube(40, 5).reshape(12, -1).T.copy()
    description = describe(plain.network, torch.from_numpy(spectra))
    held_out = np.linspace(0.5, 1.5, 400)
    novelty = learn_novelty(description, torch.arange(len(spectra)) % 3, 3, held_out)
    return replace(plain, novelty=novelty)


def test_pixels_unlike_anything_learnt_are_left_unclassified(knowing_model):
    cube = make_cube()
    cube[:, 2, 3] = 40.0
    cube[:, 4, 5] = np.nan
    plain = classify(scene_of(cube), knowing_model).compute()
    result = classify(scene_of(cube), knowing_model, unknown=0.1).compute()

    spectra = cube.reshape(12, -1).T
    valid = np.isfinite(spectra).all(axis=1)
    expected = np.full(len(spectra), np.nan, dtype=np.float32)
    expected[valid] = measure_distance(knowing_model, np.ascontiguousarray(spectra[valid]))
    np.testing.assert_allclose(result["distance"].values.ravel(), expected, rtol=1e-4)
    limit = knowing_model.novelty.threshold(0.1)
    left_out = expected.reshape(9, 7) > limit
    assert left_out[2, 3]
    assert result["distance"].attrs["threshold"] == limit
    np.testing.assert_array_equal(result["class_id"], np.where(left_out, 0, plain["class_id"]))
    assert np.isnan(result["confidence"].values[left_out]).all()
    assert np.isnan(result["probability"].values[:, left_out]).all()
    np.testing.assert_array_equal(result["confidence"].values[~left_out], plain["confidence"].values[~left_out])


def test_what_was_left_out_is_in_the_maps_metadata(knowing_model):
    metadata = classify(scene_of(make_cube()), knowing_model, unknown=0.1)["class_id"].attrs["metadata"]
    assert metadata["unknown"] == {
        "rate": 0.1,
        "threshold": knowing_model.novelty.threshold(0.1),
        "held_out_pixels": 400,
    }
    assert "unknown" not in classify(scene_of(make_cube()), knowing_model)["class_id"].attrs["metadata"]


@pytest.mark.parametrize(
    ("rate", "message"), [(0.0, "between 0 and 1"), (1.5, "between 0 and 1"), (1e-4, "cannot be met")]
)
def test_an_impossible_rate_is_refused(knowing_model, rate, message):
    with pytest.raises(ModelError, match=message):
        classify(scene_of(make_cube()), knowing_model, unknown=rate)


def test_a_model_that_knows_no_distances_is_refused(model):
    with pytest.raises(ModelError, match="train it again with this version of hsigeo"):
        classify(scene_of(make_cube()), model, unknown=0.1)


def test_a_written_map_says_how_many_pixels_are_unknown(knowing_model, tmp_path):
    cube = make_cube()
    cube[:, 2, 3] = 40.0
    result = classify(scene_of(cube, transform=Affine(5, 0, 5e5, 0, -5, 4.2e6)), knowing_model, unknown=0.1)
    left_out = int((result["distance"] > result["distance"].attrs["threshold"]).sum())

    write_map(result, tmp_path / "map.tif", distance=tmp_path / "distance.tif")

    assert open_map(tmp_path / "map.tif").metadata["unknown"]["pixels"] == left_out >= 1
    with rasterio.open(tmp_path / "distance.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), result["distance"].values)
        assert "beyond" in dataset.descriptions[0]


def test_a_distance_that_was_not_measured_cannot_be_written(knowing_model, tmp_path):
    with pytest.raises(OutputError, match="no variable distance"):
        write_map(
            classify(scene_of(make_cube()), knowing_model), tmp_path / "map.tif", distance=tmp_path / "distance.tif"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("bands", [12, 31])  # 31 bands are resampled to the model's 12
def test_a_scene_as_it_was_opened_gives_the_bits_of_one_whose_values_were_copied(
    model, tmp_path, monkeypatch, interleave, bands
):
    stored = np.random.default_rng(1).integers(0, 9000, (bands, 40, 50)).astype("int16")
    stored[:, 3:5, 7] = -1
    fields = {
        "wavelength": [f"{nm:.1f}" for nm in np.linspace(450, 2350, bands)],
        "wavelength units": "Nanometers",
        "bbl": [0, *[1] * (bands - 2), 0] if bands > 12 else [1] * bands,
        "data ignore value": -1,
        "reflectance scale factor": 10000,
    }
    path = write_envi(tmp_path, "line", stored, interleave=interleave, header_extra=fields)
    monkeypatch.setattr("hsigeo.classification.PIECE_PIXELS", 37)
    scene = open_scene(path, chunks={"band": 5, "y": 9, "x": 20})

    opened, copied = classify(scene, model), classify(scene.copy(data=scene.data.map_blocks(np.copy)), model)

    assert any(name.startswith("stored-") for name in opened["class_id"].data.dask.layers)
    assert not any(name.startswith("stored-") for name in copied["class_id"].data.dask.layers)
    for name in ("class_id", "confidence", "probability"):
        np.testing.assert_array_equal(opened[name].values, copied[name].values)
    assert (opened["class_id"].values == 0).sum() == 2


def test_a_file_name_is_no_model_and_a_scene_no_classification(tmp_path):
    scene = make_scene(
        np.full((12, 2, 3), 0.2, dtype="float32"),
        grid=Grid(lines=2, samples=3),
        bands=BandTable(count=12, wavelength=np.linspace(450.0, 2350.0, 12)),
        attrs={"source": "scene.hdr", "repairs": []},
    )
    with pytest.raises(ModelError, match="what load_model gives; this is a str"):
        classify(scene, "model.safetensors")
    for wrong in (scene, None, classify(scene, make_model())["class_id"]):
        with pytest.raises(OutputError, match="not a classification"):
            write_map(wrong, tmp_path / "map.tif")


def test_a_model_introduces_itself_in_one_line():
    model = make_model()
    assert repr(model) == f"<plain model: 3 classes, 12 bands, {model.digest[:12]}>"
