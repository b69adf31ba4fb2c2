"""The public function `explain`: per class from a model, or per pixel of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.classification import match_scene
from hsigeo.errors import LabelError, ModelError, SceneError
from hsigeo.explanation.classes import ModelExplanation, explain_model
from hsigeo.explanation.pixels import PixelExplanation, explain_spectra
from hsigeo.io.labels.vector import open_outlines
from hsigeo.model import Model
from hsigeo.scene import check_scene, grid_of

__all__ = ["explain", "pixel_at", "read_area", "read_model_spectra"]

MOST_PIXELS = 2000
"""Pixels of an area that are explained; of a larger one, so many spread evenly over it."""

Places = int | Sequence[int] | NDArray[np.integer]


@overload
def explain(model: Model) -> ModelExplanation: ...
@overload
def explain(model: Model, scene: xr.DataArray, *, row: Places, col: Places) -> list[PixelExplanation]: ...
def explain(
    model: Model, scene: xr.DataArray | None = None, *, row: Places = (), col: Places = ()
) -> ModelExplanation | list[PixelExplanation]:
    """Say what a model goes by; with a scene, why its pixels get their class.

    Parameters
    ----------
    model
        As `load_model` gives it.
    scene : (band, y, x)
        As `open_scene` gives it.
    row, col
        Positions of the pixels in the scene, from 0; one number or several.

    Returns
    -------
    ModelExplanation
        Without a scene: per class the wavelengths that carry the decision.
    list of PixelExplanation
        With one: the deciding wavelengths and prototypes of each pixel, and its runner-up.

    Raises
    ------
    ModelError
        The model keeps too little of its training to be explained, or is none.
    SceneError
        A pixel lies outside the scene, or has no data; or there are not as many rows as columns.
    BandMismatchError
        The scene lacks wavelengths that the model reads.
    """
    if not isinstance(model, Model):
        raise ModelError(f"a model is what load_model gives; this is a {type(model).__name__}")
    if scene is None:
        return explain_model(model)
    row, col = (np.atleast_1d(np.asarray(places, dtype=np.intp)) for places in (row, col))
    if not len(row) or row.shape != col.shape:
        raise SceneError(f"{row.size} rows and {col.size} columns; give as many of one as of the other, at least one")
    spectra = read_model_spectra(scene, model, row, col)
    empty = ~np.isfinite(spectra).all(axis=1)
    if empty.any():
        first = int(np.argmax(empty))
        raise SceneError(f"the pixel in row {row[first]}, column {col[first]} has no data in the bands the model reads")
    return explain_spectra(model, spectra)


def read_model_spectra(
    scene: xr.DataArray, model: Model, row: NDArray[np.intp], col: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(pixel, model band) spectra of a scene's pixels; NaN where there is no data.

    Raises
    ------
    SceneError
        A pixel lies outside the scene.
    BandMismatchError
        The scene lacks wavelengths that the model reads.
    """
    check_scene(scene)
    lines, samples = grid_of(scene).shape
    outside = (row < 0) | (row >= lines) | (col < 0) | (col >= samples)
    if outside.any():
        first = int(np.argmax(outside))
        raise SceneError(
            f"row {row[first]}, column {col[first]} lies outside the scene of {lines} lines and {samples} samples"
        )
    # Whatever was accepted when the map was made is accepted when it is explained.
    match = match_scene(scene, model, fill_missing=True)
    found = scene[match.used].isel(y=xr.DataArray(row, dims="pixel"), x=xr.DataArray(col, dims="pixel"))
    spectra = np.asarray(found.transpose("pixel", "band").values, dtype=np.float32)
    return match.apply(np.ascontiguousarray(spectra))


def read_area(
    scene: xr.DataArray, model: Model, path: str, *, crs: str | None = None
) -> tuple[NDArray[np.float32], int]:
    """Spectra on the model's bands under the features of a vector file, and how many pixels lie under them.

    Raises
    ------
    LabelError
        The file cannot be read, or no pixel with data lies under it.
    """
    found = open_outlines(path, crs=crs).on(grid_of(scene))
    count = len(found)
    chosen = np.unique(np.linspace(0, max(count - 1, 0), min(count, MOST_PIXELS)).round().astype(np.intp))
    spectra = read_model_spectra(scene, model, found.row[chosen], found.col[chosen])
    spectra = spectra[np.isfinite(spectra).all(axis=1)]
    if not len(spectra):
        raise LabelError(f"{path}: no pixel with data lies under its features; check that both cover the same place")
    return spectra, count


def pixel_at(scene: xr.DataArray, x: float, y: float) -> tuple[int, int]:
    """Row and column of the pixel at map coordinates.

    Raises
    ------
    SceneError
        The scene has no place on the Earth, or the point lies outside it.
    """
    grid = grid_of(scene)
    if not grid.has_transform:
        raise SceneError("the scene has no georeference to find map coordinates by; give --pixel ROW COL")
    column, line = ~grid.transform @ (x, y)
    if not (0 <= line < grid.lines and 0 <= column < grid.samples):  # NaN is nowhere
        raise SceneError(
            f"{x:g}, {y:g} lies outside the scene (row {np.floor(line):g}, column {np.floor(column):g}); are these its "
            "coordinates?"
        )
    return int(line), int(column)
