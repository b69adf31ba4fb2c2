"""Choosing bands by what speaks for a class, removing them, and seeing what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from hsigeo.explanation.classes import reference_spectrum
from hsigeo.model import Model
from hsigeo.model.account import account_for
from hsigeo.model.evidence import band_evidence, occlusion_evidence

__all__ = ["METHODS", "REMOVALS", "WINDOW", "choose_bands"]

WINDOW = 8
"""Bands are removed in windows of so many neighbours: a single band is in its neighbours as well."""

Floats = NDArray[np.float32]
Rank = Callable[[Model, Floats, NDArray[np.int64], np.random.Generator], Floats]
"""From a model, spectra and the class of each to (pixel, band), larger for what speaks more for the class."""

Removal = Callable[[Model, Floats, NDArray[np.bool_]], Floats]
"""From a model, spectra and what to remove of each (pixel, band) to spectra without it."""


def _evidence(model: Model, spectra: Floats, wanted: NDArray[np.int64], _: np.random.Generator) -> Floats:
    found = band_evidence(model.network, torch.from_numpy(spectra), torch.from_numpy(wanted), reference_spectrum(model))
    return found.numpy()


def _occlusion(model: Model, spectra: Floats, wanted: NDArray[np.int64], _: np.random.Generator) -> Floats:
    inputs, reference = torch.from_numpy(spectra), reference_spectrum(model)
    return occlusion_evidence(model.network, inputs, torch.from_numpy(wanted), reference).numpy()


def _attention(model: Model, spectra: Floats, _: NDArray[np.int64], __: np.random.Generator) -> Floats:
    account = account_for(model.network, torch.from_numpy(spectra))
    if account is None:
        raise ValueError(f"a {model.card.variant} network says nothing of its attention")
    return account.attention.numpy()


def _random(_: Model, spectra: Floats, __: NDArray[np.int64], generator: np.random.Generator) -> Floats:
    return generator.random(spectra.shape, dtype=np.float32)


METHODS: dict[str, Rank] = {
    "evidence": _evidence,
    "occlusion": _occlusion,
    "attention alone": _attention,
    "random": _random,
}
"""Name → how bands are ranked; `evidence` is what ``hsigeo explain`` does."""


def choose_bands(rank: Floats, share: float) -> NDArray[np.bool_]:
    """(pixel, band) the windows that rank highest, until they hold `share` of the bands."""
    pixels, bands = rank.shape
    count = -(-bands // WINDOW)
    windows = np.arange(bands) // WINDOW
    sums = np.stack([rank[:, windows == number].mean(axis=1) for number in range(count)], axis=1)  # (pixel, window)
    chosen = np.argsort(-sums, axis=1, kind="stable")[:, : max(1, round(share * count))]
    removed = np.zeros((pixels, count), dtype=bool)
    np.put_along_axis(removed, chosen, values=True, axis=1)
    return removed[:, windows]


def _by_mean(model: Model, spectra: Floats, removed: NDArray[np.bool_]) -> Floats:
    """The mean of training stands in: the band says nothing, and looks a little odd."""
    return np.where(removed, reference_spectrum(model).numpy(), spectra)


def _by_expectation(model: Model, spectra: Floats, removed: NDArray[np.bool_]) -> Floats:
    """What the bands left over let expect stands in: only what no other band knew is gone."""
    if model.record is None or model.record.prior is None or model.card.bands.wavelength is None:
        raise ValueError("the model keeps no prior")
    prior, wavelength, changed = model.record.prior, model.card.bands.wavelength, spectra.copy()
    covariance, mean = prior.covariance(wavelength), prior.mean.astype(np.float64)
    ridge = 3e-4 * float(np.median(covariance.diagonal()))
    for number, gone in enumerate(removed):
        left = ~gone
        known = covariance[np.ix_(left, left)] + ridge * np.eye(int(left.sum()))
        deviation = np.linalg.solve(known, spectra[number, left] - mean[left])
        changed[number, gone] = mean[gone] + covariance[np.ix_(gone, left)] @ deviation
    return changed


REMOVALS: dict[str, Removal] = {"mean": _by_mean, "expectation": _by_expectation}
"""Name → what stands in for what is removed."""
