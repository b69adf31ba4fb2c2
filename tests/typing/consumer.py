"""What type checkers see of hsigeo in somebody else's program; `mypy --strict` reads it, nothing runs it.

An ignored error that would be none any more is an error too.
"""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import hsigeo
from hsigeo.evaluation import Evaluation
from hsigeo.labels import LabelSource
from hsigeo.model import Model
from hsigeo.refinement.assembly import Refined, refine_map
from hsigeo.refinement.request import Refinement, Smoothing


def make_map() -> dict[int, int]:
    scene = hsigeo.open_scene("scene.hdr", chunks={"y": 64})
    labels = hsigeo.open_labels("labels.gpkg", field="class", layer="fields")
    model = hsigeo.train([scene], [labels], seed=1)
    result = hsigeo.classify(scene, model, unknown=0.05)
    assert_type(scene, xr.DataArray)
    assert_type(labels, LabelSource)
    assert_type(model, Model)
    assert_type(result, xr.Dataset)
    return hsigeo.write_map(result, "map.tif", confidence="sure.tif")


def judge() -> float:
    found = hsigeo.evaluate("map.tif", "points.gpkg", layer="visits")
    assert_type(found, Evaluation)
    assert_type(hsigeo.BandTable(count=3).wavelength, NDArray[np.float64] | None)
    assert_type(found.accuracy.overall, float)
    return found.accuracy.overall


def refine(raster: Any) -> Refined:
    return refine_map(raster, "calm.tif", Refinement(smoothing=Smoothing(strength=2)))


def misuse(scene: xr.DataArray) -> None:
    hsigeo.classify(scene, "model.safetensors")  # type: ignore[arg-type]
    hsigeo.open_scene(3)  # type: ignore[arg-type]
    hsigeo.train(scene)  # type: ignore[call-arg]
    hsigeo.nothing()  # type: ignore[attr-defined]
