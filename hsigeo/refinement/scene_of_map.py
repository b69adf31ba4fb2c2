"""The scene that a map was made from, on the same grid."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.scene_reader import open_scene
from hsigeo.scene import grid_of

__all__ = ["open_scene_of_map"]


def open_scene_of_map(path: Path, grid: Grid, *, reader: str | None = None) -> xr.DataArray:
    """Open a scene, lazily, and see that its pixels are those of a map.

    Raises
    ------
    SceneError
        It cannot be read, or its pixels are not those of the map.
    """
    scene = open_scene(path, reader=reader)
    found = grid_of(scene)
    if not found.coincides_with(grid):
        raise SceneError(
            f"{path} is not the scene of this map: its pixels ({found.lines} x {found.samples}) do not lie on those of "
            f"the map ({grid.lines} x {grid.samples}); give the scene the map was made from"
        )
    return scene
