"""``hsigeo ablate``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hsigeo.atomic import replaced_on_success
from hsigeo.cli.ablation_text import claim_lines, component_lines, sentence_lines
from hsigeo.cli.documents import check_documents
from hsigeo.cli.options import note_unused, overwrite_option, progress_bar, say
from hsigeo.cli.training_input import LabelInput, read_samples, training_input_options
from hsigeo.text_files import write_json

if TYPE_CHECKING:
    from hsigeo.training.ablation import Ablation, Trial
    from hsigeo.training.claims import Claims
    from hsigeo.training.components import Component

EXAMPLES = """\b
Examples:
  hsigeo ablate scene.hdr --labels fields.gpkg --field crop
  hsigeo ablate scene.hdr --labels fields.gpkg --damage --seeds 3 --csv scores.csv
  hsigeo ablate scene.hdr --labels fields.gpkg --only attention --only memory
  hsigeo ablate scene.hdr --labels fields.gpkg --claims --plain-steps 600 --json claims.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("scenes", metavar="SCENE...", nargs=-1, type=click.Path())
@training_input_options
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of seeds, counted from 0."
)
@click.option(
    "--folds", type=click.IntRange(2, 100), default=5, show_default=True, help="Spatially disjoint folds of each seed."
)
@click.option("--only", metavar="NAME", multiple=True, help="Take out only this component; repeatable.")
@click.option("--damage", is_flag=True, help="Also test on damaged spectra: dead and misread bands, drift, shift.")
@click.option("--plain", is_flag=True, help="Also train the variant `plain`, which takes minutes per fit.")
@click.option(
    "--claims",
    is_flag=True,
    help="Test the claims made for the variant `plain` instead: five trainings of it for each seed, on one fold.",
)
@click.option(
    "--plain-steps",
    type=click.IntRange(10, 100_000),
    default=600,
    show_default=True,
    help="Steps of each training of `plain`; `hsigeo train` takes 3000.",
)
@click.option("--csv", "csv_path", metavar="FILE", type=click.Path(), help="Also write every score as a row.")
@click.option("--json", "json_path", metavar="FILE", type=click.Path(), help="Also write everything as JSON.")
@overwrite_option
def ablate(
    scenes: tuple[str, ...],
    labels: tuple[str, ...],
    field: str | None,
    layer: str | None,
    group_field: str | None,
    labels_crs: str | None,
    encoding: str | None,
    reader: str | None,
    seeds: int,
    folds: int,
    only: tuple[str, ...],
    damage: bool,
    plain: bool,
    claims: bool,
    plain_steps: int,
    csv_path: str | None,
    json_path: str | None,
    overwrite: bool,
) -> None:
    """Measure what each component of the default model contributes.

    The default is trained as it is and without each component, on the same spatially disjoint folds and with the same
    seeds. One line per component gives the points of overall and average accuracy it adds (mean and standard deviation
    over folds and seeds), in how many trials it improved or worsened accuracy, and the seconds of training it costs.
    Negative figures are losses.
    """
    check_documents((csv_path, json_path), (*scenes, *labels), overwrite=overwrite)
    components = None if claims else _choose(only, plain_steps if plain else None)
    if claims and (only or plain):
        raise click.UsageError("--claims measures the variant `plain`, and no component; leave out --only and --plain")
    if not (claims or plain):
        note_unused("plain_steps", "without --plain or --claims")
    samples, _ = read_samples(
        scenes,
        LabelInput(paths=labels, field=field, layer=layer, crs=labels_crs, encoding=encoding, group_field=group_field),
        reader,
        unlabelled=not claims,
    )
    if components is not None and samples.unlabelled is None:
        if "scene" in only:
            raise click.UsageError("--only scene takes out what unlabelled pixels say; a spectral library has none")
        components = [component for component in components if component.name != "scene"]

    from hsigeo.training.ablation import plan_trials
    from hsigeo.training.damage import DAMAGES

    trials = plan_trials(samples, seeds=seeds, folds=folds)
    damages = tuple(DAMAGES) if damage else ()
    say(
        f"{len(samples)} labelled pixels, {len(samples.classes)} classes, {samples.bands.count} bands; "
        f"{trials[0].task}: {len(trials)} trials, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    )
    for name in damages:
        say(f"{name}: {DAMAGES[name].what}")
    if components is None:
        result: Ablation | Claims = _measure_claims(trials, plain_steps, damages)
    else:
        result = _measure_components(trials, components, damages)
    _write(result, csv_path, json_path, overwrite=overwrite)


def _choose(only: Sequence[str], plain_steps: int | None) -> list[Component]:
    from hsigeo.training.components import COMPONENTS, plain_variant

    known = {component.name: component for component in COMPONENTS}
    for name in only:
        if name not in known:
            raise click.BadParameter(
                f"there is no component {name!r}; there are {', '.join(known)}", param_hint="--only"
            )
    chosen = [known[name] for name in dict.fromkeys(only)] if only else list(COMPONENTS)
    return chosen if plain_steps is None else [*chosen, plain_variant(plain_steps)]


def _measure_components(trials: Sequence[Trial], components: Sequence[Component], damages: Sequence[str]) -> Ablation:
    from hsigeo.training.ablation import ablate as measure

    with progress_bar("ablate", "model") as show:
        result = measure(trials, components, damages=damages, progress=show)
    click.echo("\n".join(component_lines(result)))
    for line in sentence_lines(result):
        say(line)
    return result


def _measure_claims(trials: Sequence[Trial], steps: int, damages: Sequence[str]) -> Claims:
    from hsigeo.training.claims import measure_claims

    # One fold of each seed, another one each time: twenty-five trainings of minutes each would be too much.
    by_seed: dict[int, list[Trial]] = {}
    for trial in trials:
        by_seed.setdefault(trial.seed, []).append(trial)
    chosen = [found[seed % len(found)] for seed, found in by_seed.items()]
    with progress_bar("train plain", "step") as show:
        result = measure_claims(chosen, steps=steps, damages=damages, progress=show)
    epochs = result.steps * 128 / result.pixels
    click.echo(
        f"variant `plain`, {len(chosen)} pairs of trainings, {result.steps} steps of 128 pixels "
        f"({epochs:.0f} epochs of {result.pixels:.0f} pixels); mean ± standard deviation over seeds\n"
    )
    click.echo("\n".join(claim_lines(result)))
    return result


def _write(result: Ablation | Claims, csv_path: str | None, json_path: str | None, *, overwrite: bool) -> None:
    records = result.records()
    if csv_path is not None:
        with (
            replaced_on_success(csv_path, overwrite=overwrite) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=list(records[0]))
            writer.writeheader()
            writer.writerows(records)
    if json_path is not None:
        write_json(json_path, {**result.summary(), "scores": records}, overwrite=overwrite)
