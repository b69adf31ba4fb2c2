"""Large scenes that look like scenes, written to disk in little memory, and labelled spectra that fit them.

Noise would not do: deflate cannot shrink it, and no classifier is sure of it. Here every pixel mixes two spectra of a
library, which ones changes from patch to patch, and how much of each changes smoothly; then come illumination and
sensor noise. Integers are reflectance x 10 000, as most products have them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.training import LabelledSpectra

__all__ = ["LAYOUTS", "Library", "make_library", "write_cube"]

LAYOUTS = ("bil", "bip", "bsq", "tif", "tif-pixel")
"""ENVI's three orders, and GeoTIFFs of deflated tiles: of one band each, or of all bands, pixel by pixel."""

NODATA = -9999
BLOCK = 256
"""Rows and columns of a GeoTIFF's tiles, if nothing else is said; also how many rows are made at a time."""

PATCH = 16
"""Pixels on which the mixed spectra stay the same."""

NOISE = 0.004
"""Standard deviation of a sensor's noise, in reflectance: 1 part in 75 of a middling surface."""

ORIGIN = Affine(5.0, 0.0, 380_000.0, 0.0, -5.0, 5_820_000.0)
CRS = "EPSG:32633"

_AXES = {"bil": (1, 0, 2), "bip": (1, 2, 0)}
_NOISE_VALUES = 1 << 22


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """Spectra to make scenes of.

    Parameters
    ----------
    spectra
        (spectrum, band) float32, reflectance 0-1.
    labels
        (spectrum,) class index from 0.
    wavelengths
        (band,) nm, ascending.
    """

    spectra: NDArray[np.float32]
    labels: NDArray[np.int64]
    wavelengths: NDArray[np.float64]

    @property
    def bands(self) -> int:
        """Bands of each spectrum."""
        return len(self.wavelengths)

    def as_labelled_spectra(self) -> LabelledSpectra:
        """As hsigeo trains on it; every spectrum is a place of its own."""
        count = len(self.labels)
        return LabelledSpectra(
            spectra=self.spectra,
            class_id=(self.labels + 1).astype(np.int32),
            group=np.arange(count),
            scene=np.zeros(count, dtype=np.int32),
            row=np.arange(count, dtype=np.int64),
            col=np.zeros(count, dtype=np.int64),
            classes=ClassTable.from_names([f"material {index + 1}" for index in range(int(self.labels.max()) + 1)]),
            bands=BandTable(count=self.bands, wavelength=self.wavelengths),
            scene_band_count=self.bands,
            scene_band_index=np.arange(self.bands),
        )


def make_library(bands: int = 200, *, classes: int = 8, per_class: int = 100, seed: int = 0) -> Library:
    """Spectra of invented materials: a slope and a few broad features each, which vary a little within a class."""
    random = np.random.default_rng(seed)
    wavelengths = np.round(np.linspace(410, 2450, bands), 2)
    position = np.linspace(0, 1, bands)
    spectra = []
    for _ in range(classes):
        centre, depth, width = random.random(4), random.uniform(-0.15, 0.25, 4), random.uniform(0.04, 0.25, 4)
        level, slope = random.uniform(0.15, 0.4), random.uniform(-0.1, 0.15)
        for _ in range(per_class):
            depths = depth * random.normal(1, 0.15, 4)
            features = (depths[:, None] * np.exp(-(((position - centre[:, None]) / width[:, None]) ** 2))).sum(axis=0)
            brightness = random.lognormal(0, 0.15)
            clean = brightness * (level + slope * position + features).clip(0.01)
            spectra.append(clean + NOISE * random.normal(size=bands))
    return Library(
        spectra=np.array(spectra, dtype=np.float32),
        labels=np.repeat(np.arange(classes), per_class),
        wavelengths=wavelengths,
    )


def write_cube(
    folder: Path,
    layout: str,
    library: Library,
    *,
    lines: int,
    samples: int,
    noise: float = NOISE,
    seed: int = 0,
    block: int = BLOCK,
) -> Path:
    """Write a scene, some rows at a time; return the path to open it by.

    Parameters
    ----------
    layout
        One of `LAYOUTS`.
    noise
        Standard deviation of what is added, in reflectance; 0 for a library of measured pixels, which have their own.
    block
        Rows and columns of a GeoTIFF's tiles, a multiple of `BLOCK`.
    """
    strips = _Strips(library, lines, samples, noise, seed)
    if layout.startswith("tif"):
        return _write_tiff(folder / f"cube_{layout}.tif", strips, "pixel" if layout == "tif-pixel" else "band", block)
    path = folder / f"cube_{layout}.img"
    with path.open("wb") as file:
        for top in range(0, lines, BLOCK):
            strip = strips.make(top)
            if layout == "bsq":
                for band, image in enumerate(strip):
                    os.pwrite(file.fileno(), image.tobytes(), 2 * samples * (band * lines + top))
            else:
                file.write(np.ascontiguousarray(strip.transpose(_AXES[layout])).data)
    header = path.with_suffix(".hdr")
    header.write_text(_header(library, layout, lines, samples), encoding="utf-8")
    return header


