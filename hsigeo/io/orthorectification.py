"""Classifications from sensor geometry to a map grid: labels are moved, never interpolated.

The strategy here: the classifier sees every sensor pixel once, and its results (a class id, perhaps probabilities) are
kept, a thousandth of the scene. Each map pixel then takes the result of one sensor pixel. For a classifier that looks
at single pixels that gives, label for label, what classifying the orthorectified scene would give, without ever making
one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.classes import UNCLASSIFIED
from hsigeo.errors import SceneError
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.geolocation import Geolocation, Lookup
from hsigeo.io.spool import SPOOL_BYTES, Spool, gather, release_pages
from hsigeo.io.strips import StripPlan, compute_strips
from hsigeo.progress import Progress
from hsigeo.scene import grid_of, spatial_coords

__all__ = ["LAYERS", "geolocation_of", "orthorectified"]


LAYERS = ("class_id", "confidence", "probability", "distance")
_STRIP_BYTES = 8 << 20


def geolocation_of(scene: xr.DataArray | xr.Dataset) -> Geolocation | None:
    """Where the pixels of an opened scene in sensor geometry lie; `None` for a scene on a map, or of unknown place.

    Raises
    ------
    SceneError
        The scene was cut after it was opened: its pixels are no longer those of the geolocation.
    """
    source = scene.attrs.get("source")
    if "geolocation" not in scene.attrs or source is None:
        return None
    header = open_cube(source, reader=scene.attrs.get("reader")).header
    if header.geolocation is not None and header.grid.shape != (scene.sizes["y"], scene.sizes["x"]):
        raise SceneError(
            f"{source} was cropped after it was opened, so its pixels cannot be placed on a map; use the whole scene"
        )
    return header.geolocation


@contextmanager
def orthorectified(
    result: xr.Dataset,
    geolocation: Geolocation,
    *,
    layers: Sequence[str] = LAYERS,
    max_distance: float | None = None,
    folder: Path | None = None,
    in_memory: int = SPOOL_BYTES,
    progress: Progress | None = None,
) -> Iterator[xr.Dataset]:
    """A classification in sensor geometry, on a map grid. It is computed on entry, and valid inside the block.

    Parameters
    ----------
    result
        As `hsigeo.classify` gives it, for the whole scene.
    geolocation
        As `geolocation_of` gives it.
    layers
        Variables of `result` to bring along; ``class_id`` always is.
    max_distance
        How far, in metres, a map pixel may lie from the sensor pixel it takes, for scenes with positions; by default
        the distance between neighbouring sensor pixels.
    folder
        For results that do not fit into memory, while the block runs.
    in_memory
        Bytes of results and lookup to keep in memory.
    progress
        Called with (sensor pixels done, sensor pixels in all).

    Yields
    ------
    xarray.Dataset
        The same variables, 0 and NaN where no sensor pixel belongs. The metadata of ``class_id`` says how pixels were
        placed.
    """
    names = [name for name in LAYERS if name in result and (name == "class_id" or name in layers)]
    with Spool(folder, budget=in_memory) as spool, geolocation.lookup(spool, max_distance=max_distance) as lookup:
        computed = _compute(result, names, spool, progress)
        yield _on_map(result, computed, lookup)


def _compute(
    result: xr.Dataset, names: Sequence[str], spool: Spool, progress: Progress | None
) -> dict[str, NDArray[Any]]:
    """The layers in sensor geometry, every pixel classified once."""
    arrays = {name: result[name].data for name in names}
    lines, samples = grid_of(result).shape
    computed = {
        name: spool.array(array.shape, array.dtype, UNCLASSIFIED if name == "class_id" else np.nan)
        for name, array in arrays.items()
    }
    chunks = getattr(arrays["class_id"], "chunks", None)
    bytes_per_line = sum(array.nbytes for array in computed.values()) // lines
    plan = StripPlan(lines, None if chunks is None else chunks[0], bytes_per_line)
    strips: Generator[Any, None, None] = compute_strips(list(arrays.values()), plan)
    with closing(strips):
        for (start, stop), parts in strips:
            for target, part in zip(computed.values(), parts, strict=True):
                target[..., start:stop, :] = part
                release_pages(target)
            if progress is not None:
                progress(stop * samples, lines * samples)
    return computed


def _on_map(result: xr.Dataset, computed: dict[str, NDArray[Any]], lookup: Lookup) -> xr.Dataset:
    grid = lookup.grid
    variables: dict[str, Any] = {}
    for name, values in computed.items():
        placed = _Placed(values=values.reshape(*values.shape[:-2], -1), lookup=lookup)
        bytes_per_row = grid.samples * (values.dtype.itemsize * int(np.prod(values.shape[:-2])) + 8)
        rows = min(grid.lines, max(1, _STRIP_BYTES // bytes_per_row))
        data = da.from_array(
            placed,
            chunks=(*values.shape[:-2], rows, grid.samples),
            name=False,
            asarray=False,
            meta=np.empty((0,) * values.ndim, dtype=values.dtype),
        )
        variables[name] = (result[name].dims, data, dict(result[name].attrs))
    metadata = dict(variables["class_id"][2].get("metadata", {}))
    metadata["repairs"] = [*metadata.get("repairs", []), lookup.note]
    variables["class_id"][2]["metadata"] = metadata
    coords = {name: coord for name, coord in result.coords.items() if coord.dims == ("class",)}
    return xr.Dataset(variables, coords={**coords, **spatial_coords(grid)})


@dataclass(frozen=True, eq=False)
class _Placed:
    """Results of sensor pixels as an array (…, y, x) of the map, gathered where it is sliced."""

    values: NDArray[Any]  # (…, sensor pixel)
    lookup: Lookup

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.values.shape[:-1], *self.lookup.grid.shape)

    @property
    def ndim(self) -> int:
        return self.values.ndim + 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    def __getitem__(self, key: tuple[slice, ...]) -> NDArray[Any]:
        *outer, rows, cols = key
        index = self.lookup.read(rows, cols)
        known = index >= 0
        source = self.values[tuple(outer)]
        fill = np.nan if self.dtype.kind == "f" else UNCLASSIFIED
        placed = np.full((*source.shape[:-1], *index.shape), fill, dtype=self.dtype)
        placed[..., known] = gather(source, index[known])
        return placed
