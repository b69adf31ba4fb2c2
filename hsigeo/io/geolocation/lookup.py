"""From the pixels of a map grid to the pixels of a scene in sensor geometry, through a geometric lookup table (GLT).

A GLT has the size of the map and holds, in each of its pixels, the sample and line of the sensor pixel that belongs
there. As JPL writes it: counted from 1; 0 where there is none; negative where the sensor pixel is that of a neighbour,
filled in. Sources: the EMIT L1B algorithm document; nasa/EMIT-Data-Resources, `emit_tools.py` (``apply_glt``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.spool import Spool

__all__ = ["Geolocation", "Lookup", "LookupTable", "Plane"]

Index = NDArray[np.int64]


class Plane(Protocol):
    """Numbers (y, x) in a file. Holds no open file, and may be pickled and shared by threads."""

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        """Values of a window, as stored."""


class Lookup(Protocol):
    """Which sensor pixel belongs into each pixel of a map grid."""

    @property
    def grid(self) -> Grid:
        """The grid of the map."""

    @property
    def note(self) -> str:
        """How pixels are placed, as a sentence for the map's metadata."""

    def read(self, rows: slice, cols: slice = slice(None)) -> Index:
        """For a window of the map: line · samples + sample of the sensor pixel, -1 where there is none.

        Returns
        -------
        (y, x) int64
        """


class Geolocation(Protocol):
    """What a file says about where the pixels of a scene in sensor geometry lie. Cheap: it holds no arrays."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""

    def lookup(self, spool: Spool, *, max_distance: float | None = None) -> AbstractContextManager[Lookup]:
        """A context manager that gives the `Lookup`.

        Parameters
        ----------
        spool
            Holds what the lookup needs; must stay open as long as the lookup is used.
        max_distance
            How far, in metres, the centre of a map pixel may lie from the sensor pixel it takes; `None` for the
            default. A lookup table has no distances and ignores it.
        """


@dataclass(frozen=True, kw_only=True)
class LookupTable:
    """A GLT of the product. Implements `Geolocation` and `Lookup`.

    Parameters
    ----------
    grid
        The grid of the map; its size is that of the planes.
    sample, line
        The two planes of the table.
    shape
        Lines and samples of the scene in sensor geometry.
    where
        The file of the table, for messages.
    """

    grid: Grid
    sample: Plane
    line: Plane
    shape: tuple[int, int]
    where: str

    def __post_init__(self) -> None:
        if self.sample.shape != self.grid.shape or self.line.shape != self.grid.shape:
            raise SceneError(
                f"{self.where}: the lookup table has {self.sample.shape} samples and {self.line.shape} lines for a map "
                f"of {self.grid.shape}"
            )

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return "geometric lookup table"

    @property
    def note(self) -> str:
        """How pixels are placed."""
        return "classified in sensor geometry; the labels were placed through the product's geometric lookup table"

    @contextmanager
    def lookup(self, spool: Spool, *, max_distance: float | None = None) -> Iterator[LookupTable]:
        """Itself: windows are read from the file as they are needed."""
        yield self

    def read(self, rows: slice, cols: slice = slice(None)) -> Index:
        """See `Lookup.read`.

        Raises
        ------
        SceneError
            The table names pixels that the scene does not have.
        """
        sample, line = self.sample.read(rows, cols), self.line.read(rows, cols)
        samples, lines = _from_zero(sample), _from_zero(line)
        known = (samples >= 0) & (lines >= 0)
        if known.any() and (lines[known].max() >= self.shape[0] or samples[known].max() >= self.shape[1]):
            named = f"line {lines[known].max() + 1}, sample {samples[known].max() + 1}"
            raise SceneError(
                f"{self.where}: the lookup table names {named}; the scene has {self.shape[0]} lines and "
                f"{self.shape[1]} samples, so they do not match"
            )
        return np.where(known, lines * self.shape[1] + samples, -1)


def _from_zero(stored: NDArray[Any]) -> Index:
    """Positions counted from 0; -1 where there is none."""
    values = np.nan_to_num(stored, nan=0.0) if stored.dtype.kind == "f" else stored
    return np.abs(values.astype(np.int64)) - 1
