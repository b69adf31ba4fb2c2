"""Writing class maps.

The strategy here: one pass over the scene, strip by strip (`hsigeo.io.strips`); one thread, the caller's, writes.
Rows are gathered into whole rows of tiles before they go to GDAL, so no tile is compressed twice and GDAL's cache
can be small: memory follows the strip, not the scene. Overviews need the whole image, so the map goes through a
plain tiled TIFF into a Cloud Optimized one.

Every file is written beside its final place and checked by reading it back; then all are renamed, the map before its
sidecars, so that a sidecar never describes a map that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray as xr
from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.atomic import replaced_together
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import HsigeoError, OutputError, SceneError
from hsigeo.grid import Grid
from hsigeo.io.gdal_errors import FAILURES, reason
from hsigeo.io.gdal_threads import gdal_threads
from hsigeo.io.georeference import open_quietly, profile_of_grid
from hsigeo.io.map_files import (
    CACHE_BYTES,
    annotate,
    check_written,
    compression,
    naming,
    optimize,
    remove_stale,
    require_space,
)
from hsigeo.io.map_layers import Layer, Limit, check_targets, classes_of, limit_of, plan_layers
from hsigeo.io.map_tag import TAG, add_unknown_pixels
from hsigeo.io.strips import LARGEST_STRIP_BYTES, StripPlan, compute_strips
from hsigeo.memory import release_unused
from hsigeo.progress import Progress
from hsigeo.scene import grid_of

__all__ = ["write_map", "writing_bytes"]

_TILE = 256
_LEAST_TILE = 16  # TIFF knows no lower tiles
_ROWS_BYTES = 32 << 20
"""Of a layer, gathered before they go to GDAL: where a row of tiles is more, tiles are lower."""

_PLAIN_BYTES = 32 << 20
"""Up to this size a map is compressed once only, when it is copied to its final form."""

_STRIPS_IN_FLIGHT = 3
_COG_BYTES = 40 << 20
"""What making a Cloud Optimized GeoTIFF takes at most beside GDAL's cache, as measured."""


def write_map(
    result: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    probabilities: str | os.PathLike[str] | None = None,
    confidence: str | os.PathLike[str] | None = None,
    distance: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    scratch: Path | None = None,
) -> dict[int, int]:
    """Compute and write a class map, and whatever of its companions is asked for, in one pass.

    Parameters
    ----------
    result
        As `hsigeo.classification` gives it: ``class_id`` (y, x) with the class table and metadata in its attributes,
        ``confidence`` (y, x) and ``probability`` (class, y, x). Lazy arrays are computed on the active dask
        scheduler.
    path
        The map, a Cloud Optimized GeoTIFF of uint8 or uint16 with colour table; 0 is unclassified and nodata.
        ``.aux.xml`` and ``.qml`` with names and colours go beside it. The other layers have a ``.qml`` too.
    probabilities
        GeoTIFF, float32, one band per class with its name, NaN where the map is 0.
    confidence
        Cloud Optimized GeoTIFF, float32, the probability of the mapped class, NaN where the map is 0.
    distance
        Cloud Optimized GeoTIFF, float32, how far each pixel lies from everything learnt; NaN where there is no valid
        spectrum. Only for a classification that has it.
    overwrite
        Replace files that exist.
    progress
        Called with (pixels written, pixels in all) after each strip.
    scratch
        A folder on the same disk for the temporary files, which otherwise lie hidden beside the outputs.

    Returns
    -------
    dict
        How many pixels of the map each class id has, 0 included.

    Raises
    ------
    OutputExistsError
        An output exists and `overwrite` is false. Nothing has been computed then.
    OutputError
        An output cannot be written, is the scene or another output, or `result` is no classification. Nothing is
        left behind.
    SceneError
        The scene could not be read to its end.
    """
    layers = plan_layers(result, path, probabilities=probabilities, confidence=confidence, distance=distance)
    check_targets(layers, result, overwrite=overwrite)
    classes = classes_of(result)
    sidecars = {path: content for layer in layers for path, content in layer.sidecars(classes).items()}
    # In the order in which they are renamed: companions, then the map, then all sidecars.
    finals = [*reversed([layer.path for layer in layers]), *sidecars]
    with replaced_together(finals, overwrite=overwrite, scratch=scratch) as temporary:
        files, waiting = temporary[: len(layers)][::-1], temporary[len(layers) :]
        for file, content in zip(waiting, sidecars.values(), strict=True):
            file.write_bytes(content)
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            counts = _write_all(layers, files, grid_of(result), classes, limit_of(result), progress)
        for layer in layers:
            remove_stale(layer.path)
    return {class_id: int(counts[class_id]) for class_id in (UNCLASSIFIED, *classes.ids)}


