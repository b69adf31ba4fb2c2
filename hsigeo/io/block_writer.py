"""Writing class rasters and their confidences block by block, in any order: mosaics, refined maps.

Like `hsigeo.io.map_writer` in all that a reader of the files sees: Cloud Optimized GeoTIFF, classes with colour table,
names in three places and nodata 0, confidences with a ramp and nodata NaN, and never half there. Blocks that nothing
is written to take no space on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.atomic import check_output, replaced_together
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import OutputError
from hsigeo.grid import Grid
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
from hsigeo.io.map_layers import Layer, class_layer, confidence_layer
from hsigeo.io.map_tag import make_tag
from hsigeo.progress import Progress

__all__ = [
    "BLOCK",
    "BlockRaster",
    "RasterOutput",
    "check_outputs",
    "class_output",
    "confidence_output",
    "total_work",
    "write_block_rasters",
]

BLOCK = 512
"""Rows and columns of a tile in the file. Blocks that are written begin at multiples of it."""

FINISHING = 4
"""Making overviews and reading back take about a quarter of what composing a raster's blocks takes (measured: 2.5 s and
9 s of one core for 99 million pixels of a mosaic)."""


@dataclass(frozen=True, kw_only=True)
class RasterOutput:
    """A raster to write, and its sidecars.

    Parameters
    ----------
    layer
        Where and how it is stored; without an array.
    classes
        What its values mean; of a raster of confidences, the classes of the map it belongs to.
    """

    layer: Layer
    classes: ClassTable

    @property
    def path(self) -> Path:
        """The raster's file."""
        return self.layer.path

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are written."""
        return self.path, *self.layer.sidecars(self.classes)


def class_output(
    path: Path, classes: ClassTable, metadata: Mapping[str, Any], *, description: str = "class"
) -> RasterOutput:
    """A raster of class ids.

    Parameters
    ----------
    path
        Where to; ``.aux.xml`` and ``.qml`` go beside it.
    metadata
        What the raster says about its origin.
    description
        Of its one band.
    """
    tag = make_tag(classes, dict(metadata))
    return RasterOutput(layer=class_layer(path, classes, tag, description=description), classes=classes)


def confidence_output(path: Path, of: RasterOutput) -> RasterOutput:
    """The raster of confidences `of` a map, with the map's tag, by which the two are known to belong together."""
    return RasterOutput(layer=confidence_layer(path, of.layer.tag), classes=of.classes)


def check_outputs(outputs: Sequence[RasterOutput], *, overwrite: bool) -> None:
    """Refuse now what `write_block_rasters` would refuse.

    Raises
    ------
    OutputExistsError, OutputError
        A file exists, two are the same, or one cannot be written.
    """
    taken = set()
    for output in outputs:
        if output.path.suffix.casefold() not in (".tif", ".tiff"):
            raise OutputError(f"{output.path}: rasters are written as GeoTIFF; give a name that ends in .tif")
        for target in output.files:
            final = check_output(target, overwrite=overwrite)
            if final in taken:
                raise OutputError(f"{target} would be written twice; choose names that differ by more than the suffix")
            taken.add(final)


