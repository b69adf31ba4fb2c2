"""``hsigeo train``."""

from __future__ import annotations

import time

import click

from hsigeo.cli.figures import folder_of_figures, plan_figures, plot_format_option, plots_option
from hsigeo.cli.options import overwrite_option, progress_bar, say
from hsigeo.cli.training_input import LabelInput, read_samples, training_input_options
from hsigeo.cli.training_report import FIGURES, draw_figures, report_samples, report_validation

EXAMPLES = """\b
Examples:
  hsigeo train scene.hdr --labels fields.gpkg --field crop -o scene.safetensors
  hsigeo train line_1.hdr line_2.hdr --labels training.gpkg -o campaign.safetensors
  hsigeo train tile_1.tif tile_2.tif --labels labels_1.tif --labels labels_2.tif -o tiles.safetensors
  hsigeo train scene.hdr --labels library.sli --field level_2 -o scene.safetensors
  hsigeo train --labels library.sli --field level_2 --group-field site -o library.safetensors
  hsigeo train scene.hdr --labels fields.gpkg -o scene.safetensors --plots figures/
  hsigeo train enmap.tif --labels fields.gpkg --bands-of prisma.he5 -o prisma.safetensors
"""


@click.command(epilog=EXAMPLES)
@click.argument("scenes", metavar="SCENE...", nargs=-1, type=click.Path())
@training_input_options
@click.option("-o", "--output", metavar="MODEL.safetensors", required=True, type=click.Path(), help="Model to write.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="The same seed gives the same model.",
)
@click.option(
    "--variant",
    metavar="NAME",
    help="Architecture. `plain` is the simplest form, kept for comparison; it is slow, so add --no-validation.",
)
@click.option(
    "--validation/--no-validation",
    default=True,
    show_default=True,
    help="Cross-validate first: accuracy on unseen ground, and calibrated probabilities.",
)
@click.option(
    "--unlabelled/--no-unlabelled",
    default=True,
    show_default=True,
    help="Let pixels of the scenes without labels tell how spectra vary, which helps where labels are few.",
)
@click.option(
    "--bands-of",
    metavar="SCENE",
    type=click.Path(),
    help="Train on the bands of this scene's sensor, made from those of the training scenes.",
)
@plots_option(
    "confusion matrix and reliability on held-out ground, spectra of each class, and accuracy against the number of "
    "labels, which trains nine more models"
)
@plot_format_option
@overwrite_option
def train(
    scenes: tuple[str, ...],
    labels: tuple[str, ...],
    field: str | None,
    layer: str | None,
    group_field: str | None,
    labels_crs: str | None,
    encoding: str | None,
    reader: str | None,
    output: str,
    seed: int,
    variant: str | None,
    validation: bool,
    unlabelled: bool,
    bands_of: str | None,
    plots: str | None,
    plot_format: str,
    overwrite: bool,
) -> None:
    """Train a model on labelled pixels.

    Every scene contributes the labelled pixels that it covers. The first scene determines the bands that the model
    reads; the others are matched to it by wavelength.
    """
    from hsigeo.model.file import check_model_output

    check_model_output(output, overwrite=overwrite)
    figures = plan_figures(plots, FIGURES, plot_format, overwrite=overwrite)
    samples, provenance = read_samples(
        scenes,
        LabelInput(paths=labels, field=field, layer=layer, crs=labels_crs, encoding=encoding, group_field=group_field),
        reader,
        unlabelled=unlabelled,
    )
    if bands_of is not None:
        from hsigeo.io import mark_dead_bands, open_scene
        from hsigeo.scene import spectral_axis
        from hsigeo.training import on_bands_of

        samples = on_bands_of(samples, spectral_axis(mark_dead_bands(open_scene(bands_of, reader=reader))))
    report_samples(samples)

    from hsigeo.model import DEFAULT_VARIANT, write_model
    from hsigeo.training import train_on_spectra

    start = time.monotonic()
    with progress_bar("validate and train" if validation else "train", "model" if validation else "step") as show:
        model = train_on_spectra(
            samples,
            variant=variant or DEFAULT_VARIANT,
            seed=seed,
            check=validation,
            curve=bool(figures),
            provenance=provenance,
            progress=show,
        )
    seconds = time.monotonic() - start
    write_model(model, output, overwrite=overwrite)
    report_validation(model.card.validation)
    with folder_of_figures(figures):
        draw_figures(samples, model.card.validation, figures, overwrite=overwrite)
    say(
        f"{output}: {model.card.variant} model, {len(model.card.classes)} classes, {model.card.bands.count} bands, "
        f"in {seconds:.0f} s" + (" with validation" if model.card.validation else "")
    )