def writing_bytes(lines: int, samples: int, layers: Sequence[tuple[int, int]]) -> int:
    """What `write_map` takes of memory.

    Parameters
    ----------
    lines, samples
        Of the map.
    layers
        Bands and bytes of a number, for each layer.
    """
    rows = sum(min(lines, _tile_rows(samples, count, size)) * samples * count * size for count, size in layers)
    line_bytes = samples * sum(count * size for count, size in layers)
    whole = lines * line_bytes
    strips = min(_STRIPS_IN_FLIGHT * max(LARGEST_STRIP_BYTES, line_bytes), 2 * whole)
    # First strips are written, then each raster is optimized; what is free in between is given back.
    return min(CACHE_BYTES, 2 * whole) + max(rows + strips, min(_COG_BYTES, 4 * whole))


def _tile_rows(samples: int, count: int, item_bytes: int) -> int:
    """Rows of a tile in the file, the same for a map of the same size wherever it is made."""
    rows = _TILE
    while rows > _LEAST_TILE and rows * samples * count * item_bytes > _ROWS_BYTES:
        rows //= 2
    return rows


def _write_all(
    layers: Sequence[Layer],
    files: Sequence[Path],
    grid: Grid,
    classes: ClassTable,
    limit: Limit | None,
    progress: Progress | None,
) -> NDArray[np.int64]:
    # What becomes a Cloud Optimized GeoTIFF is staged under a name that `replaced_on_success` clears away as well.
    stages = [
        file if layer.overviews is None else file.with_name(file.name + ".strips.tif")
        for layer, file in zip(layers, files, strict=True)
    ]
    counts = _write_strips(layers, stages, grid, classes, limit, progress)
    for layer, stage, file in zip(layers, stages, files, strict=True):
        release_unused()  # GDAL's cache was made of small pieces, which the allocator keeps
        with naming(layer.path):
            if layer.overviews is not None:
                # The same pixels again, and twice their overviews (a third each), which GDAL first writes apart.
                require_space(layer.path, 2 * stage.stat().st_size)
                optimize(stage, file, layer)
                stage.unlink()
            check_written(file, layer, grid)
    with naming(layers[0].path):
        _check_counts(files[0], counts)
    return counts


def _write_strips(
    layers: Sequence[Layer],
    stages: Sequence[Path],
    grid: Grid,
    classes: ClassTable,
    limit: Limit | None,
    progress: Progress | None,
) -> NDArray[np.int64]:
    """Compute and write; return how many pixels each class id has."""
    counts = np.zeros(max(classes.ids, default=0) + 1, dtype=np.int64)
    arrays = [layer.array for layer in layers]
    bytes_per_line = grid.samples * sum(np.dtype(layer.dtype).itemsize * layer.count for layer in layers)
    if limit is not None:
        # Not written unless asked for, but counted: whoever opens the map shall see how much of it is unknown.
        arrays.append(limit.distance)
        bytes_per_line += 4 * grid.samples
    unknown = 0
    chunks = getattr(arrays[0], "chunks", None)
    plan = StripPlan(grid.lines, None if chunks is None else chunks[0], bytes_per_line)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_TileRows(layer, stage, grid, classes))
            for layer, stage in zip(layers, stages, strict=True)
        ]
        computed = stack.enter_context(closing(compute_strips(arrays, plan)))
        while (item := _next_strip(computed)) is not None:
            (_, stop), parts = item
            counts += _count(parts[0], classes)
            if limit is not None:
                *parts, distance = parts
                unknown += int(np.count_nonzero(distance > limit.threshold))
            for writer, part in zip(writers, parts, strict=True):
                writer.append(part)
            if progress is not None:
                progress(stop * grid.samples, grid.lines * grid.samples)
        for layer, writer in zip(layers, writers, strict=True):
            writer.flush()
            if limit is not None:
                writer.retag(add_unknown_pixels(layer.tag, unknown))
    return counts


def _next_strip(computed: Iterator[Any]) -> Any:
    """The next strip. What fails here failed while reading the scene, and must not be blamed on the output."""
    try:
        return next(computed, None)
    except HsigeoError:
        raise
    except FAILURES as error:
        raise SceneError(f"the scene could not be read to its end: {reason(error)}") from error


