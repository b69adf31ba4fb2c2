"""Planes out of cubes: one band of a file that some reader opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["CubePlane"]


@dataclass(frozen=True)
class CubePlane:
    """One band of a cube. Implements `hsigeo.io.geolocation.Plane`.

    Parameters
    ----------
    cube
        A `hsigeo.io.cube.Cube`.
    band
        Counted from 0.
    """

    cube: Any
    band: int

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""
        lines, samples = self.cube.header.grid.shape
        return int(lines), int(samples)

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        """Values of a window, as stored."""
        values: NDArray[Any] = self.cube.read(rows, cols, slice(self.band, self.band + 1))[0]
        return values
