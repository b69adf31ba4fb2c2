"""Windows of a cube as they were read, and spectra of their pixels when they are wanted.

The strategy here: a block is kept as the file has it, which is half of what float32 takes and costs nothing to make.
The thread that computes some of its pixels scales just these, a piece that stays in the cache, and in the file's
order: to turn spectra round takes ten times as long as to scale them (docs/design/throughput.md), and a network that
must have them the other way can do that for a few pixels at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.cube import AnnouncingCube, Cube, DirectCube
from hsigeo.io.scaling import Scaling, scale_into

__all__ = ["PIECE_PIXELS", "StoredBlock", "announce_blocks", "announce_start", "read_block", "span_of"]

PIECE_PIXELS = 4096
"""What a thread computes without asking: a few whole batches, so short that threads end together, so long that they
seldom wait for each other."""

_FEWEST_IN_RUN = 8
"""Where neighbouring bands are fewer than this on average, they are picked one by one rather than run by run."""

Run = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredBlock:
    """A window of a cube, not yet scaled.

    Parameters
    ----------
    values
        (read band, y, x) of any real type, in any order in memory.
    used
        (used band,) which of these bands are wanted, counted from 0, in the order in which they are.
    scaling
        Of the used bands.
    nodata
        The stored number that means "no data"; `None` where there is none.
    compiled
        Whether to scale by compiled loops, which give the same bits sooner where they are loaded anyway.
    """

    values: NDArray[Any]
    used: NDArray[np.integer[Any]]
    scaling: Scaling
    nodata: float | int | None
    compiled: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""
        return self.values.shape[1], self.values.shape[2]

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.shape[0] * self.shape[1]

    def part(self, rows: slice, cols: slice = slice(None)) -> StoredBlock:
        """Some rows and columns of it, in the same memory."""
        return replace(self, values=self.values[:, rows, cols])

    def pieces(self, size: int) -> Iterator[slice]:
        """All pixels, so many at a time; one piece without any where there are none."""
        for start in range(0, max(self.pixels, 1), size):
            yield slice(start, start + size)

    def spectra(self, pixels: slice = slice(None)) -> NDArray[np.float32]:
        """Reflectance of neighbouring pixels, which are counted row by row.

        Returns
        -------
        (pixel, used band) float32
            NaN where there is no data; the same to the bit as `hsigeo.io.scaling.to_reflectance` gives. In memory
            either the bands of a pixel lie side by side, or the pixels of a band, as they do in the file.
        """
        first, last, _ = pixels.indices(self.pixels)
        count = max(0, last - first)
        if self.values.strides[0] == self.values.itemsize:
            made = np.empty((count, len(self.used)), dtype=np.float32)
        else:
            made = np.empty((len(self.used), count), dtype=np.float32).T
        if self.compiled and self._scale_compiled(made, first):
            return made
        filled = 0
        for stored in self._stretches(first, first + count):
            self._scale(made[filled : filled + len(stored)], stored)
            filled += len(stored)
        return made

    def _scale_compiled(self, made: NDArray[np.float32], first: int) -> bool:
        """Fill in (pixel, used band) from the first pixel on, by compiled loops; whether they know such numbers."""
        from hsigeo.kernels.stored import can_scale, scale_bands, scale_pixels

        if self.scaling.fill is not None or not can_scale(self.values):
            return False
        dtype, nodata = self.values.dtype, self.nodata
        blanks = nodata is not None and not math.isnan(nodata)
        scaling = (
            self.scaling.gain.astype(np.float32),
            # The zero that changes no number: 0.0 would make another one of -0.0.
            np.where(self.scaling.offset.any(), self.scaling.offset, -0.0).astype(np.float32),
            dtype.type(nodata if blanks else 0),
            blanks,
            dtype.kind == "f",
        )
        used = self.used.astype(np.int64)
        if self.values.strides[0] == dtype.itemsize:
            scale_pixels(self.values, used, scaling, first, made)
        else:
            scale_bands(self.values, used, scaling, first, made.T)
        return True

    def _stretches(self, first: int, last: int) -> Iterator[NDArray[Any]]:
        """(pixel, read band) views: one where rows follow each other without a gap, else one for each row."""
        bands, lines, samples = self.values.shape
        _, down, across = self.values.strides
        if lines == 1 or samples == 1 or down == samples * across:
            yield self.values.reshape(bands, lines * samples)[:, first:last].T
            return
        for row in range(first // samples, -(-last // samples)):
            start, stop = max(first - row * samples, 0), min(last - row * samples, samples)
            yield self.values[:, row, start:stop].T

    def _scale(self, made: NDArray[np.float32], stored: NDArray[Any]) -> None:
        runs = _runs(self.used)
        if len(runs) > 1 and len(runs) * _FEWEST_IN_RUN > len(self.used):
            # Picked along the first axis, so that the memory order stays.
            picked = stored.T[self.used].T if made.strides[0] == made.itemsize else stored[:, self.used]
            scale_into(made, picked, self.scaling, self.nodata)
            return
        for source, target in runs:
            scaling = self.scaling if len(runs) == 1 else self.scaling.take(target)
            scale_into(made[:, target], stored[:, source], scaling, self.nodata)


def span_of(used: NDArray[np.integer[Any]]) -> slice:
    """The bands from the first used to the last, which are read together; none where none is used."""
    return slice(int(used.min()), int(used.max()) + 1) if len(used) else slice(0, 0)


def read_block(
    cube: Cube,
    used: NDArray[np.integer[Any]],
    rows: slice,
    cols: slice,
    *,
    into: NDArray[np.uint8] | None = None,
    compiled: bool = False,
) -> StoredBlock:
    """Read a window.

    Parameters
    ----------
    used
        (used band,) which bands, counted from 0, in any order; those between them may be read too.
    rows, cols
        Slices with step 1, counted from 0.
    into
        (byte,) memory for the block, at least as much as the window has in `span_of` bands. Without it, new memory.
    compiled
        Of the block.

    Raises
    ------
    SceneError
        The file is damaged or has changed.
    """
    bands = span_of(used)
    if into is not None and isinstance(cube, DirectCube):
        values = cube.read_into(into, rows, cols, bands)
    else:
        values = cube.read(rows, cols, bands)
        values = values if into is None else _copied(values, into)
    return StoredBlock(
        values=values,
        used=used - bands.start,
        scaling=cube.header.scaling.take(used),
        nodata=cube.header.nodata,
        compiled=compiled,
    )


def announce_blocks(cube: Cube, used: NDArray[np.integer[Any]], windows: Sequence[tuple[slice, slice]]) -> None:
    """Say which windows will be read soon, so that the system fetches them meanwhile, many parts of them at once.

    A hint, for files whose places are known; nothing comes of it for others.
    """
    if not isinstance(cube, AnnouncingCube) or not len(used):
        return
    for rows, cols in _joined(windows):
        cube.announce(rows, cols, span_of(used))


def announce_start(cube: Cube, used: NDArray[np.integer[Any]], size: int) -> None:
    """As `announce_blocks`, for the first rows of a cube: so many bytes of them, or all that there are."""
    lines, samples = cube.header.grid.shape
    row_bytes = samples * cube.header.bands.count * cube.header.dtype.itemsize
    announce_blocks(cube, used, [(slice(0, min(lines, 1 + size // row_bytes)), slice(0, samples))])


def _joined(windows: Sequence[tuple[slice, slice]]) -> list[tuple[slice, slice]]:
    """Windows that lie below each other as one: of bsq the rows of each band are then one part of the file."""
    joined: list[tuple[slice, slice]] = []
    for rows, cols in windows:
        if joined and joined[-1][1] == cols and joined[-1][0].stop == rows.start:
            joined[-1] = slice(joined[-1][0].start, rows.stop), cols
        else:
            joined.append((rows, cols))
    return joined


def _copied(values: NDArray[Any], into: NDArray[np.uint8]) -> NDArray[Any]:
    """The same numbers in this memory, their axes in the same order."""
    order = sorted(range(values.ndim), key=lambda axis: -values.strides[axis])
    room = into[: values.size * values.itemsize].view(values.dtype)
    copy = room.reshape([values.shape[axis] for axis in order]).transpose(np.argsort(order))
    copy[...] = values
    return copy


def _runs(picked: NDArray[np.integer[Any]]) -> list[Run]:
    """Stretches of neighbouring bands: where they are in the file's bands, and where among those picked."""
    edges = np.flatnonzero(np.diff(picked) != 1) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(picked)]
    return [
        (slice(int(picked[start]), int(picked[stop - 1]) + 1), slice(start, stop))
        for start, stop in zip(starts, stops, strict=True)
        if stop > start
    ]
