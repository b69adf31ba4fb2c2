"""What a run would do and how long it would take, estimated from a few tiles."""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from hsigeo.campaign.local import LocalEngine
from hsigeo.campaign.pieces import compute_ahead
from hsigeo.campaign.preparation import PreparedLine
from hsigeo.campaign.roles import Engine
from hsigeo.campaign.work import LineWork, Window, partial_layers

__all__ = ["Forecast", "Rates", "forecast", "measure_rates"]

_PROBE_SECONDS = 0.4
_PLACES = (0.5, 0.25, 0.75, 0.125, 0.875, 0.375, 0.625, 0.0)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How fast it went.

    Parameters
    ----------
    tiles
        That were tried.
    read_seconds, compute_seconds
        For each pixel of the scene.
    """

    tiles: int
    read_seconds: float
    compute_seconds: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A line, in numbers.

    Parameters
    ----------
    tiles
        Of the scene.
    read_bytes
        What the scene's bands take in its file before compression, once for each time they are read.
    write_bytes
        What the finished tiles take; the outputs, which are compressed, take less.
    """

    tiles: int
    read_bytes: int
    write_bytes: int


def forecast(line: PreparedLine) -> Forecast:
    """What making a line will read and write."""
    header = line.work.cube.header
    layers = partial_layers(line.work.model, line.job.layers)
    return Forecast(
        tiles=len(line.work.plan),
        read_bytes=line.pixels * header.bands.count * header.dtype.itemsize * line.memory.repeats,
        write_bytes=line.pixels * sum(layer.pixel_bytes for layer in layers),
    )


def measure_rates(work: LineWork, engine: Engine) -> Rates | None:
    """Read and classify some tiles from all over the scene, for less than a second unless one takes longer.

    Returns
    -------
    Rates
        `None` where others compute.

    Raises
    ------
    SceneError
        The scene cannot be read.
    """
    if not isinstance(engine, LocalEngine):
        return None
    began = time.monotonic()
    tried, pixels, reading, computing = 0, 0, 0.0, 0.0
    for place in _PLACES:
        run = int(place * (len(work.plan) - 1)) // work.window.run * work.window.run
        tiles = range(run, min(run + work.window.run, len(work.plan)))
        read, computed, seen = _try_run(work, list(work.windows(tiles)), engine.pool)
        reading, computing = reading + read, computing + computed
        tried, pixels = tried + len(tiles), pixels + seen
        if time.monotonic() - began > _PROBE_SECONDS or tried >= len(work.plan):
            break
    return Rates(tiles=tried, read_seconds=reading / pixels, compute_seconds=computing / pixels)


def _try_run(work: LineWork, windows: list[Window], pool: Executor | None) -> tuple[float, float, int]:
    """Seconds for reading and for computing the windows of a run, and its pixels.

    Only the first two are tried: the first may bring blocks of the file that the others then find in memory.
    """
    sizes = [(rows.stop - rows.start) * (cols.stop - cols.start) for rows, cols in windows]
    read, computed = [], 0.0
    for window in windows[:2]:
        began = time.monotonic()
        block = work.read(window)
        read.append(time.monotonic() - began)
        began = time.monotonic()
        for _ in compute_ahead([(None, block)], work.compute, pool):
            pass
        computed += time.monotonic() - began
    shares = sum(sizes) / sum(sizes[:2])
    later = read[-1] / sizes[min(1, len(sizes) - 1)]
    return sum(read) + later * sum(sizes[2:]), computed * shares, int(np.sum(sizes))
