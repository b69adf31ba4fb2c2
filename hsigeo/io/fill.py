"""Pixels that hold an undeclared fill value: recognised because no surface has such a spectrum.

This is asked of reflectance, pixel by pixel, to keep such pixels out of training and to warn of them on a map. What the
doctor says of a file (`hsigeo.io.doctor.values.check_fill`) it finds in the stored numbers of a sample, for a header to
declare: one number that a border of pixels holds, positive ones among them, or a spectrum that was scaled by band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.doctor.values import BRIGHT, FEWEST_BANDS, FEWEST_FILLED

__all__ = ["describe_fill", "find_fill"]

MANY_BANDS = 16
"""So many sensors in one do not agree to the last bit by chance, be it on a grey roof in 8-bit numbers."""


def find_fill(spectra: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels are filled: one number throughout, or one spectrum many times, such as nothing on Earth reflects.

    Parameters
    ----------
    spectra : (band, pixel) reflectance, NaN where there is no data
        Of good bands.

    Returns
    -------
    (pixel,) bool
        True where all bands hold the same number, 0 or less, or, of many bands, more than sunlit snow reflects
        (65535); or where several pixels hold the same spectrum below 0 (-9999 times a factor for each band).
    """
    if len(spectra) < FEWEST_BANDS:
        return np.zeros(spectra.shape[1], dtype=bool)
    number = spectra[0]
    impossible = (number <= 0) | (number > (BRIGHT if len(spectra) >= MANY_BANDS else np.inf))
    filled = np.asarray(impossible & (spectra == number).all(axis=0))
    below = np.flatnonzero((spectra < 0).all(axis=0) & ~filled)
    if len(below) >= FEWEST_FILLED:
        _, which, counts = np.unique(spectra[:, below], axis=1, return_inverse=True, return_counts=True)
        filled[below] = counts[which.ravel()] >= FEWEST_FILLED
    return filled


def describe_fill(filled: NDArray[np.float32], *, gain: float = 1.0, offset: float = 0.0) -> str:
    """What most of some filled pixels hold, in words.

    Parameters
    ----------
    filled : (band, pixel)
        At least one pixel.
    gain, offset
        Of the first band, to say it as the file stores it.
    """
    kinds, counts = np.unique(filled, axis=1, return_counts=True)
    most = kinds[:, counts.argmax()]
    if (most != most[0]).any():
        return "one spectrum below 0"
    return f"{(float(most[0]) - offset) / gain:.6g} in every band"
