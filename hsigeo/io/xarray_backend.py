"""``xr.open_dataarray("scene.hdr", engine="hsigeo")``: the same scene through xarray's own door."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from hsigeo.io.cube import chunk_shape
from hsigeo.io.cube_reader import open_cube
from hsigeo.io.scene_reader import CubeArray, scene_attrs
from hsigeo.scene import SCENE_DIMS, make_scene

__all__ = ["HsigeoBackendEntrypoint"]


class HsigeoBackendEntrypoint(BackendEntrypoint):
    """Lets xarray open whatever `hsigeo.open_scene` opens; ``chunks={}`` gives its chunks."""

    description = "Hyperspectral scenes: ENVI (by its .hdr), GeoTIFF and the products of sensors as downloaded"
    open_dataset_parameters: ClassVar[tuple[str, ...]] = ("filename_or_obj", "drop_variables", "reader")

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | os.PathLike[str],
        *,
        drop_variables: str | Iterable[str] | None = None,
        reader: str | None = None,
    ) -> xr.Dataset:
        """Open a scene as a ``Dataset`` with the one variable ``reflectance``, read when it is used."""
        cube = open_cube(filename_or_obj, reader=reader)
        header = cube.header
        lazy = indexing.LazilyIndexedArray(_LazyReflectance(CubeArray(cube)))
        scene = make_scene(lazy, grid=header.grid, bands=header.bands, attrs=scene_attrs(header))
        scene.encoding["preferred_chunks"] = dict(
            zip(SCENE_DIMS, (header.bands.count, *chunk_shape(header)), strict=True)
        )
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or ())
        return scene.to_dataset().drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Only ENVI headers: other engines have older claims on the rest."""
        return isinstance(filename_or_obj, str | os.PathLike) and os.fspath(filename_or_obj).lower().endswith(".hdr")


class _LazyReflectance(BackendArray):
    """The indexing protocol of xarray's backends around `CubeArray`."""

    def __init__(self, array: CubeArray) -> None:
        self._array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> NDArray[np.float32]:
        return indexing.explicit_indexing_adapter(  # type: ignore[no-any-return]
            key, self.shape, indexing.IndexingSupport.BASIC, self._array.__getitem__
        )
