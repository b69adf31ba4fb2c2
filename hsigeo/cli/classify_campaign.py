"""``hsigeo classify --output-dir``: many scenes, each to a map in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import made_folder
from hsigeo.cli.classify_choices import Choices, fetch_start, find_model, memory_in_use
from hsigeo.cli.dry_run import describe_campaign
from hsigeo.cli.listening import listening
from hsigeo.cli.options import progress_bar, say
from hsigeo.cli.summary import format_summary
from hsigeo.errors import HsigeoError, OutputError
from hsigeo.locking import locked
from hsigeo.messages import name_some

if TYPE_CHECKING:
    from hsigeo.campaign.job import LineJob
    from hsigeo.campaign.manifest import LineRecord
    from hsigeo.campaign.preparation import PreparedLine
    from hsigeo.campaign.roles import Engine
    from hsigeo.campaign.run import Campaign, Survey

__all__ = ["classify_many"]

_MOST_NAMED = 10


def classify_many(scenes: Sequence[str], folder: Path, layers: Sequence[str], choices: Choices) -> None:
    """Classify scenes into a folder, or print the plan; fail if any scene fails.

    Raises
    ------
    HsigeoError
        Scenes failed; the others are done.
    """
    if not (folder / "manifest.json").exists():  # else the first line is done already, more likely than not
        fetch_start(scenes[0], choices.reader)

    from hsigeo.campaign.manifest import DONE, FAILED, Manifest
    from hsigeo.campaign.run import Campaign

    jobs = _jobs(scenes, folder, layers, choices)
    with choices.engine() as engine:
        campaign = Campaign(
            manifest=Manifest(folder),
            settings=choices.settings(engine, is_campaign=True),
            retry_failed=choices.retry_failed,
            lines_at_once=engine.lines_at_once,
        )
        if choices.dry_run:
            _plan_many(campaign, jobs, engine)
            return
        records, made = _run(campaign, jobs, engine)
    if any(record.status == DONE for record in records.values()):
        _catalogue(folder, made=made)
    say(format_summary(records[job.name] for job in jobs))
    _caution_of_doubts([records[job.name] for job in jobs])
    failed = [job.scene for job in jobs if records[job.name].status == FAILED]
    if failed:
        raise HsigeoError(f"{len(failed)} of {len(jobs)} scenes failed: {', '.join(failed)}")


def _plan_many(campaign: Campaign, jobs: Sequence[LineJob], engine: Engine) -> None:
    """Print what would be done; fail as the run would."""
    from hsigeo.campaign.forecast import measure_rates
    from hsigeo.campaign.manifest import DONE, FAILED
    from hsigeo.campaign.preparation import prepare_line

    survey = _survey(campaign, jobs)
    failed = {name: record.error for name, record in survey.records.items() if record.status == FAILED}
    lines: list[PreparedLine] = []
    with progress_bar("plan", "line") as show:
        for number, job in enumerate(survey.jobs):
            show(number + 1, len(survey.jobs))
            try:
                lines.append(prepare_line(job, campaign.settings, say))
            except HsigeoError as error:
                failed[job.name] = str(error)
    for line in lines:
        for doubt in line.doubts:
            say(f"{line.job.scene}: doubtful: {doubt}")
    if done := sum(record.status == DONE for record in survey.records.values()):
        say(f"{done} {'scene is' if done == 1 else 'scenes are'} done already")
    for name, reason in failed.items():
        say(f"{name}: would fail: {reason}")
    if lines:
        click.echo(describe_campaign(lines, measure_rates(lines[0].work, engine)))
    if failed:
        raise HsigeoError(f"{len(failed)} of {len(jobs)} scenes would fail: {', '.join(failed)}")


def _survey(campaign: Campaign, jobs: Sequence[LineJob]) -> Survey:
    """What there is to do, found while a bar is shown: to open some hundred lines takes its time."""
    from hsigeo.campaign.run import survey_campaign

    with memory_in_use(), progress_bar("survey", "line") as show:
        return survey_campaign(campaign, jobs, show)


def _run(campaign: Campaign, jobs: Sequence[LineJob], engine: Engine) -> tuple[Mapping[str, LineRecord], bool]:
    """What became of each line, and whether there was anything to do."""
    from hsigeo.campaign.manifest import FAILED
    from hsigeo.campaign.run import run_campaign

    survey = _survey(campaign, jobs)
    failed = [record for record in survey.records.values() if record.status == FAILED]
    if len(jobs) == 1 and failed:
        raise HsigeoError(failed[0].error)
    for record in failed:
        say(f"{record.line}: failed: {record.error}")
    for difference in survey.differences:
        say(f"caution: {difference}")
    # Where there is nothing to do nothing is written, but a manifest that is there must say what is the case.
    if not survey.jobs and not campaign.manifest.path.is_file():
        return survey.records, False
    with made_folder(campaign.manifest.folder), listening("classify", sum(survey.pixels.values())) as listener:
        return run_campaign(campaign, survey, engine, listener), bool(survey.jobs)


def _caution_of_doubts(records: Sequence[LineRecord]) -> None:
    """Name again the maps that may mean nothing: what was said while they were made has scrolled away."""
    from hsigeo.campaign.manifest import DONE

    doubtful = [record.line for record in records if record.status == DONE and record.doubts]
    if doubtful:
        say(
            f"caution: doubtful values in {len(doubtful)} of {len(records)} scenes; see the log of each: "
            f"{name_some(doubtful, _MOST_NAMED)}"
        )


def _catalogue(folder: Path, *, made: bool) -> None:
    """Renew the catalogue of the folder, if a map is new or it is not there. The maps are no worse without it."""
    from hsigeo.catalogue import write_catalogue
    from hsigeo.catalogue.folder import COLLECTION

    # One process at a time, so that half-written documents can only be those of a killed one.
    with locked(folder / ".catalogue.lock", keep_waiting=lambda: True):
        left = [path for path in folder.glob(".*.partial-*.json") if not path.name.startswith(".manifest.")]
        for path in left:
            path.unlink(missing_ok=True)
        if not made and not left and (folder / COLLECTION).is_file():
            return
        try:
            with progress_bar("catalogue", "map") as show:
                write_catalogue(folder, overwrite=True, progress=show)
        except HsigeoError as error:
            say(f"note: the maps are there, but their catalogue is not: {error}")


def _jobs(scenes: Sequence[str], folder: Path, layers: Sequence[str], choices: Choices) -> list[LineJob]:
    from hsigeo.campaign.job import cached_model, campaign_jobs

    if choices.model_path is not None:
        cached_model(choices.model_path)  # fails for all lines alike, so it is said once
    paired = [(scene, find_model(scene, choices.model_path)) for scene in scenes]
    try:
        return campaign_jobs(paired, folder, layers=layers, reader=choices.reader, options=choices.options)
    except OutputError as error:
        raise click.UsageError(str(error)) from error
