"""Which bands of a scene serve a model: matched by wavelength, never by position.

The strategy, for each band the model was trained on:

1. What the scene has is taken: the same band, or narrower bands averaged to its width (`hsigeo.band_weights`).
2. The others are expected from what the scene has, by what the training spectra say of how bands go together
   (`hsigeo.spectral_prior`). Measured between sensors this loses a point or two where interpolation loses ten or more
   (docs/sensors.md). Each such band comes with the share of its variance that remains unexplained.
3. A model without a prior, from before there was one, interpolates between neighbours that lie close.
4. A scene that leaves too much unexplained is refused with the list of wavelengths, unless the caller accepts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.band_weights import BandWeights, Kind, weigh_bands
from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError
from hsigeo.spectral_prior import SpectralPrior

__all__ = ["BandMatch", "match_bands"]

MOST_UNEXPLAINED = 0.1
"""A band of whose variance more than this share remains unexplained is missing."""

MOST_OBSERVED = 4096
"""Bands that an expectation rests on. Sensors have a few hundred; so many take about two seconds and 0.6 GB."""

MOST_MISSING = 0.1
"""Share of the model's bands that may be missing so: filled all the same, and said.

Measured: with twelve bands of Sentinel-2, nearly all is explained, and the map is as good as that of a model trained on
those twelve. Without everything above 900 nm, 40 % is missing, and five points of accuracy with it.
"""

FEW = 1 / 3
"""A scene with fewer bands than this share of the model's cannot show fine features; a note says so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BandMatch:
    """How to make the model's bands out of a scene's.

    Parameters
    ----------
    used
        (used,) positions, from 0, of the scene bands that are needed; the others need not be valid.
    weights
        (model band, used) float32; `None` where the used bands *are* the model's bands.
    offset
        (model band,) float32, added; `None` where nothing is expected from the training spectra.
    note
        A sentence on anything but a plain match, empty otherwise.
    """

    used: NDArray[np.intp]
    weights: NDArray[np.float32] | None = None
    offset: NDArray[np.float32] | None = None
    note: str = ""

    def apply(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (pixel, used) to (pixel, model band)."""
        if self.weights is None:
            return spectra
        found = spectra @ self.weights.T
        return found if self.offset is None else found + self.offset


def match_bands(
    model: BandTable,
    scene: BandTable,
    *,
    trained_on_count: int,
    trained_on_index: NDArray[np.intp],
    prior: SpectralPrior | None = None,
    accept_missing: bool = False,
) -> BandMatch:
    """Find the scene bands that serve a model.

    Parameters
    ----------
    model
        The bands the model reads.
    scene
        The bands there are.
    trained_on_count, trained_on_index
        How many bands the training scenes had and which of them, from 0, the model reads: used only where a side
        has no wavelengths, and then only if the count is the same.
    prior
        What the training spectra say of how the model's bands go together, if the model knows.
    accept_missing
        With a prior: fill wavelengths on which the scene says little with what is usual in training.

    Raises
    ------
    BandMismatchError
        Wavelengths are missing, or there are none to go by and the band counts differ.
    """
    if model.wavelength is None or scene.wavelength is None:
        return _match_by_count(scene, trained_on_count, trained_on_index, model_has_none=model.wavelength is None)
    if not scene.good.any():
        raise BandMismatchError("the scene has no good band; its bad-band list (bbl) marks every band as bad")
    direct = weigh_bands(model, scene)
    if bool((direct.kind >= Kind.AVERAGED).all()):
        return _compact(direct.weights, None, _resampled(direct.kind))
    if prior is not None:
        return _match_by_prior(model, scene, direct, prior, accept_missing)
    missing = direct.kind == Kind.MISSING
    if missing.any():
        raise _refusal(model.wavelength, missing, scene, " (this model is too old to fill them; train it again)")
    return _compact(direct.weights, None, _resampled(direct.kind))


def _match_by_count(scene: BandTable, count: int, index: NDArray[np.intp], *, model_has_none: bool) -> BandMatch:
    without = "the model was trained without wavelengths" if model_has_none else "the scene has no wavelengths"
    if scene.count != count:
        raise BandMismatchError(
            f"{without}, and the band counts differ: the scene has {scene.count}, the model was trained on {count}"
        )
    return BandMatch(used=index, note=f"{without}: bands were matched by position")


def _check_observed(count: int) -> None:
    """Refuse what would need matrices of gigabytes: a header may claim any number of bands."""
    if count > MOST_OBSERVED:
        raise BandMismatchError(
            f"{count} bands of the scene would have to be weighed against each other; hsigeo does that for at most "
            f"{MOST_OBSERVED}; average neighbouring bands first"
        )


def _match_by_prior(
    model: BandTable, scene: BandTable, direct: BandWeights, prior: SpectralPrior, accept_missing: bool
) -> BandMatch:
    wavelength = np.asarray(model.wavelength)
    known = direct.kind >= Kind.AVERAGED
    # Observed are the model's own bands where the scene has them, and besides every scene band that is not in those
    # and can be said in the model's bands.
    in_model = weigh_bands(scene, BandTable(count=model.count, wavelength=model.wavelength, fwhm=model.fwhm))
    rest = scene.good & (in_model.kind != Kind.MISSING) & ~direct.weights[known].any(axis=0)
    _check_observed(int(known.sum()) + int(rest.sum()))
    observed = np.concatenate([np.eye(model.count)[known], in_model.weights[rest]])  # (N, B)
    if not len(observed):
        raise _refusal(wavelength, ~known, scene, "")
    itself = np.zeros((int(rest.sum()), scene.count))
    itself[np.arange(len(itself)), np.flatnonzero(rest)] = 1
    from_scene = np.concatenate([direct.weights[known], itself])  # (N, scene band)
    found = prior.expect(wavelength, observed)
    missing = ~known & (found.unexplained > MOST_UNEXPLAINED)
    if missing.mean() > MOST_MISSING and not accept_missing:
        raise _refusal(wavelength, missing, scene, "; --fill-missing fills them with the mean of the training data")
    weights = np.where(known[:, None], direct.weights, found.weights @ from_scene)
    note = _resampled(np.where(known, direct.kind, Kind.INTERPOLATED))
    if missing.any():
        note += (
            f"; on {int(missing.sum())} of them ({_ranges(wavelength[missing], wavelength)}) the scene says little, "
            "so they are close to the mean of the training data"
        )
    if len(observed) < FEW * model.count:
        note += f"; {len(observed)} bands stand for {model.count}, so narrow features come from the training data"
    return _compact(weights, np.where(known, 0.0, found.offset), note)


def _resampled(kind: NDArray[np.intp]) -> str:
    changed = int((kind != Kind.SAME).sum())
    were = "was" if changed == 1 else "were"
    return f"{changed} of {len(kind)} bands {were} resampled to the model's wavelengths" if changed else ""


def _compact(weights: NDArray[np.float64], offset: NDArray[np.float64] | None, note: str) -> BandMatch:
    """Keep only the scene bands that carry weight, in the scene's own order; recognise a plain selection."""
    if offset is None and bool(np.all(weights.max(axis=1) == 1.0)):
        return BandMatch(used=weights.argmax(axis=1).astype(np.intp), note=note)
    carrying = np.flatnonzero(weights.any(axis=0))
    return BandMatch(
        used=carrying.astype(np.intp),
        weights=weights[:, carrying].astype(np.float32),
        offset=None if offset is None else offset.astype(np.float32),
        note=note,
    )


def _refusal(
    wanted: NDArray[np.float64], missing: NDArray[np.bool_], scene: BandTable, advice: str
) -> BandMismatchError:
    good = np.asarray(scene.wavelength)[scene.good]
    return BandMismatchError(
        f"the scene lacks {int(missing.sum())} of the {len(wanted)} wavelengths the model reads: "
        f"{_ranges(wanted[missing], wanted)}; its good bands cover {good.min():.0f}-{good.max():.0f} nm{advice}"
    )


def _ranges(missing: Sequence[float] | NDArray[np.float64], wanted: NDArray[np.float64]) -> str:
    """``410-430, 1005 nm``: runs of neighbouring model bands, written as ranges."""
    position = {wavelength: k for k, wavelength in enumerate(np.unique(wanted).tolist())}
    runs: list[list[float]] = []
    for wavelength in sorted({float(value) for value in missing}):
        if runs and position[wavelength] == position[runs[-1][-1]] + 1:
            runs[-1].append(wavelength)
        else:
            runs.append([wavelength])
    return ", ".join(f"{run[0]:.0f}" if len(run) == 1 else f"{run[0]:.0f}-{run[-1]:.0f}" for run in runs) + " nm"