class BlockRaster:
    """A raster that is being written."""

    def __init__(self, output: RasterOutput, stage: Path, grid: Grid) -> None:
        self._layer = layer = output.layer
        # What is counted of numbers that are no ids: how many there are, and are not.
        self._known = np.array([UNCLASSIFIED, *(output.classes.ids if layer.holds_classes else (1,))])
        self.counts = np.zeros(int(self._known[-1]) + 1, dtype=np.int64)
        with naming(layer.path):
            self._dataset = open_quietly(
                stage,
                "w",
                driver="GTiff",
                dtype=layer.dtype,
                count=1,
                nodata=layer.nodata,
                tiled=True,
                blockxsize=BLOCK,
                blockysize=BLOCK,
                BIGTIFF="IF_SAFER",
                SPARSE_OK=True,
                NUM_THREADS=str(gdal_threads()),
                **compression(layer),
                **profile_of_grid(grid),
            )
            annotate(self._dataset, layer, output.classes)
        self.counts[UNCLASSIFIED] = grid.lines * grid.samples

    def write(self, rows: slice, cols: slice, values: NDArray[Any]) -> None:
        """Write a block, once for each place.

        Parameters
        ----------
        values : (y, x)
            Class ids, 0 where there is none; or confidences, NaN where there is none.

        Raises
        ------
        OutputError
            A value is no id of the class table, or the block cannot be written.
        """
        found = _tally(values, len(self.counts))
        if len(found) > len(self.counts) or found.sum() != found[self._known].sum():
            stray = np.setdiff1d(values, self._known)[0]
            raise OutputError(f"{self._layer.path}: a block holds {stray}, which its class table does not")
        if found[UNCLASSIFIED] == values.size:
            return
        self.counts += found
        self.counts[UNCLASSIFIED] -= values.size
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        with naming(self._layer.path):
            require_space(self._layer.path, CACHE_BYTES)
            self._dataset.write(values.astype(self._layer.dtype, copy=False), 1, window=window)

    def close(self) -> None:
        """Write what GDAL still holds."""
        with naming(self._layer.path):
            self._dataset.close()


@contextmanager
def write_block_rasters(
    outputs: Sequence[RasterOutput],
    grid: Grid,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Iterator[tuple[BlockRaster, ...]]:
    """Open rasters for writing; when the block ends well, all of them and their sidecars are in place.

    Parameters
    ----------
    progress
        Called after each raster is finished; see `total_work`.

    Raises
    ------
    OutputExistsError, OutputError
        A file exists and `overwrite` is false, or cannot be written. Nothing is left behind.
    """
    check_outputs(outputs, overwrite=overwrite)
    layers = [output.layer for output in outputs]
    contents = {
        final: content
        for layer, output in zip(layers, outputs, strict=True)
        for final, content in layer.sidecars(output.classes).items()
    }
    # In the order in which they are renamed: the rasters, then their sidecars.
    finals = [*(output.path for output in outputs), *contents]
    with replaced_together(finals, overwrite=overwrite) as temporary:
        files, sidecars = temporary[: len(outputs)], temporary[len(outputs) :]
        for file, content in zip(sidecars, contents.values(), strict=True):
            file.write_bytes(content)
        # Cleared away with the temporary file whose name it begins with.
        stages = [file.with_name(file.name + ".blocks.tif") for file in files]
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            rasters = []
            try:
                for stage, output in zip(stages, outputs, strict=True):
                    rasters.append(BlockRaster(output, stage, grid))
                yield tuple(rasters)
            finally:
                for raster in rasters:
                    raster.close()
            pixels = grid.lines * grid.samples
            for number, (layer, stage, file, raster) in enumerate(zip(layers, stages, files, rasters, strict=True)):
                _finish(layer, stage, file, grid, raster.counts)
                if progress is not None:
                    progress(pixels + (number + 1) * pixels // FINISHING, total_work(grid, len(layers)))
        for layer in layers:
            remove_stale(layer.path)


def total_work(grid: Grid, rasters: int) -> int:
    """What progress counts up to: the pixels of the grid, and for each raster a share of them for finishing it."""
    pixels = grid.lines * grid.samples
    return pixels + rasters * pixels // FINISHING


def _tally(values: NDArray[Any], size: int) -> NDArray[np.int64]:
    """How often each id occurs; of numbers that are none, how many are NaN and how many are not."""
    whole = np.isfinite(values) if values.dtype.kind == "f" else values
    return np.bincount(whole.ravel(), minlength=size)


def _finish(layer: Layer, stage: Path, file: Path, grid: Grid, counts: NDArray[np.int64]) -> None:
    with naming(layer.path):
        require_space(layer.path, 2 * stage.stat().st_size)
        optimize(stage, file, layer)
        stage.unlink()
        check_written(file, layer, grid)
        found = np.zeros_like(counts)
        with open_quietly(file) as dataset:
            for _, window in dataset.block_windows(1):
                found += _tally(dataset.read(1, window=window), len(found))[: len(found)]
        if not np.array_equal(found, counts):
            raise OutputError(f"{layer.path} does not read back as written; the disk may be full or faulty")
