"""From spectra to tokens with a pixel to a lane, as `hsigeo.model.spectrum` has it, but channel by channel.

Shape legend as in `hsigeo.kernels.consensus`, whose constants these are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hsigeo.kernels.compiling import FUSED, part
from hsigeo.kernels.lanes import LANES, logarithm

__all__ = ["find_finite", "gather", "make_tokens", "take_logarithms"]


@part()
def _is_finite(values: Any) -> bool:
    """Whether all are; a product with 0 is 0 or NaN."""
    total = np.float32(0.0)
    for value in values:
        total += value * np.float32(0.0)
    return bool(total == 0.0)


@part()
def find_finite(spectra: Any, by_band: Any, first: int, last: int, pixels: Any, count: int) -> int:
    """Add to `pixels`, which holds `count`, those from `first` to before `last` that are finite; how many it has then.

    Spectra are (pixel, band), or (band, pixel).
    """
    total = np.zeros(last - first, np.float32)
    if by_band.shape[1]:
        for band in range(by_band.shape[0]):
            row = by_band[band, first:last]
            for pixel in range(len(row)):
                total[pixel] += row[pixel] * np.float32(0.0)
    else:
        for pixel in range(first, last):
            if not _is_finite(spectra[pixel]):
                total[pixel - first] = np.float32(np.nan)
    for pixel in range(first, last):
        if total[pixel - first] == np.float32(0.0):
            pixels[count] = pixel
            count += 1
    return count


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
def _standardise(terms: Any, row: int, bound: float, values: Any, standardised: Any) -> None:
    mean, scale, usual = terms[0, row], terms[1, row], terms[2, row]
    for p in range(LANES):
        standardised[p] = min(max((values[p] - mean) * scale, -bound), bound) - usual


@part(FUSED)
def _standardise_slope(terms: Any, row: int, bound: float, logs: Any, band: int, standardised: Any) -> None:
    """The difference between the neighbours' means over five bands, of which all but the ends cancel.

    Not two loops, the second in place: LLVM makes vectors only where it can see that nothing is overwritten.
    """
    mean, scale, usual = terms[0, row], terms[1, row], terms[2, row]
    last = logs.shape[0] - 1
    low, high = max(band - 1, 0), min(band + 1, last)
    a, d = min(high + 2, last), max(low - 2, 0)
    # Of the first and the last band one neighbour is itself, and one band more cancels.
    b, c = (min(high + 1, last), max(low - 1, 0)) if high - low == 2 else (0, 0)
    for p in range(LANES):
        slope = ((logs[a, p] - logs[d, p]) + (logs[b, p] - logs[c, p])) * np.float32(0.2)
        standardised[p] = min(max((slope - mean) * scale, -bound), bound) - usual


@part(FUSED)
def take_logarithms(constants: Any, reflectance: Any, logs: Any) -> None:
    """Logarithms (B, L) of reflectance (B, L), which is held to what channels take."""
    floor = constants.limits[0]
    for b in range(reflectance.shape[0]):
        for p in range(LANES):
            logs[b, p] = logarithm(min(max(reflectance[b, p], np.float32(0.0)), np.float32(4.0)) + floor)
            reflectance[b, p] = min(max(reflectance[b, p], np.float32(-4.0)), np.float32(4.0))


@part(FUSED)
def make_tokens(constants: Any, stretch: int, reflectance: Any, logs: Any, tokens: Any) -> None:
    """Tokens of a stretch, less what is usual of them, into the first rows of `tokens`, channel by channel."""
    window, bands = constants.sizes[1], constants.sizes[0]
    first, last = window * constants.stretches[stretch], window * constants.stretches[stretch + 1]
    channel, bound, rows = constants.channel, constants.limits[1], last - first
    for row in range(first, last):
        b, at = min(row, bands - 1), row - first  # the last token is filled up with the last band
        _standardise(channel[0], row, bound, reflectance[b], tokens[at])
        _standardise(channel[1], row, bound, logs[b], tokens[rows + at])
        _standardise_slope(channel[2], row, bound, logs, b, tokens[2 * rows + at])
