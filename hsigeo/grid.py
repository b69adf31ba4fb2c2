"""The pixel grid of a scene: its size, and where it lies on the Earth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from affine import Affine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Grid", "GroundControlPoint", "apply_transform"]


def apply_transform(
    transform: Affine, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a transform takes points, given by arrays of any shape."""
    return transform.a * x + transform.b * y + transform.c, transform.d * x + transform.e * y + transform.f


@dataclass(frozen=True, kw_only=True)
class GroundControlPoint:
    """One pixel position whose map position is known.

    Parameters
    ----------
    row, col
        Position in the image; (0, 0) is the outer corner of the first pixel.
    x, y, z
        Position in the CRS of the grid.
    """

    row: float
    col: float
    x: float
    y: float
    z: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Size and georeference of a scene, independent of what its pixels hold.

    Parameters
    ----------
    lines, samples
        Rows and columns.
    transform
        From (column, row) of a pixel's outer corner to map coordinates, rotation included. The identity
        where nothing is known.
    crs
        The coordinate reference system as WKT; `None` where it is unknown.
    ground_control_points
        Given in `crs`. Not empty only where the file has points and no transform.
    """

    lines: int
    samples: int
    transform: Affine = Affine.identity()  # noqa: RUF009 - Affine is an immutable tuple
    crs: str | None = None
    ground_control_points: tuple[GroundControlPoint, ...] = ()

    def coincides_with(self, other: Grid) -> bool:
        """Whether pixels of both lie on each other, to a millionth of their size."""
        return self.shape == other.shape and bool(
            self.transform.almost_equals(other.transform, 1e-6 * max(other.pixel_size))
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""
        return self.lines, self.samples

    @property
    def has_transform(self) -> bool:
        """Whether the transform says anything: the identity means "unknown"."""
        return self.transform != Affine.identity()

    @property
    def is_georeferenced(self) -> bool:
        """Whether both a CRS and a way to place pixels in it (transform or points) are known."""
        return self.crs is not None and (self.has_transform or bool(self.ground_control_points))

    @property
    def is_rectilinear(self) -> bool:
        """Whether rows run along x and columns along y, so that 1-D coordinates can describe the grid."""
        return self.transform.b == 0 and self.transform.d == 0

    @property
    def rotation(self) -> float:
        """Degrees, counter-clockwise, from the x axis of the map to the direction in which columns grow.

        The sign is that of ENVI's ``rotation=``. 0 for north-up and for south-up grids.
        """
        return math.degrees(math.atan2(self.transform.d, self.transform.a))

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Length of a pixel's side along a row and along a column, in units of the CRS."""
        t = self.transform
        return math.hypot(t.a, t.d), math.hypot(t.b, t.e)