class _Strips:
    """Makes rows of a scene; the same rows whenever it is asked."""

    def __init__(self, library: Library, lines: int, samples: int, noise: float, seed: int) -> None:
        self.library, self.lines, self.samples, self._seed = library, lines, samples, seed
        self._noise = np.float32(noise) * np.random.default_rng(seed).standard_normal(_NOISE_VALUES, dtype=np.float32)

    def make(self, top: int) -> NDArray[np.int16]:
        """(band, y, x) of `BLOCK` rows from `top`, or as many as there are."""
        rows = min(BLOCK, self.lines - top)
        random = np.random.default_rng((self._seed, top))
        y, x = np.mgrid[top : top + rows, 0 : self.samples]
        share = (0.5 + 0.6 * np.sin(x / 23.0 + np.sin(y / 41.0)) * np.cos(y / 29.0)).clip(0, 1).astype(np.float32)
        light = (1 + 0.15 * np.sin(x / 91.0 - y / 67.0)).astype(np.float32)
        first, second = (self._patches(random, rows) for _ in range(2))
        strip = np.empty((self.library.bands, rows, self.samples), dtype=np.int16)
        for band, values in enumerate(self.library.spectra.T):
            mixed = values[second]
            mixed += share * (values[first] - mixed)
            mixed *= light
            begin = int(random.integers(_NOISE_VALUES))
            mixed += np.take(self._noise, np.arange(begin, begin + mixed.size), mode="wrap").reshape(mixed.shape)
            mixed *= 10_000
            strip[band] = mixed.clip(-300, 16_000)
        return strip

    def _patches(self, random: np.random.Generator, rows: int) -> NDArray[np.int64]:
        """(y, x) which spectrum of the library."""
        drawn = random.integers(len(self.library.labels), size=(-(-rows // PATCH), -(-self.samples // PATCH)))
        return drawn.repeat(PATCH, axis=0).repeat(PATCH, axis=1)[:rows, : self.samples]


def _header(library: Library, layout: str, lines: int, samples: int) -> str:
    easting, northing = ORIGIN.c, ORIGIN.f
    return "\n".join(
        [
            "ENVI",
            f"samples = {samples}",
            f"lines = {lines}",
            f"bands = {library.bands}",
            "header offset = 0",
            "data type = 2",
            f"interleave = {layout}",
            "byte order = 0",
            f"map info = {{UTM, 1, 1, {easting}, {northing}, 5, 5, 33, North, WGS-84, units=Meters}}",
            f"data ignore value = {NODATA}",
            "reflectance scale factor = 10000",
            "wavelength units = Nanometers",
            f"wavelength = {{{', '.join(map(str, library.wavelengths))}}}",
            "",
        ]
    )


def _write_tiff(path: Path, strips: _Strips, interleave: str, block: int) -> Path:
    library = strips.library
    with (
        rasterio.Env(GDAL_CACHEMAX=256 << 20),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            dtype="int16",
            count=library.bands,
            height=strips.lines,
            width=strips.samples,
            nodata=NODATA,
            crs=CRS,
            transform=ORIGIN,
            tiled=True,
            blockxsize=block,
            blockysize=block,
            interleave=interleave,
            compress="deflate",
            predictor=2,
            zlevel=6,
            num_threads="all_cpus",
            bigtiff="yes",
        ) as dataset,
    ):
        dataset.update_tags(reflectance_scale_factor="10000")
        for band, wavelength in enumerate(library.wavelengths, start=1):
            dataset.update_tags(band, wavelength=str(wavelength), wavelength_units="Nanometers")
        # Whole rows of tiles at a time: a tile that is written twice lies in the file twice.
        for first in range(0, strips.lines, block):
            rows = range(first, min(first + block, strips.lines), BLOCK)
            strip = np.concatenate([strips.make(top) for top in rows], axis=1)
            dataset.write(strip, window=Window(0, first, strips.samples, strip.shape[1]))
    return path
