"""A line before its first tile: opened, matched with its model, and planned."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import xarray as xr

from hsigeo.band_matching import BandMatch
from hsigeo.campaign.budget import LEAST_CACHE, Demand, MemoryPlan, plan_memory
from hsigeo.campaign.doubts import find_odd_values, pick_doubts
from hsigeo.campaign.finish import memory_of_writing
from hsigeo.campaign.job import LineJob, cached_model, make_identity, make_key
from hsigeo.campaign.roles import Settings
from hsigeo.campaign.warming import warm_up
from hsigeo.campaign.work import LineWork, partial_layers
from hsigeo.classification import classify, match_scene, unknown_limit
from hsigeo.errors import SceneError
from hsigeo.fingerprint import fingerprint
from hsigeo.io import mark_dead_bands, open_cube, scene_of
from hsigeo.io.cube import Cube, with_cache
from hsigeo.io.dead_bands import read_few_rows
from hsigeo.io.doctor.examination import find_doubts
from hsigeo.io.geolocation import Geolocation
from hsigeo.io.geotiff import close_datasets
from hsigeo.io.spectra import announce_start, span_of
from hsigeo.kernels.choice import must_compile
from hsigeo.model import Model, is_large
from hsigeo.tiling import TilePlan, plan_strips

__all__ = ["OpenedLine", "PreparedLine", "describe_line", "open_line", "prepare_line"]

_ANNOUNCED_BYTES = 64 << 20
"""Of the scene, that the system is told of while the network is tried: as much as a fast disk delivers until the first
tile is begun, when there is no core to spare for it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedLine:
    """A line, opened and matched with its model; nothing has been read but headers, fingerprints and a few rows.

    Parameters
    ----------
    job
        The files.
    cube, model, match
        The scene, the model, and which bands serve it.
    plan
        The tiles.
    result, geolocation
        The lazy classification, for all that a map says besides its pixels; and where these lie, for a scene in
        sensor geometry that is to be placed on a map.
    identity, key
        What decides whether earlier work is used again.
    """

    job: LineJob
    cube: Cube
    model: Model
    match: BandMatch
    plan: TilePlan
    result: xr.Dataset
    geolocation: Geolocation | None
    identity: dict[str, Any]
    key: str

    @property
    def repairs(self) -> list[str]:
        """What the reader repaired or guessed, and what was said about bands and georeference."""
        return list(self.result["class_id"].attrs["metadata"]["repairs"])

    @property
    def doubts(self) -> list[str]:
        """Why the values may not be what the model takes them for; those of most scenes are."""
        return pick_doubts(self.repairs)

    @property
    def pixels(self) -> int:
        """Of the scene."""
        return self.plan.pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedLine(OpenedLine):
    """A line of which the network has seen a first piece, so that what the work takes is known.

    Parameters
    ----------
    work
        The making of the tiles.
    memory
        What it will take.
    """

    work: LineWork
    memory: MemoryPlan


def open_line(job: LineJob, settings: Settings) -> OpenedLine:
    """Open scene and model, match them, and say what the map will depend on.

    Raises
    ------
    SceneNotFoundError, SceneError, ModelNotFoundError, ModelError, BandMismatchError
        They do not work, alone or together; or the values are doubtful, and `Settings.strict`.
    """
    model = cached_model(job.model)
    # A few rows and windows are looked at, for which no more need be kept of the file than the plan will have room for.
    cube = with_cache(open_cube(job.scene, reader=job.reader), LEAST_CACHE)
    with ThreadPoolExecutor(1, "hsigeo-fingerprint") as pool:
        naming = pool.submit(fingerprint, cube.header.data_path)  # meanwhile there is enough else to do
        scene = scene_of(cube)
        seen = read_few_rows(scene)
        scene = mark_dead_bands(scene, seen)
        filling = bool(job.options.get("fill_missing"))
        result = classify(
            scene, model, device=str(settings.device), fill_missing=filling, unknown=job.options.get("unknown")
        )
        match = match_scene(scene, model, fill_missing=filling)
        # While the layout is in doubt, the values mean nothing.
        doubts = find_doubts(cube) or find_odd_values(seen, cube.header, model)
    strips = plan_strips(lines=cube.header.grid.lines, samples=cube.header.grid.samples)
    kernel = settings.kernel(is_large(model, strips.pixels))
    try:
        pixels = naming.result()
    except OSError as error:
        raise SceneError(f"{cube.header.data_path} cannot be read: {error.strerror}") from error
    identity = make_identity(job, cube.header, model, pixels=pixels, device=settings.device_kind, kernel=kernel)
    key = make_key(identity)
    metadata = result["class_id"].attrs["metadata"]
    metadata |= {"scene_fingerprint": identity["scene"], "key": key, "options": identity["options"]}
    if doubts and settings.strict:
        raise SceneError(f"{job.scene} is {doubts[0]}")
    metadata["repairs"] = [*metadata["repairs"], *doubts]
    return OpenedLine(
        job=job,
        cube=cube,
        model=model,
        match=match,
        plan=strips,
        result=result,
        geolocation=cube.header.geolocation if job.options.get("geometry", "ortho") == "ortho" else None,
        identity=identity,
        key=key,
    )


def prepare_line(job: LineJob, settings: Settings, say: Callable[[str], None] | None = None) -> PreparedLine:
    """Open a line, send a first piece through the network, and plan the rest by what that took.

    Raises
    ------
    SceneNotFoundError, SceneError, ModelNotFoundError, ModelError, BandMismatchError
        As `open_line`.
    MemoryLimitError
        `Settings.max_memory` does not suffice.
    """
    line = open_line(job, settings)
    model, match, strips = line.model, line.match, line.plan
    unknown = job.options.get("unknown")
    limit = None if unknown is None else unknown_limit(model, unknown)
    large = is_large(model, strips.pixels)
    if say is not None and must_compile(settings.device.type, large=large):
        say("note: first run on this machine: inner loops are compiled for this processor, once, in some 20 seconds")
    close_datasets()
    layers, bands = partial_layers(model, job.layers), span_of(match.used)
    with ThreadPoolExecutor(1, "hsigeo-announce") as pool:
        pool.submit(announce_start, line.cube, match.used, _ANNOUNCED_BYTES)
        ready = warm_up(model, match, settings.device, limit, large=large)
    demand = Demand(
        used=len(match.used),
        span=bands.stop - bands.start,
        base=ready.resident,
        batches=ready.thread * settings.threads,
        computed=8 + 8 * len(model.card.classes),
        answers=sum(layer.pixel_bytes for layer in layers),
        **memory_of_writing(strips, layers, line.geolocation),
    )
    memory = plan_memory(line.cube.header, strips, demand, settings.max_memory)
    work = LineWork(
        cube=with_cache(line.cube, memory.cache, threads=1 if memory.window.readers > 1 else None),
        model=model,
        match=match,
        fill_missing=bool(job.options.get("fill_missing")),
        pace=ready.pace,
        layers=job.layers,
        plan=strips,
        window=memory.window,
        limit=limit,
    )
    return PreparedLine(**{each.name: getattr(line, each.name) for each in fields(line)}, work=work, memory=memory)


def describe_line(line: PreparedLine) -> str:
    """Size, classes, model and kernel, for people."""
    grid, model = line.work.plan, line.work.model
    made_with = f"model {model.digest[:12]}, kernel {line.identity['kernel']}"
    return f"{grid.lines} x {grid.samples} pixels, {len(model.card.classes)} classes, {made_with}"
