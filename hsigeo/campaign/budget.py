"""Plans the memory of a run before it starts: the process as it is, and everything that comes on top.

The bound is on the resident size of the process, as `ps` and `top` show it: what it has allocated, and the pages of
libraries it has touched. The system's cache of files that are read and written is not part of it, and goes when others
need the room; within a container it counts, but is reclaimed before the kernel kills anything.

The strategy: what is there when the first tile starts (interpreter, torch, GDAL, the model, a first batch in each kind
of thread) is measured, not guessed. What comes on top is made of few large arrays, whose sizes follow from the window
that is read at once; of the windows that fit, the fastest is taken (`hsigeo.tiling.window_plans`). Writing the outputs
comes when the tiles are done and their memory is given back, so the larger of the two counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hsigeo.errors import MemoryLimitError
from hsigeo.io.cube import CubeHeader
from hsigeo.io.gdal_threads import gdal_threads
from hsigeo.io.geotiff import RASTER_DRIVERS
from hsigeo.limits import usable_memory
from hsigeo.tiling import LARGEST_WINDOW_BYTES, TilePlan, WindowPlan, format_size, window_plans

__all__ = ["LEAST_CACHE", "Demand", "MemoryPlan", "default_limit", "plan_memory"]

_DEFAULT_SHARE = 4
_SPARE_BYTES = 20 << 20
"""For many small things: chunks of the journal, Python objects, pages of code that are touched late."""

LEAST_CACHE, _MOST_CACHE = 16 << 20, 512 << 20

_COMPUTED = 2
"""Windows of which pixels are computed: one finished, one begun."""

_LARGEST_BLOCK = 4
"""Times the largest other window that the blocks of all bands of one place may take."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a model and its outputs need, in bytes except for the first two.

    Parameters
    ----------
    used, span
        Bands that the model reads, and those from the first to the last of them.
    base
        Resident now.
    batches
        The network's own arrays, in all threads together.
    computed, answers
        Of a pixel, while it is computed and when it is kept.
    writing
        For writing the outputs.
    spool
        What would keep labels and lookup of a scene in sensor geometry in memory while they are written.
    """

    used: int
    span: int
    base: int
    batches: int = 0
    computed: int = 0
    answers: int = 1
    writing: int = 0
    spool: int = 0


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """How the memory that is allowed will be used, in bytes.

    Parameters
    ----------
    limit
        What is allowed.
    base
        Resident before the first tile.
    cache
        What is kept of the file's own blocks.
    in_flight
        Windows that are read, wait and are computed, with all copies.
    batches
        The network's own arrays, in all threads together; the threads keep them.
    writing
        For writing the outputs, when the tiles are done.
    spool
        Of it, for labels and lookup of a scene in sensor geometry; beyond it they lie on disk.
    window
        What is read at once.
    repeats
        How often the file's blocks are decompressed: more than once where too few of them can be kept.
    once
        The limit with which they would be decompressed once; `None` where no limit would do.
    """

    limit: int
    base: int
    cache: int
    in_flight: int
    batches: int
    writing: int
    spool: int
    window: WindowPlan
    repeats: int = 1
    once: int | None = None

    @property
    def total(self) -> int:
        """The largest resident size to expect."""
        return self.base + self.batches + max(self.cache + self.in_flight, self.writing)


def default_limit() -> int:
    """A quarter of what this process may use."""
    return usable_memory() // _DEFAULT_SHARE


def plan_memory(header: CubeHeader, strips: TilePlan, demand: Demand, limit: int | None) -> MemoryPlan:
    """The fastest way to read a scene that fits.

    Parameters
    ----------
    limit
        Bytes that may be resident. `None` takes a quarter of what the process may use, or as much more as the work
        takes at least.

    Raises
    ------
    MemoryLimitError
        Nothing fits.
    """
    allowed = default_limit() if limit is None else limit
    plans = list(_plans(header, strips, demand))
    least = min(plan.total for plan in plans)
    if limit is None and allowed < least <= usable_memory():
        allowed = least
    # Blocks that are decompressed again and again cost more time than anything else.
    fitting = sorted((plan for plan in plans if plan.total <= allowed), key=lambda plan: plan.repeats)
    if not fitting:
        raise MemoryLimitError(
            f"{format_size(allowed)} is not enough for {header.path}: {format_size(demand.base)} are taken before the "
            f"first pixel; the smallest limit that works is --max-memory {-(-least >> 20)}M"
        )
    plan = fitting[0]
    spool = min(demand.spool, allowed - plan.base - plan.batches - plan.writing)
    once = min((plan.total for plan in plans if plan.repeats == 1), default=None)
    return replace(plan, limit=allowed, once=once, writing=plan.writing + spool, spool=spool)


def _plans(header: CubeHeader, strips: TilePlan, demand: Demand) -> Iterator[MemoryPlan]:
    for window in _windows(header, strips):
        if window.rows > strips.rows and _window_bytes(header, demand, window) > _most_bytes(header, window):
            continue
        wanted = _cache_wanted(header, window)
        # Less than is wanted helps nothing: by the time a block is asked for again it has gone.
        for cache in {wanted, min(wanted, LEAST_CACHE)} if wanted <= _MOST_CACHE else {LEAST_CACHE}:
            yield MemoryPlan(
                limit=0,
                base=demand.base,
                cache=cache,
                in_flight=_in_flight(header, strips, window, demand) + _decoding(header, window) + _SPARE_BYTES,
                batches=demand.batches,
                writing=demand.writing + _SPARE_BYTES,
                spool=0,
                window=window,
                repeats=_repeats(header, window) if cache < wanted or not _keeps_blocks(header) else 1,
            )


def _windows(header: CubeHeader, strips: TilePlan) -> Iterator[WindowPlan]:
    """Ways to read, the best first."""
    for window in window_plans(strips, header.block_shape):
        in_run = window.run * strips.rows // window.rows
        if window.is_aligned:
            readers = _readers(header)
            yield replace(window, held=readers + _COMPUTED, readers=readers)
        elif _keeps_blocks(header) and in_run > 1:
            yield replace(window, held=in_run + _COMPUTED)
        yield window


def _readers(header: CubeHeader) -> int:
    """Threads that read whole blocks: decompressing takes about half of the time that computing takes.

    Files that are not compressed wait for the disk, and HDF5 lets in one thread at a time.
    """
    return gdal_threads() // 2 + 1 if header.format == "GTiff" and header.compressed else 1


def _window_bytes(header: CubeHeader, demand: Demand, window: WindowPlan) -> int:
    return header.dtype.itemsize * demand.span * window.rows * window.columns


def _most_bytes(header: CubeHeader, window: WindowPlan) -> int:
    """Limit of a window of several strips; larger for one a block wide, since part of a block costs as much as all."""
    is_narrowest = window.columns <= header.block_shape[1]
    return LARGEST_WINDOW_BYTES * (_LARGEST_BLOCK if is_narrowest and header.format == "GTiff" else 1)


def _keeps_blocks(header: CubeHeader) -> bool:
    """Whether the reader keeps blocks for the next window: GDAL and HDF5 do, plain files have none worth it."""
    return header.format != "ENVI" and not header.format.startswith("Zarr")


def _is_hdf5(header: CubeHeader) -> bool:
    return header.format.startswith(("NetCDF", "HDF"))


def _cache_wanted(header: CubeHeader, window: WindowPlan) -> int:
    """What keeps every block that a window leaves unfinished.

    GDAL takes up to a quarter more for how it keeps them. HDF5 takes nothing more, but keeps what lies outside the
    scene as well, and wants room for the next block before it lets go of one.
    """
    if not _keeps_blocks(header):
        return 0
    if window.is_aligned and header.format == "GTiff":
        return LEAST_CACHE
    rows, columns = header.block_shape
    wide = columns if window.is_aligned else -(-window.columns // columns) * columns
    bands = -(-header.bands.count // header.block_bands) * header.block_bands
    kept = rows * wide * bands * header.dtype.itemsize
    if not _is_hdf5(header):
        return max(LEAST_CACHE, kept * 5 // 4)
    across = -(-wide // columns) * (bands // header.block_bands)
    return max(LEAST_CACHE, kept + kept // max(across, 4))


def _repeats(header: CubeHeader, window: WindowPlan) -> int:
    """How many windows want a block, where it is not kept."""
    rows, columns = header.block_shape
    if window.is_aligned or (header.format == "ENVI" and not header.compressed):
        return 1
    return -(-rows // window.rows) * -(-min(columns, header.grid.samples) // window.columns)


def _in_flight(header: CubeHeader, strips: TilePlan, window: WindowPlan, demand: Demand) -> int:
    """Windows: as they are read and as they are kept; answers of two, and of strips that are half made."""
    pixels = min(window.rows, strips.lines) * window.columns
    half_made = 0
    if window.columns < strips.samples:
        half_made = min(window.run * strips.rows, strips.lines) * strips.samples
    elif window.rows < strips.rows:
        half_made = strips.rows * strips.samples
    return (
        pixels * (window.readers * _stored(header, demand) + window.held * header.dtype.itemsize * demand.span)
        + pixels * _COMPUTED * demand.computed
        + half_made * demand.answers
    )


def _decoding(header: CubeHeader, window: WindowPlan) -> int:
    """Blocks of all bands on their way through GDAL: one in each hand, and one for each thread that decompresses.

    Each of them lies in memory twice, compressed and not.
    """
    if header.format != "GTiff" or header.interleave != "bip":
        return 0
    rows, columns = header.block_shape
    at_once = -(-window.columns // columns) * max(1, window.rows // rows)
    threads = min(gdal_threads(), at_once) if header.compressed and at_once > 1 and window.readers == 1 else 0
    block = rows * columns * header.bands.count * header.dtype.itemsize
    whole = header.grid.lines * header.grid.samples * header.bands.count * header.dtype.itemsize
    packed = int(block * min(1.0, header.size_bytes / whole)) if header.compressed else 0
    return (window.readers + threads) * (block + packed)


def _stored(header: CubeHeader, demand: Demand) -> int:
    """Bytes of a pixel on their way to where it is kept: none where a reader puts it there itself."""
    if header.format == "ENVI" and header.interleave == "bip":
        return 0 if demand.span == header.bands.count else header.dtype.itemsize * header.bands.count
    if header.format == "ENVI" or header.format in RASTER_DRIVERS:
        return 0
    is_copied = header.byte_order != sys.byteorder or _is_hdf5(header)
    return header.dtype.itemsize * demand.span * (2 if is_copied else 1)
