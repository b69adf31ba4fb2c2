"""What another sensor would have seen of a spectrum that EnMAP has seen.

The spectrum between EnMAP's bands is not known. It is taken as the smooth curve (monotone cubic, 1 nm) that gives what
EnMAP measured when seen through EnMAP's own bands again: eight rounds of adding back what is left over (van Cittert
1931). So nothing is blurred twice, and none of the ways of matching is built on the same curve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from hsigeo.bands import BandTable

__all__ = ["Simulation"]

ROUNDS = 8
FWHM_TO_SIGMA = 1 / 2.354820045

Spectra = NDArray[np.float32]


class Simulation:
    """Spectra on a grid of 1 nm, to be seen through any sensor's bands.

    Parameters
    ----------
    spectra : (pixel, band)
        As measured.
    bands
        With wavelengths and widths.
    """

    def __init__(self, spectra: Spectra, bands: BandTable) -> None:
        measured = np.asarray(bands.wavelength)
        centres, first, place = np.unique(measured, return_index=True, return_inverse=True)
        # Where two detectors have the same wavelength, their mean.
        values = np.zeros((len(spectra), len(centres)))
        np.add.at(values.T, place, spectra.T.astype(np.float64))
        values /= np.bincount(place)
        self.fine = np.arange(np.floor(centres[0]) - 15, np.ceil(centres[-1]) + 15)
        response = _response(centres, np.asarray(bands.fwhm)[first], self.fine)
        self.values = self._curve(centres, values)
        for _ in range(ROUNDS):
            self.values += self._curve(centres, values - self.values @ response.T)

    def through(self, bands: BandTable) -> Spectra:
        """(pixel, band) as these bands see them: Gaussians of their width."""
        response = _response(np.asarray(bands.wavelength), np.asarray(bands.fwhm), self.fine)
        return np.asarray(self.values @ response.T, dtype=np.float32)

    def _curve(self, centres: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        # The formula divides by slopes; where they are 0 its own limits take over.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            curve = PchipInterpolator(centres, values, axis=1)
        return np.asarray(curve(self.fine.clip(centres[0], centres[-1])))


def _response(
    centres: NDArray[np.float64], widths: NDArray[np.float64], fine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(band, nm) weights that sum to 1."""
    weights = np.exp(-0.5 * ((fine - centres[:, None]) / (FWHM_TO_SIGMA * widths[:, None])) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
