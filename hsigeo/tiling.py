"""How a scene is cut into tiles so that the work fits into memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["TilePlan", "parse_size", "plan_strips", "plan_tiles"]

COPIES_PER_TILE = 4
"""A pixel in flight exists as stored values, as float32 reflectance, as the used bands, and as the model's bands."""

TILES_IN_FLIGHT = 2
"""While one tile is computed the next is read."""

LARGEST_TILE_BYTES = 64 << 20
"""Beyond this a larger tile gains nothing: measured, small reused tiles read faster than large fresh ones."""

STRIP_PIXELS = 1 << 14
"""Half a second of a core with the default model: what a sudden end costs, and how long Ctrl-C waits."""

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, kw_only=True)
class TilePlan:
    """Full-width strips of rows; columns are cut only where a single row is too much.

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

    def rows_of(self, strip: int) -> slice:
        """The rows of a tile of a plan whose tiles are as wide as the scene."""
        top = strip * self.rows
        return slice(top, min(top + self.rows, self.lines))

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of every tile, in row-major order."""
        for top in range(0, self.lines, self.rows):
            for left in range(0, self.samples, self.columns):
                yield (
                    slice(top, min(top + self.rows, self.lines)),
                    slice(left, min(left + self.columns, self.samples)),
                )


def plan_tiles(*, lines: int, samples: int, bands: int, max_memory: int) -> TilePlan:
    """Choose the tile size for a memory budget.

    Parameters
    ----------
    lines, samples, bands
        Size of the scene.
    max_memory
        Bytes the tiles in flight may take together.

    Raises
    ------
    ValueError
        Not even one pixel fits.
    """
    pixel_bytes = 4 * bands
    tile_bytes = min(LARGEST_TILE_BYTES, max_memory // (COPIES_PER_TILE * TILES_IN_FLIGHT))
    if tile_bytes < pixel_bytes:
        raise ValueError(
            f"{max_memory} bytes cannot hold one pixel of {bands} bands; "
            f"{pixel_bytes * COPIES_PER_TILE * TILES_IN_FLIGHT} are needed"
        )
    columns = min(samples, tile_bytes // pixel_bytes)
    rows = max(1, min(lines, tile_bytes // (pixel_bytes * columns)))
    return TilePlan(lines=lines, samples=samples, rows=rows, columns=columns)


def plan_strips(*, lines: int, samples: int) -> TilePlan:
    """The tiles in which a scene is finished: full-width strips that depend on nothing but its size.

    So the tiles of an interrupted run are those of the run that goes on from it, with more memory or less, on this
    machine or on many. What fits into memory at once (`plan_tiles`) is a matter within a strip.

    Strips are a power of two high, so that they do not cut the usual blocks of compressed files.
    """
    rows = 1 << max(0, (STRIP_PIXELS // samples).bit_length() - 1)
    return TilePlan(lines=lines, samples=samples, rows=min(rows, lines), columns=samples)


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
