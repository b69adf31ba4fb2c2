"""``hsigeo explain``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsigeo.cli.columns import shorten
from hsigeo.cli.documents import check_documents
from hsigeo.cli.options import (
    labels_crs_option,
    note_unused,
    overwrite_option,
    progress_bar,
    reader_option,
    say,
)
from hsigeo.errors import ModelNotFoundError, SceneNotFoundError
from hsigeo.text_files import write_json, write_text

if TYPE_CHECKING:
    import xarray as xr

    from hsigeo.bands import BandTable
    from hsigeo.explanation import ModelExplanation, PixelExplanation, Stretch
    from hsigeo.model import Model

EXAMPLES = """\b
Examples:
  hsigeo explain scene.safetensors --plot classes.png --csv evidence.csv
  hsigeo explain map.tif --at 383010 5820540
  hsigeo explain map.tif --pixel 120 85 --plot pixel.svg --json pixel.json
  hsigeo explain map.tif --polygon field.gpkg
  hsigeo explain map.tif --layer deciding_nm.tif
  hsigeo explain scene.safetensors --scene other.hdr --pixel 10 20
"""

MOST_STRETCHES = 6
"""Deciding stretches that a terminal shows; the JSON file has them all."""


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    plot: str | None
    json_path: str | None
    csv_path: str | None
    layer: str | None
    overwrite: bool


@dataclass(frozen=True, kw_only=True)
class _Where:
    """Which pixels: at most one of these."""

    pixel: tuple[int, int] | None
    at: tuple[float, float] | None
    polygon: str | None
    labels_crs: str | None

    @property
    def given(self) -> int:
        return sum(choice is not None for choice in (self.pixel, self.at, self.polygon))


@click.command(epilog=EXAMPLES)
@click.argument("subject", metavar="MODEL|MAP", type=click.Path())
@click.option("--pixel", nargs=2, type=int, metavar="ROW COL", help="A pixel of the scene, counted from 0.")
@click.option("--at", nargs=2, type=float, metavar="X Y", help="The pixel at these coordinates, in the scene's CRS.")
@click.option("--polygon", metavar="FILE", type=click.Path(), help="All pixels under a vector file, taken together.")
@labels_crs_option
@click.option("--scene", metavar="SCENE", type=click.Path(), help="The scene. Default: the one the map names.")
@click.option("--model", "model_path", metavar="MODEL", type=click.Path(), help="Default: the one the map names.")
@click.option("--plot", metavar="FILE", type=click.Path(), help="Write evidence against wavelength: .png, .svg, .pdf.")
@click.option("--csv", "csv_path", metavar="FILE", type=click.Path(), help="Write a table with a row for each band.")
@click.option("--json", "json_path", metavar="FILE", type=click.Path(), help="Write everything as JSON.")
@click.option(
    "--layer", metavar="FILE.tif", type=click.Path(), help="Write the deciding wavelength of every pixel. Slow."
)
@reader_option
@overwrite_option
def explain(
    subject: str,
    pixel: tuple[int, int] | None,
    at: tuple[float, float] | None,
    polygon: str | None,
    labels_crs: str | None,
    scene: str | None,
    model_path: str | None,
    plot: str | None,
    csv_path: str | None,
    json_path: str | None,
    layer: str | None,
    reader: str | None,
    overwrite: bool,
) -> None:
    """Show which wavelengths decide, for each class or for a pixel.

    By default per class: the wavelengths that carry the decision, averaged over its training pixels. With --pixel,
    --at or --polygon: the class and its runner-up, the wavelengths and prototypes that decided between them, and the
    training pixels nearest to those prototypes.
    """
    where = _Where(pixel=pixel, at=at, polygon=polygon, labels_crs=labels_crs)
    if where.given > 1:
        raise click.UsageError("give one of --pixel, --at and --polygon")
    if polygon is None:
        note_unused("labels_crs", "without --polygon FILE")
    outputs = _Outputs(plot=plot, json_path=json_path, csv_path=csv_path, layer=layer, overwrite=overwrite)
    from hsigeo.explanation.sources import find_sources

    found = find_sources(subject, scene=scene, model=model_path)
    _check_outputs(outputs, [path for path in (subject, found.scene, found.model, polygon) if path])
    from hsigeo.model import load_model

    if found.model is None:
        raise ModelNotFoundError(f"{subject} does not say which model made it; give --model FILE")
    model = load_model(found.model)
    if found.model_digest and model.digest != found.model_digest:
        say(
            f"note: {found.model} is not the model that made {subject}; the explanation is of the model, not of the map"
        )
    if found.scene is None and (where.given or layer is not None):
        raise SceneNotFoundError(f"{subject} does not say which scene it is of; give --scene FILE")
    # Whatever can be refused is, before the first output is written; the layer, which takes minutes, is the last.
    deciding = None if layer is None else _plan_layer(model, str(found.scene), reader)
    if where.given:
        _explain_place(model, str(found.scene), where, outputs, reader)
    elif layer is None or outputs.plot or outputs.json_path or outputs.csv_path:
        _explain_classes(model, outputs)
    if deciding is not None:
        _write_layer(deciding, model, str(found.scene), outputs)


def _explain_classes(model: Model, outputs: _Outputs) -> None:
    from hsigeo.explanation import explain_model

    found = explain_model(model)
    click.echo(
        "deciding wavelengths of each class; + is evidence for it against all others, in log-odds, mean of its pixels"
    )
    for entry in found.classes:
        click.echo(f"{shorten(entry.entry.name)} ({entry.pixels} training pixels)")
        _echo_stretches(entry.stretches, found.bands)
    if outputs.plot is not None:
        _plot_classes(found, outputs)
    if outputs.json_path is not None:
        write_json(outputs.json_path, found.to_json(), overwrite=outputs.overwrite)
    columns: dict[str, Iterable[Any]] = {
        "band": range(1, found.bands.count + 1),
        "wavelength_nm": _wavelengths(found.bands),
    }
    for entry in found.classes:
        name = entry.entry.name
        columns[f"evidence {name}"] = entry.evidence.tolist()
        columns[f"evidence spread {name}"] = entry.spread.tolist()
        if entry.mean is not None and entry.deviation is not None:
            columns[f"mean {name}"], columns[f"spread {name}"] = entry.mean.tolist(), entry.deviation.tolist()
    _write_csv(columns, outputs)


def _plan_layer(model: Model, scene_path: str, reader: str | None) -> xr.DataArray:
    """The layer, not computed yet: a scene that lacks the model's bands is refused here."""
    from hsigeo.explanation import deciding_wavelength
    from hsigeo.io import mark_dead_bands, open_scene

    return deciding_wavelength(mark_dead_bands(open_scene(scene_path, reader=reader)), model)


