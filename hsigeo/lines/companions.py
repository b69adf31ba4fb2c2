"""What belongs to a map and lies beside it: layers that `hsigeo classify` wrote, and the sensor's view angles.

Layers are known by name (``line_1_map.tif``: ``line_1_confidence.tif``, ``line_1_probabilities.tif``) and used only if
they fit the map, pixel for pixel and class for class: a stale layer of another model would decide silently.

View angles are band 3 (to-sensor zenith, degrees) of a file in the layout of JPL's ``obs`` products, which AVIRIS, EMIT
and NEON tools share; found by the line's id beside the map or the scene.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import HsigeoError
from hsigeo.grid import Grid
from hsigeo.io.class_raster import ClassRaster
from hsigeo.io.cube import Cube
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import grid_of_dataset, open_quietly
from hsigeo.io.map_tag import TAG, read_tag
from hsigeo.line_names import product_id, stems_beside_map
from hsigeo.lines.handles import Handles

__all__ = [
    "Companion",
    "FolderListing",
    "Observation",
    "find_companion",
    "find_observation",
    "misfit_of",
    "read_companion",
]

ZENITH_BAND = 3
MOST_BANDS = 1000
"""Most bands of a probability layer: a mosaic holds one value per class and pixel of a row of a block."""

_ZENITH_NAME = re.compile(r"to.?sensor.*zenith", re.IGNORECASE)
_SUFFIXES = (".hdr", ".tif", ".tiff")
_MOST_CANDIDATES = 1000


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A raster on the map's own grid.

    Parameters
    ----------
    path
        A GeoTIFF.
    bands
        How many.
    """

    path: Path
    bands: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """View angles, on a grid of their own.

    Parameters
    ----------
    path
        The file.
    grid
        With CRS and transform.
    cube, band
        Where the to-sensor zenith is, the band counted from 0.
    """

    path: Path
    grid: Grid
    cube: Cube
    band: int

    def read(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) zenith angle of the sensor in degrees, NaN where it is not known."""
        values: NDArray[np.float32] = self.cube.read(rows, cols, slice(self.band, self.band + 1))[0].astype(np.float32)
        known = np.isfinite(values) & (values >= 0) & (values <= 90)
        if self.cube.header.nodata is not None:
            known &= values != self.cube.header.nodata
        return np.where(known, values, np.float32(np.nan))


def find_companion(raster: ClassRaster, kind: str) -> tuple[Companion | None, list[str]]:
    """The layer of a kind (``confidence`` or ``probabilities``) beside a map, and why one there is not used."""
    path = Path(raster.path)
    for stem in stems_beside_map(path):
        candidate = path.with_name(f"{stem}_{kind}.tif")
        if candidate.is_file() and not candidate.samefile(path):
            misfit = misfit_of(candidate, raster, kind)
            if misfit is None:
                return Companion(path=candidate, bands=1 if kind == "confidence" else len(raster.classes)), []
            return None, [f"{candidate} is not used: {misfit}"]
    return None, []


def misfit_of(path: Path, raster: ClassRaster, kind: str) -> str | None:
    """Why a layer of a kind (``confidence`` or ``probabilities``) is none of this map; `None` if it is."""
    wanted = 1 if kind == "confidence" else len(raster.classes)
    if wanted > MOST_BANDS:
        return f"{wanted} classes are more than the {MOST_BANDS} whose probabilities are averaged"
    try:
        with open_quietly(path, driver="GTiff") as dataset:
            grid, count, dtype = grid_of_dataset(dataset), dataset.count, dataset.dtypes[0]
            stored = read_tag(dataset.tags().get(TAG))
    except GDAL_ERRORS as error:
        return f"it cannot be read ({reason(error)})"
    if not grid.coincides_with(raster.grid):
        return "its grid is not that of the map"
    if count != wanted or not dtype.startswith("float"):
        return f"it has {count} bands of {dtype}, not {wanted} of float32"
    if stored is None:
        return "it does not say which classes it is about (no tag of hsigeo)"
    if stored[0] != raster.classes:
        return "its classes are not those of the map"
    if stored[1].get("model_sha256") != raster.metadata.get("model_sha256"):
        return "another model made it than made the map"
    return None


class FolderListing:
    """What lies in folders, each listed once: a campaign has hundreds of maps in one folder, perhaps on a network."""

    def __init__(self) -> None:
        self._names: dict[Path, list[str]] = {}

    def beginning(self, folder: Path, start: str) -> list[Path]:
        """Files of a folder whose names begin so, sorted."""
        if folder not in self._names:
            try:
                self._names[folder] = sorted(entry.name for entry in folder.iterdir())
            except OSError:  # a folder that may not be looked into holds nothing for us
                self._names[folder] = []
        names = self._names[folder]
        first = bisect_left(names, start)
        return [folder / name for name in takewhile(lambda name: name.startswith(start), names[first:])]


def find_observation(
    raster: ClassRaster, given: Sequence[Path], listing: FolderListing
) -> tuple[Observation | None, list[str]]:
    """The view angles of a map's line, and why files that looked like them are not used."""
    notes: list[str] = []
    for candidate in _candidates(raster, given, listing):
        try:
            return _open_observation(candidate, raster.grid), notes
        except HsigeoError as error:
            notes.append(f"view angles are not taken from {candidate}: {error}")
    return None, notes