def _count(ids: NDArray[Any], classes: ClassTable) -> NDArray[np.int64]:
    known = np.array([0, *classes.ids])
    counts = np.zeros(known[-1] + 1, dtype=np.int64)
    flat = ids.ravel()
    # In pieces, because bincount turns every id into 8 bytes first.
    for start in range(0, flat.size, 1 << 18):
        piece = np.bincount(flat[start : start + (1 << 18)], minlength=len(counts))
        if len(piece) > len(counts) or piece.sum() != piece[known].sum():
            stray = np.setdiff1d(flat, known)[0]
            raise OutputError(f"class_id holds {stray}, which its class table does not; ids are {known.tolist()!r:.80}")
        counts += piece
    return counts


class _TileRows:
    """A tiled TIFF that takes any number of rows at a time and hands GDAL whole rows of tiles."""

    def __init__(self, layer: Layer, path: Path, grid: Grid, classes: ClassTable) -> None:
        self._layer = layer
        height = _tile_rows(grid.samples, layer.count, np.dtype(layer.dtype).itemsize)
        self._buffer = np.empty((layer.count, min(height, grid.lines), grid.samples), dtype=layer.dtype)
        self._filled = 0
        self._row = 0
        # What may lie in GDAL's cache, uncompressed, when this buffer is handed over.
        self._pending = min(self._buffer.nbytes * -(-grid.lines // self._buffer.shape[1]), CACHE_BYTES)
        with naming(layer.path):
            self._dataset = open_quietly(
                path,
                "w",
                driver="GTiff",
                dtype=layer.dtype,
                count=layer.count,
                nodata=layer.nodata,
                tiled=True,
                blockxsize=_TILE,
                blockysize=height,
                interleave="band",
                BIGTIFF="IF_SAFER",
                NUM_THREADS=str(gdal_threads()),
                # GDAL fills what was left out when it closes a file: for a file that failed, with zeros nobody wants.
                SPARSE_OK=layer.overviews is not None,
                **({} if self._is_small(grid) else compression(layer)),
                **profile_of_grid(grid),
            )
            annotate(self._dataset, layer, classes)

    def __enter__(self) -> _TileRows:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Closing writes GDAL's last blocks. Where something else went wrong already, that error counts.
        try:
            with naming(self._layer.path):
                self._dataset.close()
        except OutputError:
            if kind is None:
                raise

    def _is_small(self, grid: Grid) -> bool:
        """Whether this file is copied anyway, and so small that to compress it takes more than the disk spares."""
        layer = self._layer
        size = grid.lines * grid.samples * layer.count * np.dtype(layer.dtype).itemsize
        return layer.overviews is not None and size <= _PLAIN_BYTES

    def append(self, rows: NDArray[Any]) -> None:
        """Take (y, x) or (band, y, x) rows."""
        rows = rows.reshape(self._layer.count, -1, self._buffer.shape[2])
        taken = 0
        while taken < rows.shape[1]:
            step = min(self._buffer.shape[1] - self._filled, rows.shape[1] - taken)
            self._buffer[:, self._filled : self._filled + step] = rows[:, taken : taken + step]
            self._filled += step
            taken += step
            if self._filled == self._buffer.shape[1]:
                self.flush()

    def retag(self, tag: str) -> None:
        """Replace what the raster says about itself."""
        with naming(self._layer.path):
            self._dataset.update_tags(**{TAG: tag})

    def flush(self) -> None:
        """Write what was taken so far."""
        if self._filled:
            window = Window(0, self._row, self._buffer.shape[2], self._filled)
            with naming(self._layer.path):
                require_space(self._layer.path, self._pending + self._buffer.nbytes)
                self._dataset.write(self._buffer[:, : self._filled], window=window)
            self._row += self._filled
            self._filled = 0


def _check_counts(file: Path, counts: NDArray[np.int64]) -> None:
    """Compare the number of pixels of each class with what was computed."""
    found = np.zeros_like(counts)
    with open_quietly(file) as dataset:
        for _, window in dataset.block_windows(1):
            block = np.bincount(dataset.read(1, window=window).ravel(), minlength=len(found))
            if len(block) > len(found):
                raise OutputError(f"{file}: the map reads back with class {len(block) - 1}; the disk may be faulty")
            found += block
    if not np.array_equal(found, counts):
        raise OutputError("the map does not read back as written; the disk may be full or faulty")