def _write_layer(found: xr.DataArray, model: Model, scene_path: str, outputs: _Outputs) -> None:
    import dask

    from hsigeo.explanation import range_of_bands
    from hsigeo.io import write_float_layer

    origin = {"HSIGEO_SCENE": scene_path, "HSIGEO_MODEL_SHA256": model.digest}
    with dask.config.set(scheduler="synchronous"), progress_bar(f"explain {Path(scene_path).name}", "px") as show:
        write_float_layer(
            found,
            str(outputs.layer),
            ramp=range_of_bands(model),
            metadata=origin,
            overwrite=outputs.overwrite,
            progress=show,
        )
    say(f"{outputs.layer}: {found.name} of {found.sizes['y']} x {found.sizes['x']} pixels")


def _explain_place(model: Model, scene_path: str, where: _Where, outputs: _Outputs, reader: str | None) -> None:
    from hsigeo.explanation import explain, explain_area, pixel_at, read_area
    from hsigeo.io import mark_dead_bands, open_scene

    scene = mark_dead_bands(open_scene(scene_path, reader=reader))
    counts: dict[str, int] = {}
    if where.polygon is not None:
        spectra, under = read_area(scene, model, where.polygon, crs=where.labels_crs)
        found, counts = explain_area(model, spectra)
        place = f"{where.polygon}: {under} pixels" + (f", {len(spectra)} explained" if under > len(spectra) else "")
    else:
        row, col = where.pixel or pixel_at(scene, *(where.at or (0.0, 0.0)))
        found = explain(model, scene, row=[row], col=[col])[0]
        place = f"row {row}, column {col}"
    click.echo(f"{scene_path}, {place}")
    if counts:
        click.echo("  " + ", ".join(f"{shorten(name)} {count}" for name, count in counts.items()))
    _echo_pixel(found)
    if outputs.plot is not None:
        _plot_pixel(model, found, place, outputs)
    document = {
        "scene": scene_path,
        "model_sha256": model.digest,
        "place": place,
        "pixels_of_class": counts,
        "wavelength_nm": _wavelengths(found.bands),
        **found.to_json(),
    }
    if outputs.json_path is not None:
        write_json(outputs.json_path, document, overwrite=outputs.overwrite)
    columns: dict[str, Iterable[Any]] = {
        "band": range(1, found.bands.count + 1),
        "wavelength_nm": _wavelengths(found.bands),
        "reflectance": found.spectrum.tolist(),
        "evidence": found.evidence.tolist(),
    }
    _write_csv(columns, outputs)


