"""What the classes of a map look like: mean and spread of the scene's spectra, class by class.

The strategy: one pass over the scene, chunk by chunk. Each chunk gives count, mean and sum of squared deviations of
each class and band, in float64 about its own mean; these are merged by the formula of Chan, Golub and LeVeque (1983,
The American Statistician 37(3), eq. 2.1), which loses no digits where sums of squares would lose all.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.atomic import replaced_on_success
from hsigeo.bands import BandTable
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import SceneError
from hsigeo.io.class_raster import ClassRaster
from hsigeo.progress import Progress
from hsigeo.scene import grid_of, spectral_axis
from hsigeo.spreadsheets import harmless

__all__ = ["ClassSpectra", "measure_class_spectra", "write_spectra"]


TILE_BYTES = 16 << 20
"""Spectra of a scene in memory that are looked at together; those of a file come in the chunks of its reader."""

PIECE_BYTES = 4 << 20
"""Spectra that are counted together: in float64, and as deviations, they are there about six times."""

COLUMNS = ("class_id", "class", "band", "wavelength_nm", "good", "pixels", "mean", "std")


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassSpectra:
    """Spectra of the classes of a map.

    Parameters
    ----------
    classes, bands
        What the axes mean.
    pixels
        (class, band) int64, how many pixels were valid.
    mean
        (class, band) float64, reflectance; NaN where no pixel was valid.
    std
        (class, band) float64, with n - 1; NaN where fewer than two pixels were valid.
    """

    classes: ClassTable
    bands: BandTable
    pixels: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what is not known is null."""
        wavelength = self.bands.wavelength
        rows = [
            {
                "id": entry.id,
                "name": entry.name,
                "pixels": pixels.tolist(),
                "mean": _or_null(mean),
                "std": _or_null(std),
            }
            for entry, pixels, mean, std in zip(self.classes, self.pixels, self.mean, self.std, strict=True)
        ]
        return {
            "wavelength_nm": None if wavelength is None else wavelength.tolist(),
            "good": self.bands.good.tolist(),
            "classes": rows,
        }


class _Tally:
    """Count, mean and squared deviations so far."""

    def __init__(self, classes: int, bands: int) -> None:
        self.count = np.zeros((classes, bands), dtype=np.int64)
        self.mean = np.zeros((classes, bands))
        self.squares = np.zeros((classes, bands))

    def add(self, places: NDArray[np.intp], spectra: NDArray[np.float32]) -> None:
        """Take pixels in.

        Parameters
        ----------
        places : (pixel,)
            Position of each pixel's class in the table, ascending.
        spectra : (band, pixel)
            NaN where a value is not valid.
        """
        present, starts = np.unique(places, return_index=True)
        valid = np.isfinite(spectra)
        values = np.where(valid, spectra, 0).astype(np.float64)
        count = np.add.reduceat(valid, starts, axis=1, dtype=np.int64)
        mean = np.add.reduceat(values, starts, axis=1) / np.maximum(count, 1)
        values -= np.repeat(mean, np.diff([*starts, len(places)]), axis=1)
        values *= values
        squares = np.add.reduceat(np.where(valid, values, 0), starts, axis=1)
        self._merge(present, count.T, mean.T, squares.T)

    def _merge(
        self,
        present: NDArray[np.intp],
        count: NDArray[np.int64],
        mean: NDArray[np.float64],
        squares: NDArray[np.float64],
    ) -> None:
        before = self.count[present]
        together = np.maximum(before + count, 1)
        apart = mean - self.mean[present]
        self.squares[present] += squares + apart**2 * before * count / together
        self.mean[present] += apart * count / together
        self.count[present] = before + count


def measure_class_spectra(
    raster: ClassRaster, scene: xr.DataArray, *, progress: Progress | None = None
) -> ClassSpectra:
    """Mean and standard deviation of every class and band, in one pass and with one chunk of the scene in memory.

    Parameters
    ----------
    scene : (band, y, x)
        That of the map, or another on its grid. Invalid values are left out, band by band; bad bands are measured too.
    progress
        Called with (pixels read, pixels in all).

    Raises
    ------
    SceneError
        The scene's pixels are not those of the map, or it cannot be read.
    LabelError
        The map cannot be read.
    """
    if not grid_of(scene).coincides_with(raster.grid):
        raise SceneError(
            f"{raster.path}: the scene's pixels do not lie on those of the map; give the scene the map was made from"
        )
    bands = spectral_axis(scene)
    tally = _Tally(len(raster.classes), bands.count)
    ids_of_classes = np.asarray(raster.classes.ids)
    done, piece = 0, max(1, PIECE_BYTES // (4 * bands.count))
    for rows, cols in _tiles(scene):
        ids = raster.read(rows, cols).ravel()
        known = np.flatnonzero((ids != UNCLASSIFIED) & np.isin(ids, ids_of_classes))
        if len(known):
            known = known[np.argsort(ids[known], kind="stable")]
            spectra = scene[:, rows, cols].values.reshape(bands.count, -1)
            for start in range(0, len(known), piece):
                part = known[start : start + piece]
                tally.add(np.searchsorted(ids_of_classes, ids[part]), spectra[:, part])
        done += len(ids)
        if progress is not None:
            progress(done, raster.grid.lines * raster.grid.samples)
    with np.errstate(divide="ignore", invalid="ignore"):
        std = np.sqrt(tally.squares / (tally.count - 1))
    return ClassSpectra(
        classes=raster.classes,
        bands=bands,
        pixels=tally.count,
        mean=np.where(tally.count > 0, tally.mean, np.nan),
        std=np.where(tally.count > 1, std, np.nan),
    )


def write_spectra(spectra: ClassSpectra, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a CSV with one row for each class and band; what is not known is empty.

    Raises
    ------
    OutputExistsError, OutputError
        The file exists and `overwrite` is false, or cannot be written.
    """
    wavelength = spectra.bands.wavelength
    with (
        replaced_on_success(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for place, entry in enumerate(spectra.classes):
            for band in range(spectra.bands.count):
                writer.writerow(
                    (
                        entry.id,
                        harmless(entry.name),
                        band + 1,
                        "" if wavelength is None else f"{wavelength[band]:.10g}",
                        int(spectra.bands.good[band]),
                        spectra.pixels[place, band],
                        _cell(spectra.mean[place, band]),
                        _cell(spectra.std[place, band]),
                    )
                )


def _tiles(scene: xr.DataArray) -> Iterator[tuple[slice, slice]]:
    """The scene's own chunks: half of one costs as much to read as the whole."""
    lines, samples = scene.sizes["y"], scene.sizes["x"]
    height = max(1, TILE_BYTES // (4 * scene.sizes["band"] * samples))
    rows = [min(height, lines - top) for top in range(0, lines, height)]
    across = [samples]
    if scene.chunks is not None:
        rows, across = list(scene.chunks[1]), list(scene.chunks[2])
    for top, bottom in pairwise(accumulate(rows, initial=0)):
        for left, right in pairwise(accumulate(across, initial=0)):
            yield slice(top, bottom), slice(left, right)


def _cell(value: float) -> str:
    return f"{value:.9g}" if np.isfinite(value) else ""


def _or_null(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
