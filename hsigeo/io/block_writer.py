"""Writing class rasters block by block, in any order: mosaics, and what else is put together from many maps.

Like `hsigeo.io.map_writer` in all that a reader of the files sees: a Cloud Optimized GeoTIFF with colour table, class
names in three places, nodata 0, and never half there. Blocks that nothing is written to take no space on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

import hsigeo
from hsigeo.atomic import check_output, replaced_on_success
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import OutputError
from hsigeo.grid import Grid
from hsigeo.io.georeference import open_quietly, profile_of_grid
from hsigeo.io.map_files import CACHE_BYTES, check_written, compression, naming, optimize, remove_stale, require_space
from hsigeo.io.map_layers import Layer
from hsigeo.io.map_tag import TAG, make_tag
from hsigeo.io.sidecars import aux_path, make_aux_xml, make_qml, qml_path

__all__ = ["BLOCK", "BlockRaster", "ClassOutput", "check_class_outputs", "total_work", "write_class_rasters"]

BLOCK = 512
"""Rows and columns of a tile in the file. Blocks that are written begin at multiples of it."""


FINISHING = 4
"""Making overviews and reading back take about a quarter of what composing a raster's blocks takes (measured: 2.5 s and
9 s of one core for 99 million pixels of a mosaic)."""


@dataclass(frozen=True, kw_only=True)
class ClassOutput:
    """A raster of class ids to write.

    Parameters
    ----------
    path
        Where to; ``.aux.xml`` and ``.qml`` go beside it.
    classes
        What the values mean.
    description
        Of its one band.
    metadata
        What the raster says about its origin.
    """

    path: Path
    classes: ClassTable
    description: str
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are written."""
        return self.path, aux_path(self.path), qml_path(self.path)


def check_class_outputs(outputs: Sequence[ClassOutput], *, overwrite: bool) -> None:
    """Refuse now what `write_class_rasters` would refuse.

    Raises
    ------
    OutputExistsError, OutputError
        A file exists, two are the same, or one cannot be written.
    """
    taken = set()
    for output in outputs:
        if output.path.suffix.casefold() not in (".tif", ".tiff"):
            raise OutputError(f"{output.path}: class rasters are GeoTIFF; give a name that ends in .tif")
        for target in output.files:
            final = check_output(target, overwrite=overwrite)
            if final in taken:
                raise OutputError(f"{target} would be written twice; choose names that differ in more than the suffix")
            if not os.access(final.parent, os.W_OK):
                raise OutputError(f"{target} cannot be written: the folder {final.parent} is not writable")
            taken.add(final)


class BlockRaster:
    """A raster that is being written."""

    def __init__(self, layer: Layer, stage: Path, grid: Grid, classes: ClassTable) -> None:
        self._layer = layer
        self._known = np.array([UNCLASSIFIED, *classes.ids])
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
                **compression(layer),
                **profile_of_grid(grid),
            )
            self._dataset.update_tags(**{TAG: layer.tag, "TIFFTAG_SOFTWARE": f"hsigeo {hsigeo.__version__}"})
            self._dataset.set_band_description(1, layer.descriptions[0])
            colors = {entry.id: (*entry.color, 255) for entry in classes}
            self._dataset.write_colormap(1, {0: (0, 0, 0, 0)} | colors)
        self.counts[UNCLASSIFIED] = grid.lines * grid.samples

    def write(self, rows: slice, cols: slice, ids: NDArray[Any]) -> None:
        """Write a block, once for each place.

        Parameters
        ----------
        ids : (y, x) integer
            Class ids; 0 where there is none.
        """
        found = np.bincount(ids.ravel(), minlength=len(self.counts))
        if len(found) > len(self.counts) or found.sum() != found[self._known].sum():
            stray = np.setdiff1d(ids, self._known)[0]
            raise OutputError(f"{self._layer.path}: a block holds {stray}, which its class table does not")
        if found[UNCLASSIFIED] == ids.size:
            return
        self.counts += found
        self.counts[UNCLASSIFIED] -= ids.size
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        with naming(self._layer.path):
            require_space(self._layer.path, CACHE_BYTES)
            self._dataset.write(ids.astype(self._layer.dtype, copy=False), 1, window=window)

    def close(self) -> None:
        """Write what GDAL still holds."""
        with naming(self._layer.path):
            self._dataset.close()


@contextmanager
def write_class_rasters(
    outputs: Sequence[ClassOutput],
    grid: Grid,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
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
    check_class_outputs(outputs, overwrite=overwrite)
    with ExitStack() as stack:
        # The stack unwinds backwards: the rasters are renamed first, then their sidecars.
        sidecars = []
        for output in outputs:
            for final, content in (
                (aux_path(output.path), make_aux_xml(output.classes)),
                (qml_path(output.path), make_qml(output.classes)),
            ):
                sidecars.append((stack.enter_context(replaced_on_success(final, overwrite=overwrite)), content))
        files = [stack.enter_context(replaced_on_success(output.path, overwrite=overwrite)) for output in outputs]
        for file, content in sidecars:
            file.write_bytes(content)
        layers = [_layer(output) for output in outputs]
        # Cleared away with the temporary file whose name it begins with.
        stages = [file.with_name(file.name + ".blocks.tif") for file in files]
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            rasters = []
            try:
                for layer, stage, output in zip(layers, stages, outputs, strict=True):
                    rasters.append(BlockRaster(layer, stage, grid, output.classes))
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


def _layer(output: ClassOutput) -> Layer:
    return Layer(
        path=output.path,
        array=None,
        dtype=output.classes.dtype,
        nodata=UNCLASSIFIED,
        descriptions=(output.description,),
        tag=make_tag(output.classes, dict(output.metadata)),
        overviews="mode",
    )


def _finish(layer: Layer, stage: Path, file: Path, grid: Grid, counts: NDArray[np.int64]) -> None:
    with naming(layer.path):
        require_space(layer.path, 2 * stage.stat().st_size)
        optimize(stage, file, layer)
        stage.unlink()
        check_written(file, layer, grid)
        found = np.zeros_like(counts)
        with open_quietly(file) as dataset:
            for _, window in dataset.block_windows(1):
                block = np.bincount(dataset.read(1, window=window).ravel(), minlength=len(found))
                found += block[: len(found)]
        if not np.array_equal(found, counts):
            raise OutputError(
                f"{layer.path} reads back with other classes than were written; the disk may be full or faulty"
            )
