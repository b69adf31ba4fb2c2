"""Which bands of a scene serve a model: matched by wavelength, never by position.

The strategy, for each band the model was trained on:

1. A good scene band with the same centre (within a tenth of the sampling interval) and about the same width is taken
   as it is.
2. Where the scene's bands are clearly narrower than the model's and lie close, they are averaged under a Gaussian that
   widens them to the model's width: this is what the model's sensor would have seen.
3. Otherwise the two good neighbours are interpolated linearly, if they lie close enough to each other.
4. Otherwise the wavelength is missing, and a scene with missing wavelengths is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError

__all__ = ["BandMatch", "match_bands"]

SAME_CENTRE = 0.1
"""Two centres are the same when they differ by less than this share of the sampling interval."""

NARROWER = 0.7
"""A scene band narrower than this share of the model's band is a piece of it, not a stand-in for it."""

WIDEST_GAP_NM = 30.0
"""Neighbours this far apart may still be interpolated between, whatever the model's own sampling is."""

GAP_IN_INTERVALS = 2.5
"""… and so may neighbours this many of the model's own sampling intervals apart."""

FWHM_TO_SIGMA = 1 / 2.354820045


@dataclass(frozen=True, kw_only=True, eq=False)
class BandMatch:
    """How to make the model's bands out of a scene's.

    Parameters
    ----------
    used
        (used,) positions, from 0, of the scene bands that are needed; the others need not be valid.
    weights
        (model band, used) float32, rows summing to 1; `None` where the used bands *are* the model's bands.
    note
        A sentence on anything but a plain match, empty otherwise.
    """

    used: NDArray[np.intp]
    weights: NDArray[np.float32] | None = None
    note: str = ""

    def apply(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (pixel, used) to (pixel, model band)."""
        return spectra if self.weights is None else spectra @ self.weights.T


def match_bands(
    model: BandTable, scene: BandTable, *, trained_on_count: int, trained_on_index: NDArray[np.intp]
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

    Raises
    ------
    BandMismatchError
        Wavelengths are missing, or there are none to go by and the band counts differ.
    """
    if model.wavelength is None or scene.wavelength is None:
        return _match_by_count(scene, trained_on_count, trained_on_index, model_has_none=model.wavelength is None)
    order = np.argsort(scene.wavelength, kind="stable")
    order = order[scene.good[order]]
    if not len(order):
        raise BandMismatchError("the scene has no good band; its bad-band list (bbl) marks every band as bad")
    centres, scene_widths = scene.wavelength[order], _widths(scene.wavelength, scene.fwhm)[order]
    wanted, widths, intervals = model.wavelength, _widths(model.wavelength, model.fwhm), _intervals(model.wavelength)
    weights = np.zeros((len(wanted), len(order)))
    missing = []
    for k in range(len(wanted)):
        target = _Target(centre=wanted[k], width=widths[k], interval=intervals[k])
        row = _weights_for(target, centres, scene_widths)
        if row is None:
            missing.append(target.centre)
        else:
            weights[k] = row
    if missing:
        raise BandMismatchError(
            f"the scene lacks {len(missing)} of the {len(wanted)} wavelengths the model reads: "
            f"{_ranges(missing, wanted)}; its good bands cover {centres[0]:.0f}-{centres[-1]:.0f} nm"
        )
    return _compact(weights, order)


def _match_by_count(scene: BandTable, count: int, index: NDArray[np.intp], *, model_has_none: bool) -> BandMatch:
    without = "the model was trained without wavelengths" if model_has_none else "the scene has no wavelengths"
    if scene.count != count:
        raise BandMismatchError(
            f"{without}, and the band counts differ: the scene has {scene.count}, the model was trained on {count}"
        )
    return BandMatch(used=index, note=f"{without}: bands were matched by position")


@dataclass(frozen=True, kw_only=True)
class _Target:
    """A band of the model: centre, width and sampling interval in nm."""

    centre: float
    width: float
    interval: float


def _weights_for(
    target: _Target, centres: NDArray[np.float64], scene_widths: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Weights over the scene's good bands that make one model band, or `None` if they cannot."""
    row = np.zeros(len(centres))
    centre, width, interval = target.centre, target.width, target.interval
    nearest = int(np.argmin(np.abs(centres - centre)))
    offset = abs(centres[nearest] - centre)
    is_narrower = scene_widths[nearest] < NARROWER * width
    if offset <= SAME_CENTRE * min(interval, width) and not is_narrower:
        row[nearest] = 1.0
        return row
    inside = np.abs(centres - centre) <= width
    reaches_both_sides = centres[0] <= centre - width / 2 and centres[-1] >= centre + width / 2
    if is_narrower and reaches_both_sides and inside.sum() >= 4 and np.diff(centres[inside]).max() <= width / 2:
        # Widths of Gaussians add in squares; the scene's bands already are that wide.
        sigma = FWHM_TO_SIGMA * np.sqrt(width**2 - scene_widths[nearest] ** 2)
        gaussian = np.exp(-0.5 * ((centres[inside] - centre) / sigma) ** 2)
        row[inside] = gaussian / gaussian.sum()
        return row
    upper = int(np.searchsorted(centres, centre))
    if upper in (0, len(centres)):
        # Just past the end of the scene's range: half a band is still mostly the same light.
        if offset > width / 2:
            return None
        row[nearest] = 1.0
        return row
    gap = centres[upper] - centres[upper - 1]
    if gap > max(WIDEST_GAP_NM, GAP_IN_INTERVALS * interval):
        return None
    row[upper] = (centre - centres[upper - 1]) / gap
    row[upper - 1] = 1 - row[upper]
    return row


def _compact(weights: NDArray[np.float64], order: NDArray[np.intp]) -> BandMatch:
    """Keep only the scene bands that carry weight, in the scene's own order; recognise a plain selection."""
    is_selection = bool(np.all(weights.max(axis=1) == 1.0))
    if is_selection:
        return BandMatch(used=order[weights.argmax(axis=1)])
    carrying = np.flatnonzero(weights.any(axis=0))
    interpolated = int((weights.max(axis=1) < 1.0).sum())
    by_position = carrying[np.argsort(order[carrying])]
    return BandMatch(
        used=order[by_position],
        weights=weights[:, by_position].astype(np.float32),
        note=f"{interpolated} of {len(weights)} bands were resampled to the model's wavelengths",
    )


def _intervals(wavelength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Local sampling interval, nm: the distance to the nearer neighbour that is not the same wavelength."""
    distinct = np.unique(wavelength)
    if len(distinct) == 1:
        return np.full(len(wavelength), 10.0)
    steps = np.diff(distinct)
    nearer = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    return np.asarray(nearer[np.searchsorted(distinct, wavelength)])


def _widths(wavelength: NDArray[np.float64], fwhm: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Band widths, nm; the sampling interval stands in for a width that is unknown or not positive."""
    intervals = _intervals(wavelength)
    return intervals if fwhm is None else np.where(np.isfinite(fwhm) & (fwhm > 0), fwhm, intervals)


def _ranges(missing: Sequence[float], wanted: NDArray[np.float64]) -> str:
    """``410-430, 1005 nm``: runs of neighbouring model bands, written as ranges."""
    position = {wavelength: k for k, wavelength in enumerate(np.unique(wanted))}
    runs: list[list[float]] = []
    for wavelength in sorted(set(missing)):
        if runs and position[wavelength] == position[runs[-1][-1]] + 1:
            runs[-1].append(wavelength)
        else:
            runs.append([wavelength])
    return ", ".join(f"{run[0]:.0f}" if len(run) == 1 else f"{run[0]:.0f}-{run[-1]:.0f}" for run in runs) + " nm"
