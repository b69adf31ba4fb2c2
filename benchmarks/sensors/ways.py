"""Ways of making a model's bands out of a scene's: what hsigeo does, and what it could do instead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from hsigeo.band_matching import match_bands
from hsigeo.band_weights import Kind, weigh_bands
from hsigeo.bands import BandTable
from hsigeo.spectral_prior import SpectralPrior

__all__ = ["HSIGEO", "WAYS"]

Spectra = NDArray[np.float32]
Way = Callable[[BandTable, BandTable, SpectralPrior, Spectra], Spectra]
"""From model bands, scene bands, the prior of the training spectra and spectra on the scene's bands."""

HSIGEO = "hsigeo"


def _hsigeo(model: BandTable, scene: BandTable, prior: SpectralPrior, spectra: Spectra) -> Spectra:
    index = np.arange(model.count)
    match = match_bands(
        model, scene, trained_on_count=model.count, trained_on_index=index, prior=prior, accept_missing=True
    )
    return match.apply(spectra[:, match.used])


def _rules(model: BandTable, scene: BandTable, prior: SpectralPrior, spectra: Spectra) -> Spectra:
    """Same, averaged or interpolated over short gaps; the mean of training for what is missing."""
    found = weigh_bands(model, scene)
    bands = spectra @ found.weights.T.astype(np.float32)
    return np.asarray(np.where(found.kind == Kind.MISSING, prior.mean, bands))


def _nearest(model: BandTable, scene: BandTable, _: SpectralPrior, spectra: Spectra) -> Spectra:
    centres, values = _sorted(scene, spectra)
    return values[:, np.abs(centres - np.asarray(model.wavelength)[:, None]).argmin(axis=1)]


def _linear(model: BandTable, scene: BandTable, _: SpectralPrior, spectra: Spectra) -> Spectra:
    centres, values = _sorted(scene, spectra)
    return np.stack([np.interp(np.asarray(model.wavelength), centres, row) for row in values]).astype(np.float32)


def _spline(model: BandTable, scene: BandTable, _: SpectralPrior, spectra: Spectra) -> Spectra:
    centres, values = _sorted(scene, spectra)
    wanted = np.asarray(model.wavelength).clip(centres[0], centres[-1])
    return np.asarray(CubicSpline(centres, values, axis=1)(wanted), dtype=np.float32)


def _as_it_is(model: BandTable, scene: BandTable, _: SpectralPrior, spectra: Spectra) -> Spectra:
    """Dead bands go in as the zeros they hold; only where the scene has the model's own bands."""
    if scene.count != model.count:
        return np.empty((0, model.count), dtype=np.float32)
    return np.where(scene.good, spectra, np.float32(0))


def _sorted(scene: BandTable, spectra: Spectra) -> tuple[NDArray[np.float64], Spectra]:
    """Good bands by wavelength, each once."""
    good = np.flatnonzero(scene.good)
    centres, first = np.unique(np.asarray(scene.wavelength)[good], return_index=True)
    return centres, spectra[:, good[first]]


WAYS: dict[str, Way] = {
    HSIGEO: _hsigeo,
    "rules, mean": _rules,
    "nearest": _nearest,
    "linear": _linear,
    "spline": _spline,
    "zeros": _as_it_is,
}
"""Name → way; each but the last works for every pair of sensors."""
