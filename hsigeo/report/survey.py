"""What is seen when a map, its scene and its confidence are read: counts, pictures, spectra of the mapped pixels.

The strategy: the map and the confidence are read once through, strip by strip, for counts that hold for every pixel;
pictures show every n-th row and column; spectra come from a few dozen rows spread evenly over the scene. So memory
follows none of them, and a scene of 100 GB costs as much as one of 1 GB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.env import Env
from rasterio.windows import Window

from hsigeo.bands import BandTable
from hsigeo.errors import LabelError
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly
from hsigeo.io.map_files import CACHE_BYTES
from hsigeo.io.map_picture import is_placed, lay_on, make_map_picture, place_picture, turn_north
from hsigeo.io.quicklook import Look, Picture, decimated_transform, make_picture
from hsigeo.io.scaling import to_reflectance
from hsigeo.io.sidecars import RAMP
from hsigeo.progress import Progress

__all__ = [
    "LONGEST_SIDE",
    "Bar",
    "ConfidenceSurvey",
    "MappedSpectra",
    "Pictures",
    "Progress",
    "no_bar",
    "read_mapped_spectra",
    "read_pictures",
    "survey_confidence",
]

LONGEST_SIDE = 760
"""Pixels of a picture: two of them side by side fill a wide screen, and all pictures stay below 3 MB."""

EXPONENT = 0.7
"""Exponent of the stretch: brightens land that clouds, quarries or roofs in the picture make dark."""

ROWS = 48
ROW_BYTES = 32 << 20
SPECTRA_BYTES = 256 << 20
"""Rows that spectra are taken from; of one row not more than so much is read; and of all of them together."""

BINS = 50
"""Number of bins of confidence between 0 and 1."""

Bar = Callable[[str, str], AbstractContextManager[Progress]]
"""Makes a progress bar out of what is done and in what unit, as `hsigeo.cli.options.progress_bar` does."""


def no_bar(_what: str, _unit: str) -> AbstractContextManager[Progress]:
    """For callers that show no progress."""
    return nullcontext(lambda _done, _total: None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """The map and its scene.

    Parameters
    ----------
    classes
        The map, north up where its place is known.
    scene
        The scene on the same pixels; `None` where there is none, or where it cannot be laid on the map.
    scene_bands
        What is red, green and blue: (band counted from 1, wavelength in nm or `None`); one or three.
    note
        Why the scene is not shown; empty where it is, or where there is none.
    """

    classes: Picture
    scene: Picture | None
    scene_bands: tuple[tuple[int, float | None], ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedSpectra:
    """Spectra of pixels of the scene, by the class that the map gives them.

    Parameters
    ----------
    bands
        Of the scene, bad ones left out.
    ids
        (class,) ids.
    mean, spread
        (class, band) float64, reflectance and its standard deviation; NaN for a class of which no pixel was read.
    count
        (class,) pixels read.
    """

    bands: BandTable
    ids: tuple[int, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConfidenceSurvey:
    """The probability of the mapped class, over the map.

    Parameters
    ----------
    picture
        In the colours that QGIS gives the layer, transparent where the map says nothing; on the same pixels as the
        other pictures.
    histogram
        (class, bin) int64 pixels, by the classes in order.
    edges
        (bin + 1,) from 0 to 1.
    mean
        (class,) float64, NaN without pixels.
    """

    picture: Picture
    histogram: NDArray[np.int64]
    edges: NDArray[np.float64]
    mean: NDArray[np.float64]

    def share_below(self, limit: float) -> float:
        """Share of the pixels with less confidence than a limit, which must be an edge of a bin."""
        below = int(self.histogram[:, self.edges[:-1] < limit - 1e-9].sum())
        return below / max(int(self.histogram.sum()), 1)


def read_pictures(raster: ClassRaster, scene: Cube | None, *, bar: Bar = no_bar) -> Pictures:
    """The map, and the scene on the same pixels.

    Raises
    ------
    LabelError, SceneError
        They cannot be read to their ends.
    """
    with bar("picture of the map", "row") as show:
        classes = turn_north(make_map_picture(raster, longest_side=LONGEST_SIDE, progress=show))
    if scene is None:
        return Pictures(classes=classes, scene=None)
    header = scene.header
    with bar("picture of the scene", "row") as show:
        picture = make_picture(scene, Look(longest_side=LONGEST_SIDE, exponent=EXPONENT), progress=show)
    shown, note = _on_the_map(picture, header, raster, classes)
    nm = header.bands.wavelength
    bands = tuple((band + 1, None if nm is None else float(nm[band])) for band in picture.bands)
    return Pictures(classes=classes, scene=shown, scene_bands=bands, note=note)


def _on_the_map(
    picture: Picture, header: CubeHeader, raster: ClassRaster, classes: Picture
) -> tuple[Picture | None, str]:
    """The scene's picture on the pixels of the map's, or why that cannot be."""
    if header.geolocation is not None and raster.grid.shape != header.grid.shape:
        picture = place_picture(
            picture, header.geolocation, scene_samples=header.grid.samples, longest_side=LONGEST_SIDE
        )
    shape = classes.rgba.shape[1:]
    if is_placed(picture) and is_placed(classes) and _same_crs(picture.crs, classes.crs):
        return lay_on(picture, classes.transform, (shape[0], shape[1])), ""
    if raster.grid.shape == header.grid.shape and picture.rgba.shape == classes.rgba.shape:
        return picture, ""
    return None, "it and the map are on different grids, and at least one of them has no usable georeference"


def _same_crs(first: str | None, second: str | None) -> bool:
    if first is None or second is None or first == second:
        return first == second
    try:
        return bool(CRS.from_wkt(first) == CRS.from_wkt(second))
    except GDAL_ERRORS:
        return False


def read_mapped_spectra(
    raster: ClassRaster, scene: Cube, ids: Sequence[int], *, bar: Bar = no_bar
) -> MappedSpectra | None:
    """Spectra of the mapped pixels of some classes; `None` where scene and map do not have the same pixels.

    Raises
    ------
    LabelError, SceneError
        They cannot be read.
    """
    header = scene.header
    if header.grid.shape != raster.grid.shape:
        return None
    if header.geolocation is not None and header.grid.transform != raster.grid.transform:
        return None
    good = np.flatnonzero(header.bands.good)
    place = np.full(max(raster.classes.ids, default=0) + 2, -1)
    place[list(ids)] = np.arange(len(ids))
    tally = _Tally(len(ids), len(good))
    rows, cols = _windows(header)
    with bar("spectra of the mapped pixels", "row") as show:
        for number, row in enumerate(rows):
            window = slice(row, row + 1), cols
            classes = place[np.minimum(raster.read(*window)[0], len(place) - 1)]
            if (classes >= 0).any():
                stored = scene.read(*window)
                spectra = to_reflectance(stored, header.scaling, header.nodata)[good, 0]  # (band, x)
                tally.add(classes, spectra)
            show(number + 1, len(rows))
    mean, spread = tally.statistics()
    return MappedSpectra(bands=header.bands.take(good), ids=tuple(ids), mean=mean, spread=spread, count=tally.count)


def _windows(header: CubeHeader) -> tuple[list[int], slice]:
    """Rows spread evenly over the scene, and which columns of them."""
    lines, samples = header.grid.shape
    pixel_bytes = header.bands.count * header.dtype.itemsize
    width = max(1, min(samples, ROW_BYTES // (pixel_bytes * header.block_shape[0] or 1)))
    first = (samples - width) // 2
    cost = width * pixel_bytes * header.block_shape[0]
    number = min(lines, ROWS, max(1, SPECTRA_BYTES // cost))
    rows = np.unique(((np.arange(number) + 0.5) * lines / number).astype(int))
    return [int(row) for row in rows], slice(first, first + width)


class _Tally:
    """Sums of spectra by class."""

    def __init__(self, classes: int, bands: int) -> None:
        self.count = np.zeros(classes, dtype=np.int64)
        self._sum = np.zeros((classes, bands))
        self._squares = np.zeros((classes, bands))

    def add(self, classes: NDArray[np.intp], spectra: NDArray[np.float32]) -> None:
        """Take (pixel,) positions, -1 for none, and (band, pixel) spectra."""
        known = (classes >= 0) & np.isfinite(spectra).all(axis=0)
        for number in np.unique(classes[known]).tolist():
            found = spectra[:, known & (classes == number)].astype(np.float64)
            self.count[number] += found.shape[1]
            self._sum[number] += found.sum(axis=1)
            self._squares[number] += np.square(found).sum(axis=1)

    def statistics(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation."""
        pixels = np.where(self.count > 0, self.count, np.nan)[:, None]
        mean = self._sum / pixels
        return mean, np.sqrt(np.maximum(self._squares / pixels - mean**2, 0.0))