def _echo_pixel(found: PixelExplanation) -> None:
    name, other = shorten(found.entry.name), shorten(found.runner_up.name)
    click.echo(f"  class      {name}, probability {found.probability:.1%}")
    click.echo(f"  runner-up  {other}, {found.runner_up_probability:.1%}; margin {found.margin:.1%}")
    click.echo(f"  evidence for {name} rather than {other}, in log-odds (+ is for):")
    _echo_stretches(found.stretches, found.bands)
    for prototype in found.prototypes:
        classes = ", ".join(f"{shorten(name)} {share:.0%}" for name, share in list(prototype.classes.items())[:3])
        side = "for" if prototype.vote >= 0 else "against"
        click.echo(
            f"  prototype {prototype.number} ({classes or 'not known'}): weight {prototype.weight:.1%}, evidence {side}"
        )
        for pixel in prototype.nearest:
            click.echo(
                f"    near it: {shorten(pixel.class_name)} in {pixel.scene}, row {pixel.row}, column {pixel.col} "
                f"(label group {pixel.group})"
            )


def _echo_stretches(stretches: Sequence[Stretch], bands: BandTable) -> None:
    unit = "band" if bands.wavelength is None else "nm"
    if not stretches:
        click.echo("    no wavelength stands out")
    for stretch in stretches[:MOST_STRETCHES]:
        ends = dict.fromkeys((f"{stretch.first:.0f}", f"{stretch.last:.0f}"))
        place = f"{'-'.join(ends)} {unit}"
        click.echo(f"    {place:<16} {stretch.share:>4.0%} of the evidence for it ({stretch.evidence:+.2f})")


def _plot_classes(found: ModelExplanation, outputs: _Outputs) -> None:
    from hsigeo.plots.explanation import MOST_PANELS, EvidencePanel, draw_evidence
    from hsigeo.plots.fonts import isolate

    if len(found.classes) > MOST_PANELS:
        say(f"note: {outputs.plot} shows the first {MOST_PANELS} of {len(found.classes)} classes; --csv has them all")
    panels = [
        EvidencePanel(
            title=f"{isolate(entry.entry.name)} ({entry.pixels})",
            entry=entry.entry,
            spectrum=entry.mean,
            deviation=entry.deviation,
            evidence=entry.evidence,
            spread=entry.spread,
            chosen=tuple((stretch.first, stretch.last) for stretch in entry.stretches),
        )
        for entry in found.classes
    ]
    title = "evidence for each class against all others (log-odds)"
    draw_evidence(panels, found.bands, str(outputs.plot), title=title, overwrite=outputs.overwrite)


def _plot_pixel(model: Model, found: PixelExplanation, place: str, outputs: _Outputs) -> None:
    from hsigeo.plots.explanation import EvidencePanel, draw_evidence
    from hsigeo.plots.fonts import isolate

    record = model.record
    index = model.card.classes.entries.index(found.runner_up)
    panel = EvidencePanel(
        title=f"{isolate(found.entry.name)} {found.probability:.0%}, not {isolate(found.runner_up.name)} "
        f"{found.runner_up_probability:.0%}",
        entry=found.entry,
        spectrum=found.spectrum,
        evidence=found.evidence,
        chosen=tuple((stretch.first, stretch.last) for stretch in found.stretches),
        other=None if record is None else record.class_mean[index],
        other_entry=None if record is None else found.runner_up,
    )
    draw_evidence([panel], found.bands, str(outputs.plot), title=place, overwrite=outputs.overwrite)


def _check_outputs(outputs: _Outputs, inputs: Sequence[str]) -> None:
    """Refuse early what would be refused at the end."""
    if outputs.plot is not None:
        from hsigeo.plots import check_figure

        check_figure(outputs.plot, overwrite=outputs.overwrite)
    given = (outputs.plot, outputs.json_path, outputs.csv_path, outputs.layer)
    written = [path for path in given if path is not None]
    if len({Path(path).resolve() for path in written}) < len(written):
        raise click.UsageError("two of --plot, --csv, --json and --layer name the same file")
    if outputs.layer is not None:
        from hsigeo.io.sidecars import qml_path

        written.append(str(qml_path(Path(outputs.layer))))
    check_documents(written, inputs, overwrite=outputs.overwrite)


def _write_csv(columns: dict[str, Iterable[Any]], outputs: _Outputs) -> None:
    if outputs.csv_path is None:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(outputs.csv_path, text.getvalue(), overwrite=outputs.overwrite)


def _wavelengths(bands: BandTable) -> list[float | None]:
    return [None] * bands.count if bands.wavelength is None else bands.wavelength.tolist()
