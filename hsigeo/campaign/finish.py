"""Writes the outputs of a line from its finished tiles, and recognises them later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.local import get_sync
from numpy.typing import NDArray

from hsigeo.campaign.job import LineJob
from hsigeo.io import write_map
from hsigeo.io.geolocation import Geolocation
from hsigeo.io.map_files import read_map_metadata
from hsigeo.io.map_writer import writing_bytes
from hsigeo.io.orthorectification import orthorectified
from hsigeo.io.sidecars import aux_path, qml_path
from hsigeo.partial import PartialLayer, PartialMap
from hsigeo.tiling import TilePlan

__all__ = ["find_foreign", "is_finished", "is_own", "memory_of_writing", "write_outputs"]

_CHUNK_BYTES = 4 << 20
_MOST_SPOOLED = 256 << 20
_GATHERED_BYTES = 64 << 20
"""What is touched of labels that lie on disk, before it is let go again."""


def write_outputs(
    job: LineJob,
    result: xr.Dataset,
    partial: PartialMap,
    *,
    geolocation: Geolocation | None,
    overwrite: bool,
    spool_bytes: int,
    say: Callable[[str], None],
) -> dict[int, int]:
    """Write map and layers from finished tiles; the same bytes however often it is done.

    Parameters
    ----------
    result
        The lazy classification, whose pixels are replaced by those of the tiles.
    geolocation
        For a scene in sensor geometry that is to be placed on a map.
    spool_bytes
        What labels and lookup may then take in memory.

    Returns
    -------
    dict
        Pixels of each class id.
    """
    partial.clear_scratch()
    finished = result.copy()
    for layer in partial.layers:
        finished[layer.name] = result[layer.name].copy(data=_lazy(partial, layer.name))
    with (
        dask.config.set(scheduler=get_sync),  # the function: at its name dask would import its cluster first
        _placed(finished, job, geolocation, partial.folder, spool_bytes) as placed,
    ):
        if geolocation is not None:
            say(f"{job.map}: {placed['class_id'].attrs['metadata']['repairs'][-1]}")
        counts: dict[int, int] = write_map(
            placed,
            job.map,
            probabilities=job.probabilities,
            confidence=job.confidence,
            distance=job.distance,
            overwrite=overwrite,
            scratch=partial.folder,
        )
    return counts


@contextmanager
def _placed(
    result: xr.Dataset, job: LineJob, geolocation: Geolocation | None, folder: Path, spool_bytes: int
) -> Iterator[xr.Dataset]:
    """The result itself, or on a map."""
    if geolocation is None:
        yield result
        return
    max_distance = job.options.get("max_distance")
    with orthorectified(
        result,
        geolocation,
        layers=job.layers,
        max_distance=max_distance,
        folder=folder.absolute(),
        in_memory=spool_bytes,
    ) as placed:
        yield placed


def memory_of_writing(
    strips: TilePlan, layers: Sequence[PartialLayer], geolocation: Geolocation | None
) -> dict[str, int]:
    """Bytes that `write_outputs` takes, as ``writing``, and how many more would save it the disk, as ``spool``."""
    pixel_bytes = sum(layer.pixel_bytes for layer in layers)
    shapes = [(layer.bands or 1, np.dtype(layer.dtype).itemsize) for layer in layers]
    if geolocation is None:
        return {"writing": writing_bytes(strips.lines, strips.samples, shapes)}
    # The map's grid is not known before the positions are read; a turned line is half as wide again as it is long.
    samples = max(strips.lines, strips.samples) * 3 // 2
    spool = strips.pixels * pixel_bytes + 8 * samples**2
    return {
        "writing": writing_bytes(samples, samples, shapes) + _GATHERED_BYTES,
        "spool": min(spool, _MOST_SPOOLED),
    }


def is_finished(job: LineJob, key: str) -> bool:
    """Whether all that the job makes is there, and was made of the same scene, model and options."""
    beside = (aux_path(job.map), qml_path(job.map))
    return all(path.is_file() for path in beside) and all(is_own(path, key) for path in job.rasters)


def is_own(path: Path, key: str) -> bool:
    """Whether a raster was made with this key."""
    return path.is_file() and (read_map_metadata(path) or {}).get("key") == key


def find_foreign(job: LineJob, key: str, identity: Mapping[str, Any]) -> str:
    """Why an output that is there cannot be this job's, as a message; empty where none stands in the way."""
    for path in job.rasters:
        if not path.exists() or is_own(path, key):
            continue
        metadata = read_map_metadata(path) or {}
        if "key" not in metadata:
            why = "it is not from a campaign of this version of hsigeo"
        elif metadata.get("model_sha256") != identity["model"]:
            why = f"it was made with another model, {str(metadata.get('model_sha256'))[:12]}"
        elif metadata.get("scene_fingerprint") != identity["scene"]:
            why = "it was made from other pixels"
        else:
            why = "it was made with another header, device or options"
        return f"{path} exists, and {why}; choose another folder or allow overwriting (--overwrite)"
    return ""


@dataclass(frozen=True)
class _Rows:
    """A layer of a partial map as an array that reads what it is sliced to."""

    partial: PartialMap
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: tuple[slice, ...]) -> NDArray[Any]:
        lines = self.shape[-2]
        start, stop, _ = key[-2].indices(lines)
        return self.partial.read(self.name, slice(start, stop))[(*key[:-2], slice(None), key[-1])]


def _lazy(partial: PartialMap, name: str) -> da.Array:
    layer = next(layer for layer in partial.layers if layer.name == name)
    plan = partial.plan
    shape = (*(() if layer.bands is None else (layer.bands,)), plan.lines, plan.samples)
    # The same rows for all layers, so that the writer's strips end where chunks of each end.
    row_bytes = plan.samples * sum(other.pixel_bytes for other in partial.layers)
    rows = max(1, _CHUNK_BYTES // (row_bytes * plan.rows)) * plan.rows
    chunks = (*(() if layer.bands is None else (-1,)), min(rows, plan.lines), -1)
    array = _Rows(partial, name, shape, np.dtype(layer.dtype))
    meta = np.empty((0,) * len(shape), dtype=layer.dtype)
    lazy: da.Array = da.from_array(array, chunks=chunks, name=False, meta=meta)
    return lazy