def survey_confidence(raster: ClassRaster, path: Path, like: Picture, *, bar: Bar = no_bar) -> ConfidenceSurvey:
    """Read a confidence layer that fits a map.

    Parameters
    ----------
    like
        The picture of the map: that of the confidence has the same pixels.

    Raises
    ------
    LabelError
        The layer cannot be read.
    """
    step = like.step
    ids = raster.classes.ids
    place = np.full(max(ids, default=0) + 2, -1)
    place[list(ids)] = np.arange(len(ids))
    histogram, total = np.zeros((len(ids), BINS), dtype=np.int64), np.zeros(len(ids))
    parts = []
    try:
        # GDAL would keep a twentieth of the machine's memory of a file that is read once.
        with (
            Env(GDAL_CACHEMAX=CACHE_BYTES),
            open_quietly(path, driver="GTiff") as dataset,
            bar("confidence", "row") as show,
        ):
            for first, classes in raster.strips():
                window = Window(0, first, raster.grid.samples, len(classes))
                values: NDArray[np.float32] = dataset.read(1, window=window)
                parts.append(values[-first % step :: step, ::step].copy())  # a view would keep the whole strip
                _count(place[np.minimum(classes, len(place) - 1)], values, histogram, total)
                show(first + len(classes), raster.grid.lines)
    except GDAL_ERRORS as error:
        raise LabelError(f"{path} cannot be read: {reason(error)}") from error
    pixels = histogram.sum(axis=1)
    return ConfidenceSurvey(
        picture=turn_north(
            replace(like, rgba=_painted(np.concatenate(parts)), transform=_decimated(raster, like.step))
        ),
        histogram=histogram,
        edges=np.linspace(0, 1, BINS + 1),
        mean=np.divide(total, pixels, out=np.full(len(ids), np.nan), where=pixels > 0),
    )


def _decimated(raster: ClassRaster, step: int) -> Affine:
    return decimated_transform(raster.grid.transform, step) if raster.grid.has_transform else Affine.identity()


def _count(
    classes: NDArray[Any], values: NDArray[np.float32], histogram: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    known = (classes >= 0) & np.isfinite(values)
    members, shares = classes[known], values[known].clip(0, 1)
    bins = np.minimum((shares * BINS).astype(np.int64), BINS - 1)
    histogram += np.bincount(members * BINS + bins, minlength=histogram.size).reshape(histogram.shape)
    total += np.bincount(members, shares, minlength=len(total))


def _painted(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(4, y, x) in the colours of the layer's QGIS style; transparent where there is no value."""
    known = np.isfinite(values)
    ramp = np.array([list(bytes.fromhex(color[1:])) for color in RAMP], dtype=np.float64)
    place = np.where(known, values, 0.0).clip(0, 1) * (len(ramp) - 1)
    shades = [np.interp(place, np.arange(len(ramp)), ramp[:, channel]).round() for channel in range(3)]
    return np.stack([*shades, np.where(known, 255, 0)]).astype(np.uint8)
