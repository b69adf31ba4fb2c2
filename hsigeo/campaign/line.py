"""One line from start to end: what exists already, the missing tiles, the outputs.

The steps, and what a crash at any of them leaves:

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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hsigeo.atomic import disk_failure
from hsigeo.campaign.finish import find_foreign, is_finished, is_own, write_outputs
from hsigeo.campaign.job import LineJob, differences
from hsigeo.campaign.preparation import OpenedLine, PreparedLine
from hsigeo.campaign.roles import Engine, Listener, Settings
from hsigeo.campaign.work import partial_layers
from hsigeo.errors import HsigeoError, Interrupted, OutputExistsError, SceneError
from hsigeo.io.cube import FileStamp
from hsigeo.io.map_layers import check_targets, plan_layers
from hsigeo.io.quicklook import write_quicklook
from hsigeo.locking import locked
from hsigeo.memory import release_unused
from hsigeo.partial import PartialMap, empty_folder, is_emptied, read_identity

__all__ = ["LineResult", "check_line", "run_line"]


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
                listener.say(
                    f"{job.map}: {partial.disbelieved} tiles do not read back as written and are computed again"
                )
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
    if partial.missing:
        partial.sync()
        kept = f"{len(partial.done)} of {len(line.work.plan)} tiles of {line.job.map} are kept"
        raise Interrupted(f"{kept}; repeat the same command to continue")
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
        more = "" if plan.once is None else f"; --max-memory {-(-plan.once >> 20)}M would avoid that"
        listener.say(f"{line.job.scene}: each of its blocks is decompressed {plan.repeats} times{more}")


def _report_stale(line: PreparedLine, listener: Listener) -> None:
    old = read_identity(line.job.partial)
    if old is not None and old != line.identity:
        listener.say(
            f"{line.job.map}: the unfinished map there was made with {differences(old, line.identity)}; it is not used"
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
