"""All lines of a campaign: surveyed, run, recorded. A broken line is reported and never stops the others."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hsigeo.campaign.budget import Demand, plan_memory
from hsigeo.campaign.job import LineJob, cached_model
from hsigeo.campaign.line import LineResult, check_line, run_line
from hsigeo.campaign.manifest import DONE, FAILED, STOPPED, WAITING, LineRecord, Manifest, trace_of, utc_now
from hsigeo.campaign.preparation import OpenedLine, PreparedLine, describe_line, open_line, prepare_line
from hsigeo.campaign.roles import Engine, Listener, Settings
from hsigeo.errors import (
    ClusterError,
    DiskFullError,
    HsigeoError,
    Interrupted,
    LockedError,
    MemoryLimitError,
    OutputError,
    OutputExistsError,
)
from hsigeo.io import open_cube
from hsigeo.io.cube import CubeHeader
from hsigeo.io.processing import processing_of
from hsigeo.line_processing import find_processing_differences
from hsigeo.memory import forget_peak, peak_memory, resident_memory
from hsigeo.progress import Progress
from hsigeo.tiling import plan_strips

__all__ = ["Campaign", "Survey", "run_campaign", "survey_campaign"]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What there is to do.

    Parameters
    ----------
    jobs
        The lines to run.
    records
        What is known already: lines that are done, failed, or waiting.
    pixels
        Of the lines to run, by line.
    differences
        In which the lines to run were processed differently, a sentence for each.
    """

    jobs: tuple[LineJob, ...]
    records: Mapping[str, LineRecord]
    pixels: Mapping[str, int]
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A folder of maps in the making.

    Parameters
    ----------
    manifest
        Of the folder.
    settings
        For all lines.
    retry_failed
        Try again what failed before, though nothing about it has changed.
    lines_at_once
        How many lines are worked on together: more than one only where others compute.
    """

    manifest: Manifest
    settings: Settings
    retry_failed: bool = False
    lines_at_once: int = 1


@dataclass
class _Watch:
    """A line's pixels that are accounted for, so that the rest can be skipped when it fails."""

    listener: Listener
    left: int
    notes: list[str] = field(default_factory=list)

    def advance(self, pixels: int) -> None:
        self.left -= pixels
        self.listener.advance(pixels)

    def skip(self, pixels: int) -> None:
        self.left -= pixels
        self.listener.skip(pixels)


def survey_campaign(
    campaign: Campaign, jobs: Sequence[LineJob], progress: Progress = lambda done, total: None
) -> Survey:
    """Look at every line before any work: what is done, what cannot be done, how much there is to do.

    Parameters
    ----------
    progress
        Called with (lines looked at, lines in all).

    Raises
    ------
    OutputExistsError, OutputError
        Something is in the way of a map and may not be replaced.
    MemoryLimitError
        `Settings.max_memory` does not suffice.
    """
    before = campaign.manifest.read()
    to_run, records, pixels, processing = [], {}, {}, []
    for number, job in enumerate(jobs):
        progress(number + 1, len(jobs))
        record = _record(campaign, job)
        try:
            header = _try_header(job)
            _check_memory(header, campaign.settings.max_memory)
            if _is_there(job):
                line = open_line(job, campaign.settings)
                if not check_line(line, campaign.settings):
                    records[job.name] = replace(_done_before(_with_line(record, line), before), status=DONE)
                    continue
            old = before.get(job.name, {})
            if _has_failed_alike(record, old) and not campaign.retry_failed:
                records[job.name] = replace(record, status=FAILED, error=str(old.get("error", "")))
                continue
            pixels[job.name] = header.grid.lines * header.grid.samples
        except (OutputError, OutputExistsError, MemoryLimitError):
            raise
        except HsigeoError as error:
            records[job.name] = replace(record, status=FAILED, error=_one_line(error))
            continue
        records[job.name] = replace(record, pixels=pixels[job.name])
        processing.append(processing_of(header, job.name, model=record.model["sha256"]))
        to_run.append(job)
    differences = find_processing_differences(processing)
    return Survey(jobs=tuple(to_run), records=records, pixels=pixels, differences=differences)


