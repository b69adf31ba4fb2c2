"""From spectra to tokens with a pixel to a lane, as `hsigeo.model.spectrum` has it, but channel by channel.

Shape legend as in `hsigeo.kernels.consensus`, whose constants these are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.compiling import FUSED, part
from hsigeo.kernels.lanes import logarithm

__all__ = ["find_finite", "gather", "make_tokens"]


@part()
def _is_finite(values: Any) -> bool:
    """Whether all are; a product with 0 is 0 or NaN."""
    total = np.float32(0.0)
    for value in values:
        total += value * np.float32(0.0)
    return bool(total == 0.0)


@part()
def find_finite(spectra: Any, by_band: Any) -> Any:
    """The pixels of (pixel, band) or of (band, pixel) that are finite throughout."""
    total = np.zeros(len(spectra) + by_band.shape[1], np.float32)
    for pixel in range(len(spectra)):
        if not _is_finite(spectra[pixel]):
            total[pixel] = np.float32(np.nan)
    for band in range(by_band.shape[0]):
        row = by_band[band]
        for pixel in range(len(row)):
            total[pixel] += row[pixel] * np.float32(0.0)
    return np.flatnonzero(total == np.float32(0.0))


@part()
def gather(spectra: Any, by_band: Any, pixels: Any, reflectance: Any) -> None:
    """Spectra of some pixels as rows (band, lane): out of (pixel, band) in squares that the cache holds."""
    bands, count = reflectance.shape[0], len(pixels)
    if by_band.shape[1]:
        first = pixels[0]
        if pixels[count - 1] - first == count - 1:  # neighbours, as nearly always
            for band in range(bands):
                reflectance[band, :count] = by_band[band, first : first + count]
        else:
            for band in range(bands):
                row, lanes = by_band[band], reflectance[band]
                for lane in range(count):
                    lanes[lane] = row[pixels[lane]]
        return
    for first in range(0, count, 16):
        for low in range(0, bands, 16):
            for lane in range(first, min(first + 16, count)):
                pixel = pixels[lane]
                for band in range(low, min(low + 16, bands)):
                    reflectance[band, lane] = spectra[pixel, band]


@part(FUSED)
def _slope(logs: Any, band: int, slope: Any) -> None:
    """The difference between the neighbours' means over five bands, of which all but the ends cancel."""
    last = logs.shape[0] - 1
    low, high = max(band - 1, 0), min(band + 1, last)
    fifth = np.float32(0.2)
    a, d = logs[min(high + 2, last)], logs[max(low - 2, 0)]
    if high - low == 2:
        b, c = logs[min(high + 1, last)], logs[max(low - 1, 0)]
        for p in range(len(slope)):
            slope[p] = ((a[p] - d[p]) + (b[p] - c[p])) * fifth
    elif high > low:
        for p in range(len(slope)):
            slope[p] = (a[p] - d[p]) * fifth
    else:
        slope[:] = np.float32(0.0)


@part(FUSED)
def _standardise(constants: Any, channel: int, row: int, values: Any, standardised: Any) -> None:
    of_channel, bound = constants.channel[channel], constants.limits[1]
    mean, scale, usual = of_channel[0, row], of_channel[1, row], of_channel[2, row]
    for p in range(len(values)):
        standardised[p] = min(max((values[p] - mean) * scale, -bound), bound) - usual


@part(FUSED)
def make_tokens(constants: Any, reflectance: Any, logs: Any, tokens: Any) -> None:
    """Tokens (N, L), less what is usual of them, from reflectance (B, L); `logs` is (B, L) to work in."""
    bands, rows = constants.sizes[0], constants.sizes[1] * constants.sizes[2]
    floor, lanes = constants.limits[0], reflectance.shape[1]
    for b in range(bands):
        for p in range(lanes):
            logs[b, p] = logarithm(min(max(reflectance[b, p], np.float32(0.0)), np.float32(4.0)) + floor)
            reflectance[b, p] = min(max(reflectance[b, p], np.float32(-4.0)), np.float32(4.0))
    for row in range(rows):
        b = min(row, bands - 1)  # the last token is filled up with the last band
        _standardise(constants, 0, row, reflectance[b], tokens[row])
        _standardise(constants, 1, row, logs[b], tokens[rows + row])
        _slope(logs, b, tokens[2 * rows + row])
        _standardise(constants, 2, row, tokens[2 * rows + row], tokens[2 * rows + row])
