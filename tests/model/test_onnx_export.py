"""onnxruntime, given sound and damaged spectra, is asked what hsigeo says of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import hsigeo
from hsigeo.errors import ModelError, OutputError
from hsigeo.model import predict_probabilities
from hsigeo.model.onnx_export import solve_positive, write_onnx


@pytest.fixture(scope="module")
def model(sample_scenes):
    return hsigeo.load_model(sample_scenes / "line_1.safetensors")


@pytest.fixture(scope="module")
def spectra(sample_scenes, model):
    """(pixel, band): every third with a dead stretch, every fifth with a saturated band."""
    values = hsigeo.open_scene(sample_scenes / "line_1.hdr").values[model.card.trained_on_index]
    by_pixel = values.reshape(len(values), -1).T
    chosen = np.ascontiguousarray(by_pixel[np.isfinite(by_pixel).all(axis=1)][::13])
    chosen[::3, 20:27] = 0
    chosen[1::5, 60] = 3
    return chosen


def test_onnxruntime_gives_the_same_classes(tmp_path, model, spectra):
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'hsigeo[onnx]'")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    write_onnx(model, tmp_path / "model.onnx")

    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    probabilities, ids = session.run(None, {"reflectance": spectra})
    expected = predict_probabilities(model, spectra)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(ids, np.array(model.card.classes.ids)[expected.argmax(axis=1)])
    alone = session.run(None, {"reflectance": spectra[:1]})[0]
    np.testing.assert_allclose(alone, expected[:1], atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["hsigeo_classes"]) == model.card.classes.to_json()
    assert len(json.loads(metadata["hsigeo_wavelengths"])) == model.card.bands.count
    assert metadata["hsigeo_model_sha256"] == model.digest
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_elimination_solves_what_the_solver_of_torch_solves():
    torch.manual_seed(0)
    root = torch.randn(40, 9, 9, dtype=torch.float64)
    matrices, right = root @ root.transpose(1, 2) + torch.eye(9), torch.randn(40, 9, dtype=torch.float64)

    torch.testing.assert_close(solve_positive(matrices, right), torch.linalg.solve(matrices, right))


def test_what_cannot_be_exported_is_one_line(tmp_path, model):
    other = replace(model, network=torch.nn.Linear(3, 2))

    with pytest.raises(ModelError, match="only the default network"):
        write_onnx(other, tmp_path / "model.onnx")
    with pytest.raises(OutputError, match=r"\.onnx"):
        write_onnx(model, tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())
