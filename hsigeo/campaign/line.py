"""One line from start to finish: what is there already, the missing tiles, the map.

The steps, and what a sudden end at any of them leaves:

1. lock and folder            an empty folder; the next run starts
2. tiles, each journalled     the finished ones; the next run makes the others
3. outputs written in the folder and renamed, the map before its sidecars
                              some outputs, all tiles; the next run writes all outputs again, to the same bytes
4. folder emptied, journal first; removed
                              all outputs; the next run sees from the map's key that nothing is left to do
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import xarray as xr

from hsigeo.atomic import disk_failure
from hsigeo.band_matching import BandMatch
from hsigeo.campaign.budget import LEAST_CACHE, Demand, MemoryPlan, plan_memory
from hsigeo.campaign.doubts import find_odd_values, pick_doubts
from hsigeo.campaign.finish import find_foreign, is_finished, is_own, memory_of_writing, write_outputs
from hsigeo.campaign.job import LineJob, cached_model, differences, make_identity, make_key
from hsigeo.campaign.roles import Engine, Listener, Settings
from hsigeo.campaign.warming import warm_up
from hsigeo.campaign.work import LineWork, partial_layers
from hsigeo.classification import classify, match_scene, unknown_limit
from hsigeo.errors import HsigeoError, Interrupted, OutputExistsError, SceneError
from hsigeo.fingerprint import fingerprint
from hsigeo.io import mark_dead_bands, open_cube, scene_of
from hsigeo.io.cube import Cube, FileStamp, with_cache
from hsigeo.io.dead_bands import read_few_rows
from hsigeo.io.doctor.examination import find_doubts
from hsigeo.io.geolocation import Geolocation
from hsigeo.io.geotiff import close_datasets
from hsigeo.io.map_layers import check_targets, plan_layers
from hsigeo.io.quicklook import write_quicklook
from hsigeo.io.spectra import announce_blocks, span_of
from hsigeo.kernels.choice import must_compile
from hsigeo.locking import locked
from hsigeo.memory import release_unused
from hsigeo.model import Model, is_large
from hsigeo.partial import PartialMap, empty_folder, is_emptied, read_identity
from hsigeo.tiling import TilePlan, plan_strips

__all__ = [
    "LineResult",
    "OpenedLine",
    "PreparedLine",
    "check_line",
    "describe_line",
    "open_line",
    "prepare_line",
    "run_line",
]

_ANNOUNCED = 4
"""Strips that the system hears of before the network is tried: as much as a disk gives in that time."""


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


@dataclass(frozen=True, kw_only=True)
class LineResult:
    """What came of a line.

    Parameters
    ----------
    was_finished
        The map was there already.
    tiles, resumed
        Of the scene, and how many of them an earlier run had made.
    counts
        Pixels of each class id; empty where the map was there already.
    seconds
        Wall time.
    """

    was_finished: bool = False
    tiles: int = 0
    resumed: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0


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
    scene = scene_of(cube)
    with ThreadPoolExecutor(1, "hsigeo-fingerprint") as pool:
        pixels = pool.submit(fingerprint, cube.header.data_path)  # meanwhile there is enough else to do
        seen = read_few_rows(scene)
        scene = mark_dead_bands(scene, seen)
        filling = bool(job.options.get("fill_missing"))
        result = classify(
            scene, model, device=str(settings.device), fill_missing=filling, unknown=job.options.get("unknown")
        )
        # While the layout is in doubt, the values mean nothing.
        doubts = find_doubts(cube) or find_odd_values(seen, cube.header, model)
    strips = plan_strips(lines=cube.header.grid.lines, samples=cube.header.grid.samples)
    kernel = settings.kernel(is_large(model, strips.pixels))
    try:
        named = pixels.result()
    except OSError as error:
        raise SceneError(f"{cube.header.data_path} cannot be read: {error.strerror}") from error
    identity = make_identity(job, cube.header, model, pixels=named, device=settings.device_kind, kernel=kernel)
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
        match=match_scene(scene, model, fill_missing=filling),
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
        say("note: this is the first run here; it compiles the inner loops for this processor, some 20 seconds, once")
    close_datasets()
    # The first pixels come from the disk while the network is tried.
    top = slice(0, min(_ANNOUNCED * strips.rows, strips.lines))
    announce_blocks(line.cube, match.used, [(top, slice(0, strips.samples))])
    ready = warm_up(model, match, settings.device, limit, large=large)
    layers, bands = partial_layers(model, job.layers), span_of(match.used)
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


def check_line(line: OpenedLine, settings: Settings) -> bool:
    """Refuse now what would be refused after hours of work; return whether there is anything to do.

    Raises
    ------
    OutputExistsError
        An output is there, is not what would be made, and may not be replaced.
    OutputError
        An output cannot be written.
    """
    if settings.skip_finished and not line.job.partial.exists() and is_finished(line.job, line.key):
        return False
    layers = plan_layers(
        line.result,
        line.job.map,
        probabilities=line.job.probabilities,
        confidence=line.job.confidence,
        distance=line.job.distance,
    )
    may_replace = _may_replace(line, settings)
    looks = not settings.overwrite and (may_replace or settings.skip_finished)
    if looks and (foreign := find_foreign(line.job, line.key, line.identity)):
        raise OutputExistsError(foreign)
    check_targets(layers, line.result, overwrite=may_replace)
    return True


def run_line(line: PreparedLine, engine: Engine, settings: Settings, listener: Listener) -> LineResult:
    """Make the map of a line, or go on where an earlier run ended.

    Raises
    ------
    Interrupted
        The listener asked for it; finished tiles are kept.
    LockedError
        Another process is at work on it and `Settings.wait` is false.
    HsigeoError
        It failed. Finished tiles are kept where the same command could use them.
    """
    began = time.monotonic()
    job = line.job
    if not check_line(line, settings):
        return LineResult(was_finished=True)
    may_replace = _may_replace(line, settings)
    with _folder_of(job, settings.wait, listener):
        if settings.skip_finished and is_finished(job, line.key) and is_emptied(job.partial):
            # By the process that was waited for, or by one that was killed while it cleared up.
            empty_folder(job.partial)
            return LineResult(was_finished=True)
        _report_stale(line, listener)
        layers = partial_layers(line.work.model, job.layers)
        with PartialMap(job.partial, line.identity, line.work.plan, layers) as partial:
            resumed = len(partial.done)
            if partial.disbelieved:
                listener.say(f"{job.map}: {partial.disbelieved} tiles do not read back as written; they are made again")
            try:
                _report_repeats(line, listener)
                _make_tiles(line, partial, engine, listener)
                release_unused()
                _write_quicklook(line, partial.folder, listener)
                counts = write_outputs(
                    job,
                    line.result,
                    partial,
                    geolocation=line.geolocation,
                    overwrite=may_replace,
                    spool_bytes=line.memory.spool,
                    say=listener.say,
                )
            except (HsigeoError, Interrupted):
                if not partial.done:
                    partial.discard()
                raise
            partial.discard()
    return LineResult(tiles=len(line.work.plan), resumed=resumed, counts=counts, seconds=time.monotonic() - began)


def _make_tiles(line: PreparedLine, partial: PartialMap, engine: Engine, listener: Listener) -> None:
    missing = partial.missing
    listener.skip(line.pixels - sum(_pixels(line, tile) for tile in missing))
    with contextlib.closing(engine.compute(line.work, missing, listener.is_stopping)) as tiles:
        for tile, parts in tiles:
            partial.write(tile, parts)
            listener.advance(_pixels(line, tile))
            for note in line.work.pace.take_notes():
                listener.say(f"{line.job.scene}: {note}")
            if listener.is_stopping():
                break
    partial.sync()
    if partial.missing:
        kept = f"{len(partial.done)} of {len(line.work.plan)} tiles of {line.job.map} are kept"
        raise Interrupted(f"{kept}; the same command goes on from there")
    if FileStamp.of(Path(line.work.cube.header.data_path)) != line.work.cube.header.stamp:
        partial.discard()
        raise SceneError(f"{line.job.scene} was changed while it was classified; nothing made of it is kept")


def _pixels(line: PreparedLine, tile: int) -> int:
    rows = line.work.plan.rows_of(tile)
    lines: int = rows.stop - rows.start
    return lines * line.work.plan.samples


@contextlib.contextmanager
def _folder_of(job: LineJob, wait: bool, listener: Listener) -> Iterator[None]:
    """The folder of the unfinished map, locked; removed in the end if nothing is in it."""
    try:
        with locked(job.partial / "lock", keep_waiting=(lambda: not listener.is_stopping()) if wait else None):
            yield
    finally:
        with contextlib.suppress(OSError):  # not empty: something is kept, or another process is in it already
            job.partial.rmdir()


def _report_repeats(line: PreparedLine, listener: Listener) -> None:
    plan = line.memory
    if plan.repeats > 1:
        more = "" if plan.once is None else f"; --max-memory {-(-plan.once >> 20)}M would spare that"
        listener.say(f"{line.job.scene}: each of its blocks is decompressed {plan.repeats} times{more}")


def _report_stale(line: PreparedLine, listener: Listener) -> None:
    old = read_identity(line.job.partial)
    if old is not None and old != line.identity:
        listener.say(
            f"{line.job.map}: the unfinished map there is of {differences(old, line.identity)}; none of it is used"
        )
    elif old is None:
        empty_folder(line.job.partial)


def _may_replace(line: OpenedLine, settings: Settings) -> bool:
    """Whether outputs that are there may be replaced: by permission, or as those of an earlier run of this very job."""
    if settings.overwrite or read_identity(line.job.partial) == line.identity:
        return True
    return settings.skip_finished and any(is_own(path, line.key) for path in line.job.rasters)


def _write_quicklook(line: PreparedLine, folder: Path, listener: Listener) -> None:
    if line.job.quicklook is None:
        return
    picture = folder / "quicklook.png"
    try:
        write_quicklook(line.work.cube, picture, overwrite=True)
    except SceneError as error:
        listener.say(f"{line.job.quicklook}: no picture, {error}")  # the map matters more
        return
    with disk_failure(folder):
        picture.replace(line.job.quicklook)
