"""How a scene is cut into tiles so that the work fits into memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["TilePlan", "WindowPlan", "format_size", "iter_slices", "parse_size", "plan_strips", "window_plans"]

LARGEST_WINDOW_BYTES = 64 << 20
"""Beyond this a larger window gains nothing: measured, small reused blocks read faster than large fresh ones."""

STRIP_PIXELS = 1 << 14
"""A twentieth of a second of a core with the default network: what a crash costs, and how long Ctrl-C waits."""

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, kw_only=True)
class TilePlan:
    """A scene in tiles of one size.

    Parameters
    ----------
    lines, samples
        Size of the scene.
    rows, columns
        Size of a tile; the last ones may be smaller.
    """

    lines: int
    samples: int
    rows: int
    columns: int

    def __len__(self) -> int:
        return -(-self.lines // self.rows) * -(-self.samples // self.columns)

    @property
    def pixels(self) -> int:
        """Number of pixels of the scene."""
        return self.lines * self.samples

    def rows_of(self, strip: int) -> slice:
        """The rows of a tile of a plan whose tiles are as wide as the scene."""
        top = strip * self.rows
        return slice(top, min(top + self.rows, self.lines))


def plan_strips(*, lines: int, samples: int) -> TilePlan:
    """The tiles in which a scene is finished: full-width strips that depend on nothing but its size.

    So the tiles of an interrupted run are those of the run that goes on from it, with more memory or less, on this
    machine or on many. What fits into memory at once (`WindowPlan`) is a matter within a strip.

    Strips are a power of two high, so that they do not cut the usual blocks of compressed files.
    """
    rows = 1 << max(0, (STRIP_PIXELS // samples).bit_length() - 1)
    return TilePlan(lines=lines, samples=samples, rows=min(rows, lines), columns=samples)


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """What is read at once while the strips of a scene are made.

    Strips are taken in runs. Within a run, windows go from the top down, then from left to right: so each block of the
    file is needed for a short while only, and then never again.

    Parameters
    ----------
    rows, columns
        Size of a window; the last ones may be smaller. Rows are whole strips, or parts of one.
    run
        Strips in a run: as high as a row of the file's blocks.
    is_aligned
        Whether each block of the file lies in one window, and need not be kept for the next.
    held
        Windows in memory together: those that are read, one begun, one finished. More, where a row of the file's blocks
        makes many: they come all at once, when it has been decompressed, and last until the next one has.
    readers
        Threads that read, each a window of its own.
    """

    rows: int
    columns: int
    run: int = 1
    is_aligned: bool = False
    held: int = 3
    readers: int = 1

    def windows(self, strips: TilePlan, numbers: Sequence[int]) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of every window of some strips, in the order in which to read them."""
        for first, last in _runs(numbers, self.run):
            top, bottom = strips.rows_of(first).start, strips.rows_of(last).stop
            for left in range(0, strips.samples, self.columns):
                for row in range(top, bottom, self.rows):
                    yield (
                        slice(row, min(row + self.rows, bottom)),
                        slice(left, min(left + self.columns, strips.samples)),
                    )


def window_plans(strips: TilePlan, block: tuple[int, int]) -> Iterator[WindowPlan]:
    """Ways to read a scene strip by strip, the best first and the one that takes least memory last.

    Parameters
    ----------
    block
        Rows and columns of the file's own blocks: to read a part of one costs as much as reading all of it, unless
        it is kept until the rest is wanted.
    """
    samples = strips.samples
    run = max(1, -(-block[0] // strips.rows))
    if run > 1:
        for columns in (samples, *_columns_of_blocks(samples, block[1])):
            yield WindowPlan(rows=run * strips.rows, columns=columns, run=run, is_aligned=True)
    yield WindowPlan(rows=strips.rows, columns=samples, run=run, is_aligned=strips.rows % block[0] == 0)
    if run > 1 and block[1] < samples:
        # What must be kept is a column of blocks, not a row.
        for columns in _columns_of_blocks(samples, block[1]):
            yield WindowPlan(rows=strips.rows, columns=columns, run=run)
        samples = min(block[1], samples)
    rows = strips.rows
    while rows > 1:
        rows //= 2
        yield WindowPlan(rows=rows, columns=samples, run=run)
    while samples > 1:
        samples = -(-samples // 2)
        yield WindowPlan(rows=1, columns=samples, run=run)


def _columns_of_blocks(samples: int, block: int) -> Iterator[int]:
    """Widths of less than a scene that are whole blocks, each about half of the one before."""
    columns = samples // 2 // block * block
    while columns:
        yield columns
        columns = columns // 2 // block * block


def _runs(tiles: Sequence[int], longest: int) -> Iterator[tuple[int, int]]:
    """First and last of neighbouring tiles, none across a multiple of `longest`: there the file's blocks end."""
    run: list[int] = []
    for tile in tiles:
        if run and (tile != run[-1] + 1 or tile % longest == 0):
            yield run[0], run[-1]
            run = []
        run.append(tile)
    if run:
        yield run[0], run[-1]


def iter_slices(start: int, stop: int, size: int) -> Iterator[slice]:
    """Slices of `size` that cover `start` to before `stop` without gaps; the last may be shorter."""
    for first in range(start, stop, size):
        yield slice(first, min(first + size, stop))


def parse_size(text: str) -> int:
    """Bytes from ``512M``, ``2G``, ``1.5 GiB`` or a plain number.

    Raises
    ------
    ValueError
        The text is not a positive size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text.lower())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < 1:
        raise ValueError(f"{text!r} is not a size; write for instance 512M or 2G")
    return size


def format_size(size: float) -> str:
    """A size as text, in units of 1024: ``512 KiB``, ``1.4 GiB``."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB")
    step = next((step for step in range(len(units) - 1) if size < 1024 ** (step + 1)), len(units) - 1)
    value = size / 1024**step
    return f"{value:.1f} {units[step]}" if step and value < 10 else f"{value:.0f} {units[step]}"