def run_campaign(campaign: Campaign, survey: Survey, engine: Engine, listener: Listener) -> dict[str, LineRecord]:
    """Make the maps of all lines that a survey found to do; return what became of every line.

    Lines that another process is at work on come last, and are waited for.

    Raises
    ------
    Interrupted
        The listener asked for it. The manifest records the progress, and the same command resumes from there.
    DiskFullError
        As above; no other line could be written either.
    """
    records = dict(survey.records)
    campaign.manifest.update(records.values(), keep=lambda entry, record: _is_newer(campaign, entry, record))
    busy: list[LineJob] = []

    def run(job: LineJob, settings: Settings) -> None:
        if listener.is_stopping():
            done = sum(record.status == DONE for record in records.values())
            raise Interrupted(
                f"{done} of {len(records) + len(busy)} lines are done; repeat the same command to continue"
            )
        watch = _Watch(listener, survey.pixels[job.name])
        try:
            records[job.name] = _run_one(replace(campaign, settings=settings), job, engine, watch)
            campaign.manifest.note(records[job.name])
        except LockedError as error:
            listener.say(f"{error}; it will be tried again later")
            busy.append(job)

    try:
        _run_all(survey.jobs, lambda job: run(job, campaign.settings), campaign.lines_at_once)
        waiting = replace(campaign.settings, wait=True)
        _run_all(tuple(busy), lambda job: run(job, waiting), campaign.lines_at_once)
    finally:
        campaign.manifest.write_noted()
    return records


def _run_all(jobs: Sequence[LineJob], run: Callable[[LineJob], None], at_once: int) -> None:
    if at_once == 1:
        for job in jobs:
            run(job)
        return
    pool = ThreadPoolExecutor(at_once, "hsigeo-line")
    running = [pool.submit(run, job) for job in jobs]
    try:
        for future in running:
            future.result()
    except (HsigeoError, Interrupted):
        pool.shutdown(wait=True, cancel_futures=True)  # what is running hears of it too, and ends cleanly
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _run_one(campaign: Campaign, job: LineJob, engine: Engine, watch: _Watch) -> LineRecord:
    """Run a line and record what came of it.

    Raises
    ------
    Interrupted, DiskFullError, ClusterError, LockedError
        What concerns more than this line; all but the last are recorded.
    """
    record = replace(_record(campaign, job), started=utc_now())
    log = _Log(job)
    listener = _line_listener(job, watch, log)
    forget_peak()
    try:
        line = prepare_line(job, campaign.settings, watch.listener.say)
        record = _with_line(record, line)
        log.begin(record)
        for repair in line.repairs:
            watch.listener.say(f"{job.scene}: {repair}")
        result = run_line(line, engine, campaign.settings, listener)
    except LockedError:
        raise
    except (Interrupted, DiskFullError, ClusterError) as error:
        log.write(f"stopped: {_one_line(error)}")
        campaign.manifest.update([_ended(record, STOPPED, error=_one_line(error))])
        raise
    except HsigeoError as error:
        return _failed(record, _one_line(error), watch, log)
    except Exception as error:  # noqa: BLE001 - one broken line must never stop the others; the log has the traceback
        log.write(traceback.format_exc())
        text = "out of memory" if isinstance(error, MemoryError) else f"unexpected {type(error).__name__}"
        return _failed(record, f"{text}: {_one_line(error)}; {job.log or 'the log'} says where", watch, log)
    return _succeeded(record, line, result, log, watch.listener)


def _failed(record: LineRecord, error: str, watch: _Watch, log: _Log) -> LineRecord:
    watch.skip(watch.left)
    watch.listener.say(f"{record.line}: failed: {error}")
    log.write(f"failed: {error}")
    return _ended(record, FAILED, error=error)


def _succeeded(record: LineRecord, line: PreparedLine, result: LineResult, log: _Log, listener: Listener) -> LineRecord:
    if result.was_finished:
        return _ended(record, DONE)
    names = {entry.id: entry.name for entry in line.work.model.card.classes}
    done = _ended(
        record,
        DONE,
        seconds=round(result.seconds, 3),
        tiles=result.tiles,
        resumed=result.resumed,
        pixels=sum(result.counts.values()),
        pixels_per_class={names.get(class_id, ""): count for class_id, count in result.counts.items()},
    )
    listener.say(f"{line.job.map}: {describe_line(line)}")
    log.write(
        f"done: {result.tiles} tiles ({result.resumed} from earlier runs) in {result.seconds:.1f} s; "
        f"peak memory {(done.peak_memory or 0) >> 20} MiB"
    )
    return done


