"""The flight: what an imaging spectrometer records of the landscape on one pass, and the ENVI file it ends up in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cover import make_shade
from landscape import CLASSES, GRASS, GREEN, WOOD, Landscape, smooth_noise
from numpy.typing import NDArray
from spectra import make_endmembers, make_wavelengths, pigment_absorption, water_absorption

__all__ = ["METRES_PER_PIXEL", "NODATA", "SCALE", "FlightLine", "bad_bands", "fly", "pure_share", "write_envi"]

METRES_PER_PIXEL = 4
SCALE = 10_000
NODATA = -9999
BAD_WINDOWS = ((1350.0, 1450.0), (1800.0, 1950.0))
"""Wavelengths in nm where water vapour lets almost no light through."""

Cube = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FlightLine:
    """One pass: where its grid lies in the landscape and under which light it was flown.

    Parameters
    ----------
    first_line, first_sample
        Position of its first pixel in the landscape, in pixels.
    lines, samples
        Size in pixels.
    sun_elevation, sun_azimuth
        Degrees, in the frame of the flight line.
    gain
        Relative calibration at the blue and at the far end of the spectrum.
    haze
        Reflectance left over at 400 nm by the atmospheric correction.
    """

    name: str
    first_line: int
    first_sample: int
    lines: int
    samples: int
    sun_elevation: float
    sun_azimuth: float
    gain: tuple[float, float]
    haze: float

    @property
    def window(self) -> tuple[slice, slice]:
        """The line's pixels in the landscape's grid."""
        return (
            slice(self.first_line, self.first_line + self.lines),
            slice(self.first_sample, self.first_sample + self.samples),
        )


def fly(
    rng: np.random.Generator, line: FlightLine, landscape: Landscape, fractions: NDArray[np.float32]
) -> NDArray[np.int16]:
    """Record one flight line.

    Returns
    -------
    (line, band, sample) int16
        Reflectance times `SCALE`, `NODATA` outside the swath.
    """
    centre, fwhm = make_wavelengths()
    endmembers = make_endmembers(centre, fwhm)
    shade = make_shade(landscape.height, sun_elevation=line.sun_elevation, sun_azimuth=line.sun_azimuth)
    everywhere = _blur(_cut(_average(fractions), line))
    lit = _blur(_cut(_average(fractions * shade.astype(np.float32)), line))
    diffuse = 0.06 + 0.16 * (450 / centre) ** 1.6  # share of skylight: strong in the blue, weak in the infrared
    cube = np.einsum("elc,eb->lbc", lit, endmembers * (1 - diffuse))
    cube += np.einsum("elc,eb->lbc", everywhere, endmembers * diffuse)
    cube *= _leaf_chemistry(line, landscape, centre)
    cube *= _instrument(rng, line, centre)
    cube += line.haze * (400 / centre[None, :, None]) ** 3
    cube[:, bad_bands(centre)] *= 0.02
    cube += _noise(rng, cube.shape, centre)
    return _quantise(cube, _swath(rng, line))


def bad_bands(centre: Cube) -> NDArray[np.bool_]:
    """(band,) True in the windows where water vapour absorbs nearly everything."""
    return np.asarray(np.any([(centre >= low) & (centre <= high) for low, high in BAD_WINDOWS], axis=0))


def pure_share(landscape: Landscape) -> NDArray[np.float64]:
    """(class, line, sample) share of each cover in the pixels of the whole landscape, in order of `CLASSES`."""
    onehot = np.stack([landscape.cover == number for number in CLASSES.values()]).astype(np.float32)
    return _average(onehot).astype(np.float64)


def _average(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over the square metres of each pixel."""
    side = METRES_PER_PIXEL
    layers, rows, cols = grid.shape
    blocks = grid.reshape(layers, rows // side, side, cols // side, side)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float32))


def _cut(grid: NDArray[np.float32], line: FlightLine) -> NDArray[np.float32]:
    """The line's part of the landscape with one pixel around it, repeated where the landscape ends."""
    rows = np.arange(line.first_line - 1, line.first_line + line.lines + 1).clip(0, grid.shape[1] - 1)
    cols = np.arange(line.first_sample - 1, line.first_sample + line.samples + 1).clip(0, grid.shape[2] - 1)
    return np.asarray(grid[:, rows[:, None], cols[None, :]])


def _blur(grid: NDArray[np.float32]) -> Cube:
    """The optics: 14 % of each neighbour's light per direction; takes the margin off."""
    wide = grid.astype(np.float64)
    rows = 0.14 * wide[:, :-2] + 0.72 * wide[:, 1:-1] + 0.14 * wide[:, 2:]
    return 0.14 * rows[:, :, :-2] + 0.72 * rows[:, :, 1:-1] + 0.14 * rows[:, :, 2:]


def _leaf_chemistry(line: FlightLine, landscape: Landscape, centre: Cube) -> Cube:
    """Where plants grow, more or less chlorophyll and leaf water than the endmembers have (Beer-Lambert)."""
    share = pure_share(landscape)
    # Drawn for the whole landscape from one seed: both lines see the same plants.
    local = np.random.default_rng(7)
    pigment = 0.28 * smooth_noise(local, share.shape[1:], 6)
    water = 0.012 * smooth_noise(local, share.shape[1:], 9)
    # Grass that is mostly straw has little chlorophyll to vary.
    plants = share[WOOD - 1] + share[GREEN - 1] + 0.3 * share[GRASS - 1]
    amount = _cut(np.stack([pigment * plants, water * plants]).astype(np.float32), line)[:, 1:-1, 1:-1]
    exponent = np.einsum("lc,b->lbc", amount[0], pigment_absorption(centre))
    exponent += np.einsum("lc,b->lbc", amount[1], np.minimum(water_absorption(centre), 40))
    return np.asarray(np.exp(-exponent))


def _instrument(rng: np.random.Generator, line: FlightLine, centre: Cube) -> Cube:
    """Gain over wavelength, darker and brighter side of the swath (BRDF), and faint stripes along the track."""
    position = (centre - centre[0]) / (centre[-1] - centre[0])
    gain = line.gain[0] + (line.gain[1] - line.gain[0]) * position + 0.006 * np.sin(9 * position)
    view = np.linspace(-1, 1, line.samples)
    across = 1 + 0.035 * view + 0.03 * view**2
    stripes = 1 + 0.003 * rng.standard_normal((centre.size, line.samples))
    return np.asarray(gain[None, :, None] * across[None, None, :] * stripes[None])


def _noise(rng: np.random.Generator, shape: tuple[int, ...], centre: Cube) -> Cube:
    """White noise: least at 600-1000 nm, more at both ends, and nothing but noise in the bad windows."""
    sigma = 0.0022 + 0.006 * np.exp(-(centre - 400) / 45) + 0.0055 * np.clip((centre - 2250) / 200, 0, 1)
    sigma += 0.002 * (centre > 1000)
    for centre_of_window, width in ((1400, 34), (1875, 52), (940, 14), (1130, 18)):
        sigma += (0.0025 if width < 30 else 0.05) * np.exp(-0.5 * ((centre - centre_of_window) / width) ** 2)
    return sigma[None, :, None] * rng.standard_normal(shape)


def _swath(rng: np.random.Generator, line: FlightLine) -> NDArray[np.bool_]:
    """(line, sample) True inside the swath: the aircraft rolls, and starts and ends at a slant."""
    roll = smooth_noise(rng, (line.lines, 1), 9)[:, 0] * 1.3 + 2.5 * np.sin(np.arange(line.lines) / 31)
    sample = np.arange(line.samples)[None, :]
    inside = (sample >= (4 + roll)[:, None]) & (sample < (line.samples - 4 + roll)[:, None])
    slant = 3 + 3 * np.linspace(-1, 1, line.samples)
    row = np.arange(line.lines)[:, None]
    return np.asarray(inside & (row >= slant[None, :]) & (row < line.lines - 6 + slant[None, :]))


def _quantise(cube: Cube, inside: NDArray[np.bool_]) -> NDArray[np.int16]:
    counts = np.clip(np.rint(cube * SCALE), -2000, 15000).astype(np.int16)
    counts[~np.broadcast_to(inside[:, None, :], counts.shape)] = NODATA
    return counts


def write_envi(folder: Path, line: FlightLine, cube: NDArray[np.int16], map_info: str) -> None:
    """Write ``NAME.img`` (band-interleaved by line, little-endian) and ``NAME.hdr``."""
    centre, fwhm = make_wavelengths()
    lines, bands, samples = cube.shape
    header = f"""ENVI
description = {{Invented flight line {line.name}, made by sample_scenes/make.py. Reflectance x {SCALE}.}}
samples = {samples}
lines = {lines}
bands = {bands}
header offset = 0
file type = ENVI Standard
data type = 2
interleave = bil
byte order = 0
map info = {{{map_info}}}
data ignore value = {NODATA}
reflectance scale factor = {SCALE}
default bands = {{{_nearest(centre, 650)}, {_nearest(centre, 550)}, {_nearest(centre, 470)}}}
wavelength units = Nanometers
wavelength = {{{", ".join(f"{value:.1f}" for value in centre)}}}
fwhm = {{{", ".join(f"{value:.1f}" for value in fwhm)}}}
bbl = {{{", ".join(str(int(not value)) for value in bad_bands(centre))}}}
"""
    (folder / f"{line.name}.hdr").write_text(header, encoding="utf-8")
    cube.astype("<i2").tofile(folder / f"{line.name}.img")


def _nearest(centre: Cube, wavelength: float) -> int:
    """Number of the band closest to a wavelength, from 1."""
    return int(np.argmin(np.abs(centre - wavelength))) + 1
