"""The inputs of commands that train: scenes and labels, or a spectral library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hsigeo.cli.options import (
    combine,
    encoding_option,
    field_option,
    labels_crs_option,
    layer_option,
    reader_option,
    say,
)

if TYPE_CHECKING:
    import xarray as xr

    from hsigeo.training import LabelledSpectra

__all__ = ["LabelInput", "read_samples", "training_input_options"]

_labels_option = click.option(
    "--labels",
    metavar="FILE",
    multiple=True,
    required=True,
    type=click.Path(),
    help="Labels: one vector file, CSV of points or spectral library for all scenes, or one label raster per scene "
    "(repeat).",
)
_group_field_option = click.option(
    "--group-field", metavar="NAME", help="Column of a spectral library that says which spectra belong together."
)


training_input_options = combine(
    _labels_option,
    field_option,
    layer_option,
    _group_field_option,
    labels_crs_option,
    encoding_option,
    reader_option,
)
"""What to train on."""


@dataclass(frozen=True, kw_only=True)
class LabelInput:
    """What the user said of the labels.

    Parameters
    ----------
    paths
        One file for all scenes, or one for each.
    field, layer, crs, encoding
        Column and layer; CRS and encoding of a file that does not state them.
    group_field
        Of a spectral library, which has neither layer nor CRS.
    """

    paths: tuple[str, ...]
    field: str | None = None
    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    group_field: str | None = None


def read_samples(
    scenes: tuple[str, ...], labels: LabelInput, reader: str | None, *, unlabelled: bool = False
) -> tuple[LabelledSpectra, dict[str, Any]]:
    """The labelled spectra, with some of the scenes' other pixels if asked, and where they come from.

    Raises
    ------
    click.UsageError
        Scenes, labels and options do not go together.
    """
    from hsigeo.io import is_spectral_library, open_labels
    from hsigeo.training import provenance_of, read_labelled_spectra
    from hsigeo.training.unlabelled import MOST_PIXELS

    opened = [_open_scene(scene, reader) for scene in scenes]
    if is_spectral_library(labels.paths[0]):
        return _read_library(opened, labels)
    if not scenes:
        raise click.UsageError("give the scenes that the labels lie on; only a spectral library needs none")
    if len(labels.paths) not in (1, len(scenes)):
        raise click.UsageError(f"{len(scenes)} scenes and {len(labels.paths)} label files: give one, or one per scene")
    if labels.group_field is not None:
        raise click.UsageError("--group-field is for spectral libraries; polygons are groups by themselves")
    sources = [
        open_labels(path, field=labels.field, layer=labels.layer, crs=labels.crs, encoding=labels.encoding)
        for path in labels.paths
    ]
    per_scene = sources * len(opened) if len(sources) == 1 else sources
    samples = read_labelled_spectra(opened, per_scene, unlabelled=MOST_PIXELS if unlabelled else 0)
    return samples, provenance_of(opened, [source.path for source in per_scene])


def _open_scene(path: str, reader: str | None) -> xr.DataArray:
    """A scene, once what is odd about it has been said."""
    from hsigeo.io import mark_dead_bands, open_cube, scene_of
    from hsigeo.io.doctor.examination import find_doubts

    cube = open_cube(path, reader=reader)
    scene: xr.DataArray = mark_dead_bands(scene_of(cube))
    for remark in [*scene.attrs["repairs"], *find_doubts(cube)]:
        say(f"{scene.attrs['source']}: {remark}")
    return scene


def _read_library(scenes: list[xr.DataArray], labels: LabelInput) -> tuple[LabelledSpectra, dict[str, Any]]:
    from hsigeo.io import open_spectral_library
    from hsigeo.training import provenance_of, spectra_of_library

    if len(labels.paths) > 1 or len(scenes) > 1:
        raise click.UsageError("a spectral library teaches one model: give one library, and at most one scene")
    if labels.layer is not None:
        raise click.UsageError("--layer is for vector files; a spectral library has none")
    library = open_spectral_library(
        labels.paths[0], field=labels.field, group_field=labels.group_field, encoding=labels.encoding
    )
    return spectra_of_library(library, scenes[0] if scenes else None), provenance_of(scenes, [library.path])