def _ended(record: LineRecord, status: str, **changes: Any) -> LineRecord:
    return replace(record, status=status, finished=utc_now(), peak_memory=peak_memory(), **changes)


def _line_listener(job: LineJob, watch: _Watch, log: _Log) -> Listener:
    def say(text: str) -> None:
        log.write(text)
        watch.listener.say(text)

    return Listener(say=say, advance=watch.advance, skip=watch.skip, is_stopping=watch.listener.is_stopping)


def _record(campaign: Campaign, job: LineJob) -> LineRecord:
    folder = campaign.manifest.folder
    made = {
        "map": job.map,
        "confidence": job.confidence,
        "probabilities": job.probabilities,
        "quicklook": job.quicklook,
        "log": job.log,
    }
    return LineRecord(
        line=job.name,
        scene=_relative(Path(job.scene), folder),
        status=WAITING,
        outputs={kind: _relative(path, folder) for kind, path in made.items() if path is not None},
        input={"trace": trace_of(job.scene)},
        model={"path": _relative(Path(job.model), folder), "sha256": _model_digest(job.model)},
        options={"layers": list(job.layers), **job.options, **({"strict": True} if campaign.settings.strict else {})},
        device=campaign.settings.device_kind,
    )


def _with_line(record: LineRecord, line: OpenedLine) -> LineRecord:
    known = {"fingerprint": line.identity["scene"], "header": line.identity["header"], "key": line.key}
    return replace(
        record,
        input={**record.input, **known},
        software=line.identity["software"],
        repairs=tuple(line.repairs),
        pixels=line.pixels,
    )


def _model_digest(path: str) -> str:
    try:
        return cached_model(path).digest
    except HsigeoError:
        return ""


def _try_header(job: LineJob) -> CubeHeader:
    """The scene's header, once model and scene can be opened."""
    cached_model(job.model)
    header: CubeHeader = open_cube(job.scene, reader=job.reader).header
    return header


def _check_memory(header: CubeHeader, limit: int | None) -> None:
    """Refuse early what would be refused for each line, as far as that can be known without its model."""
    strips = plan_strips(lines=header.grid.lines, samples=header.grid.samples)
    plan_memory(header, strips, Demand(used=1, span=1, base=resident_memory()), limit)


def _is_there(job: LineJob) -> bool:
    """Whether anything of an earlier run is there: only then must a scene's content be looked at before its turn."""
    return job.partial.exists() or any(path.exists() for path in job.rasters)


def _done_before(record: LineRecord, before: Mapping[str, Mapping[str, Any]]) -> LineRecord:
    """The entry of the run that made the map, where the manifest still has it."""
    old = before.get(record.line, {})
    if old.get("status") != DONE:
        return record
    known = {name: old[name] for name in vars(record) if name in old}
    known["repairs"] = tuple(known.get("repairs", ()))
    return LineRecord(**{**vars(record), **known})


def _has_failed_alike(record: LineRecord, old: Mapping[str, Any]) -> bool:
    """Whether a line failed before, and nothing about its files, model and options has changed since."""
    return old.get("status") == FAILED and _is_alike(record, old)


def _is_alike(record: LineRecord, old: Mapping[str, Any]) -> bool:
    """Whether an entry is of the same files, model and options."""
    return (
        (old.get("input") or {}).get("trace") == record.input["trace"]
        and (old.get("model") or {}).get("sha256") == record.model["sha256"]
        and old.get("options") == record.options
        and old.get("device") == record.device
    )


def _is_newer(campaign: Campaign, entry: Mapping[str, Any], record: LineRecord) -> bool:
    """Whether another process has finished since the survey what it found waiting."""
    return (
        record.status == WAITING
        and entry.get("status") == DONE
        and _is_alike(record, entry)
        and (campaign.manifest.folder / record.outputs["map"]).is_file()
    )


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _Log:
    """The log of a line: one file, a line for each thing that happened, kept through all runs."""

    def __init__(self, job: LineJob) -> None:
        self._path = job.log

    def begin(self, record: LineRecord) -> None:
        self.write(f"{record.software} on {record.host}: {record.scene}, model {record.model['sha256'][:12]}")
        for repair in record.repairs:
            self.write(f"repair: {repair}")

    def write(self, text: str) -> None:
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{utc_now()} {line}\n" for line in text.splitlines()))
        except OSError:
            return  # a full disk, probably: the error that led here is reported, and counts more