def _candidates(raster: ClassRaster, given: Sequence[Path], listing: FolderListing) -> list[Path]:
    """Files named ``ID…obs…``, those the user named first, orthorectified ones before others."""
    scene = raster.metadata.get("scene")
    scene = Path(scene) if isinstance(scene, str) and scene and "\0" not in scene else None
    ids = {product_id(Path(raster.path).stem)}
    if scene is not None:
        ids.add(product_id(scene.stem))
    folders = [path for path in given if path.is_dir()]
    folders.append(Path(raster.path).parent)
    if scene is not None and scene.is_file():
        folders.append(scene.parent)
    found = [path for path in given if path.is_file() and _belongs(path.name, ids)]
    for folder in folders:
        for line_id in sorted(ids):
            beside = [path for path in listing.beginning(folder, line_id) if _belongs(path.name, ids)]
            beside.sort(key=lambda path: ("ort" not in path.name, path.name))
            found += [path for path in beside if path.suffix.casefold() in _SUFFIXES]
    unique = {path.resolve(): path for path in reversed(found[:_MOST_CANDIDATES])}
    return list(reversed(unique.values()))


def _belongs(name: str, ids: set[str]) -> bool:
    """Whether a file is about a line: after the id comes no further letter or digit (line_1 is not line_10)."""
    for line_id in ids:
        rest = name[len(line_id) :]
        if name.startswith(line_id) and "obs" in rest.casefold() and not rest[0].isalnum():
            return True
    return False


def _open_observation(path: Path, grid_of_map: Grid) -> Observation:
    cube = open_cube(path)
    header = cube.header
    named = [number for number, name in enumerate(header.band_names) if _ZENITH_NAME.search(name)]
    if not named and header.bands.count < ZENITH_BAND:
        raise HsigeoError(f"it has {header.bands.count} bands; to-sensor zenith is band {ZENITH_BAND}")
    grid = header.grid
    if not grid.has_transform and grid.shape == grid_of_map.shape:
        grid = replace(grid, transform=grid_of_map.transform, crs=grid_of_map.crs)
    if grid.crs is None and grid.has_transform:
        grid = replace(grid, crs=grid_of_map.crs)
    if not grid.has_transform or grid.crs is None:
        raise HsigeoError("it has no georeference, and not the map's number of rows and columns")
    return Observation(path=path, grid=grid, cube=cube, band=named[0] if named else ZENITH_BAND - 1)


def read_companion(handles: Handles, companion: Companion) -> Callable[[slice, slice], NDArray[Any]]:
    """A reader of a layer's windows for `hsigeo.lines.sampling.take_nearest`.

    Returns
    -------
    Callable
        From rows and columns to (y, x) where the layer has one band, else (band, y, x).
    """
    bands: int | list[int] = 1 if companion.bands == 1 else list(range(1, companion.bands + 1))

    def read(rows: slice, cols: slice) -> NDArray[Any]:
        values: NDArray[Any] = handles.read(companion.path, bands, rows, cols, "GTiff")
        return values

    return read
