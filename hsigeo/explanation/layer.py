"""The deciding wavelength of every pixel of a scene, as a raster layer."""

from __future__ import annotations

import dask.array as da
import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from hsigeo.band_matching import BandMatch
from hsigeo.classification import match_scene
from hsigeo.explanation.classes import reference_spectrum
from hsigeo.explanation.pixels import best_two
from hsigeo.model import Model, predict_probabilities
from hsigeo.model.evidence import band_evidence
from hsigeo.scene import check_scene, grid_of, spatial_coords

__all__ = ["deciding_wavelength", "range_of_bands"]

Block = NDArray[np.float32]


def deciding_wavelength(scene: xr.DataArray, model: Model) -> xr.DataArray:
    """The wavelength that speaks most for each pixel's class rather than its runner-up; nothing is computed yet.

    Slow: the evidence of every band needs sixteen passes through the network and back. Measured, about
    3 500 pixels a second and core with a hundred bands.

    Parameters
    ----------
    scene : (band, y, x)
        As `open_scene` gives it.
    model
        As `load_model` gives it.

    Returns
    -------
    (y, x) float32
        nm, or band numbers from 1 for a model without wavelengths; NaN where the scene has no data.

    Raises
    ------
    BandMismatchError
        The scene lacks wavelengths that the model reads.
    """
    check_scene(scene)
    match = match_scene(scene, model, fill_missing=True)
    cube = da.asarray(scene.data)[match.used].astype(np.float32).rechunk({0: -1})
    found = da.map_blocks(
        _of_block, cube, model=model, match=match, reference=reference_spectrum(model), drop_axis=0, dtype=np.float32
    )
    named = (
        {"name": "deciding band"}
        if model.card.bands.wavelength is None
        else {"name": "deciding wavelength (nm)", "attrs": {"units": "nm"}}
    )
    return xr.DataArray(found, dims=("y", "x"), coords=spatial_coords(grid_of(scene)), **named)


def range_of_bands(model: Model) -> tuple[float, float]:
    """Lowest and highest value that `deciding_wavelength` can give: all layers of a model are shown alike."""
    axis = model.card.bands.axis
    return float(axis.min()), float(axis.max())


def _of_block(block: Block, *, model: Model, match: BandMatch, reference: torch.Tensor) -> Block:
    bands, lines, samples = block.shape
    by_band = block.reshape(bands, -1)
    valid = np.isfinite(by_band).all(axis=0)
    result = np.full(lines * samples, np.nan, dtype=np.float32)
    if valid.any():
        spectra = match.apply(np.ascontiguousarray(by_band[:, valid].T))
        wanted, rival = best_two(predict_probabilities(model, spectra))
        evidence = band_evidence(model.network, torch.from_numpy(spectra), wanted, reference, rival=rival)
        result[valid] = model.card.bands.axis[evidence.argmax(dim=1).numpy()]
    return result.reshape(lines, samples)
