"""Labelled spectra out of scenes: the pixels under the labels, on bands that all scenes share.

Memory holds the labelled pixels and one chunk of a scene at a time, whatever the size of the scenes. Asked for, a
bounded sample of the scenes' other pixels comes with them (`hsigeo.training.unlabelled`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hsigeo.band_matching import match_bands
from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError, TrainingError
from hsigeo.io.fill import describe_fill, find_fill
from hsigeo.io.labels.merging import merge_class_tables, relabel
from hsigeo.io.labels.misplaced import ADVICE
from hsigeo.io.labels.swath import labels_on
from hsigeo.io.labels.vector import VectorLabels
from hsigeo.labels import GroupKind, LabelledPixels, LabelReport, LabelSource
from hsigeo.scene import check_scene, grid_of, spectral_axis
from hsigeo.training.unlabelled import Place, UnlabelledSpectra, choose_places, gather, wanted

__all__ = ["LabelledSpectra", "SampleReport", "read_labelled_spectra"]

MOSTLY = 0.5
"""A band that is invalid in more than this share of the labelled pixels is left out, rather than the pixels."""


@dataclass(frozen=True, kw_only=True)
class SampleReport:
    """What was read of one scene, and what could not be used.

    Parameters
    ----------
    scene
        Where the scene was read from.
    pixels
        Labelled pixels used.
    pixels_on_nodata
        Labelled pixels where the scene has no valid spectrum; not used.
    labels
        What happened on the way from the label file to the grid.
    pixels_on_fill
        Labelled pixels that hold a fill value which is not declared as no data; not used.
    """

    scene: str
    pixels: int
    pixels_on_nodata: int
    labels: LabelReport
    pixels_on_fill: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledSpectra:
    """Training material: spectra with class, and what keeps them apart in validation.

    Parameters
    ----------
    spectra
        (pixel, band) float32, reflectance 0-1, finite.
    class_id
        (pixel,) int32, ids of `classes`.
    group
        (pixel,) int64; pixels of one group (a polygon, a patch of a label raster) are not independent.
    group_kind
        ``feature`` or ``patch``: what a group is.
    scene
        (pixel,) int32, which scene, from 0.
    row, col
        (pixel,) int64, position in that scene.
    classes
        The classes that have at least one pixel.
    bands
        The bands of `spectra`.
    scene_band_count, scene_band_index
        How many bands the first scene has, and which of them (from 0) these are.
    reports
        One per scene.
    notes
        What the person who trains should know: bands and classes left out.
    unlabelled
        Pixels of the scenes without their classes, where they were asked for.
    """

    spectra: NDArray[np.float32]
    class_id: NDArray[np.int32]
    group: NDArray[np.int64]
    scene: NDArray[np.int32]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    classes: ClassTable
    bands: BandTable
    scene_band_count: int
    scene_band_index: NDArray[np.intp]
    group_kind: GroupKind = "feature"
    reports: tuple[SampleReport, ...] = ()
    notes: tuple[str, ...] = field(default=())
    unlabelled: UnlabelledSpectra | None = None

    def __len__(self) -> int:
        return len(self.spectra)

    def __repr__(self) -> str:
        return f"<{len(self)} labelled spectra of {self.bands.count} bands in {len(self.classes)} classes>"

    @property
    def class_index(self) -> NDArray[np.int64]:
        """(pixel,) position of each pixel's class in `classes`, from 0."""
        return np.searchsorted(np.asarray(self.classes.ids), self.class_id)

    def take(self, index: NDArray[np.intp]) -> LabelledSpectra:
        """The pixels at these positions, without unlabelled ones; the class table stays whole."""
        per_pixel = {
            name: getattr(self, name)[index] for name in ("spectra", "class_id", "group", "scene", "row", "col")
        }
        return replace(self, unlabelled=None, **per_pixel)

    def training_part(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> LabelledSpectra:
        """The pixels `train`, and of the unlabelled ones those that tell nothing of the ground of the pixels `test`."""
        part = self.take(train)
        if self.unlabelled is None:
            return part
        there = self.unlabelled.apart_from(self.scene[test], Place(row=self.row[test], col=self.col[test]))
        # A scene of which no pixel is learnt is one that the test is to be about.
        return replace(part, unlabelled=there.take(~np.isin(there.scene, np.setdiff1d(self.scene[test], part.scene))))

    @property
    def counts(self) -> dict[str, int]:
        """Pixels by class name."""
        tally = np.bincount(self.class_index, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes.names, tally, strict=True)}


def read_labelled_spectra(
    scenes: Sequence[xr.DataArray], labels: Sequence[LabelSource], *, unlabelled: int = 0
) -> LabelledSpectra:
    """Read the spectra under the labels.

    Parameters
    ----------
    scenes
        One or more, each ``(band, y, x)``. The first decides the bands: its good ones. The others are matched to
        them by wavelength.
    labels
        One per scene; the same source may serve several.
    unlabelled
        About how many pixels of all scenes together to read besides, whether labelled or not: see
        `hsigeo.training.unlabelled`.

    Raises
    ------
    LabelError
        No label falls on any scene, or all fall on nodata.
    BandMismatchError
        A later scene does not cover the first one's bands.
    TrainingError
        Fewer than two classes are left.
    """
    first = spectral_axis(scenes[0])
    index = np.flatnonzero(first.good)
    if not len(index):
        raise TrainingError(f"{_source(scenes[0])}: every band is marked bad; correct the bad-band list (bbl)")
    bands = first.take(index)
    pixels = _with_common_classes([labels_on(source, scene) for scene, source in zip(scenes, labels, strict=True)])
    if not any(len(found) for found in pixels):
        raise LabelError(_nothing_found(scenes, labels, pixels))
    spectra = [
        _read_spectra(scene, found, others, bands, first.count, index)
        for scene, found, others in zip(scenes, pixels, _choose_others(scenes, pixels, unlabelled), strict=True)
    ]
    samples = _assemble(scenes, labels, pixels, spectra, bands, first.count, index)
    if not unlabelled:
        return samples
    kept = np.isin(index, samples.scene_band_index)
    others = [(part.others[:, kept], part.other_places) for part in spectra]
    return replace(samples, unlabelled=gather(others, wanted(unlabelled, len(scenes))))


def _choose_others(scenes: Sequence[xr.DataArray], pixels: Sequence[LabelledPixels], most: int) -> list[Place]:
    """Pixels to read of each scene without asking for their labels."""
    return [
        choose_places(
            da.asarray(scene.data).chunks[1:], Place(row=found.row, col=found.col), scenes=len(scenes), most=most
        )
        for scene, found in zip(scenes, pixels, strict=True)
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Spectra:
    """What one scene holds under its labels, and elsewhere.

    Parameters
    ----------
    values
        (pixel, band) on the bands of the first scene.
    filled
        (pixel,) whether a pixel holds a fill value that is not declared.
    fill
        What such pixels hold, in words; empty where there are none.
    others
        (pixel, band) of other places, NaN where there is no data or a fill value.
    other_places
        Where these are.
    """

    values: NDArray[np.float32]
    filled: NDArray[np.bool_]
    fill: str
    others: NDArray[np.float32]
    other_places: Place


def _with_common_classes(pixels: Sequence[LabelledPixels]) -> list[LabelledPixels]:
    """The same name is the same class, whatever id each label file gives it."""
    classes, mappings = merge_class_tables([found.classes for found in pixels])
    return [relabel(found, classes, mapping) for found, mapping in zip(pixels, mappings, strict=True)]


def _read_spectra(
    scene: xr.DataArray,
    pixels: LabelledPixels,
    others: Place,
    bands: BandTable,
    count: int,
    index: NDArray[np.intp],
) -> _Spectra:
    """The spectra of the labelled pixels and of others, each chunk of the scene being read once."""
    check_scene(scene)
    own = spectral_axis(scene)
    match = match_bands(bands, own, trained_on_count=count, trained_on_index=index)
    row, col = np.concatenate([pixels.row, others.row]), np.concatenate([pixels.col, others.col])
    if not len(row):
        nothing = np.empty((0, bands.count), dtype=np.float32)
        return _Spectra(values=nothing, filled=np.zeros(0, bool), fill="", others=nothing, other_places=others)
    cube = da.asarray(scene.data)
    both = cube.vindex[:, row, col].compute(scheduler="synchronous")  # (pixel, band)
    found, rest = np.split(np.asarray(both, dtype=np.float32), [len(pixels)])
    good = found[:, own.good].T
    filled = find_fill(good)
    fill = describe_fill(good[:, filled]) if filled.any() else ""
    rest[find_fill(rest[:, own.good].T)] = np.nan
    return _Spectra(
        values=match.apply(found[:, match.used]),
        filled=filled,
        fill=fill,
        others=match.apply(rest[:, match.used]),
        other_places=others,
    )


def _assemble(
    scenes: Sequence[xr.DataArray],
    labels: Sequence[LabelSource],
    pixels: Sequence[LabelledPixels],
    spectra: Sequence[_Spectra],
    bands: BandTable,
    count: int,
    index: NDArray[np.intp],
) -> LabelledSpectra:
    stacked = np.concatenate([part.values for part in spectra])
    filled = np.concatenate([part.filled for part in spectra])
    if filled.all():
        raise LabelError(
            f"all {len(filled)} labelled pixels hold {next(part.fill for part in spectra if part.fill)}: a fill value; "
            "check that labels and scene agree"
        )
    keep_band = np.isfinite(stacked[~filled]).mean(axis=0) >= MOSTLY
    if not keep_band.any():
        raise LabelError(f"all labels fall on nodata pixels of {_source(scenes[0])}; check that labels and scene agree")
    valid = np.asarray(np.isfinite(stacked[:, keep_band]).all(axis=1)) & ~filled
    if not valid.any():
        raise LabelError(f"all {len(valid)} labelled pixels have no valid spectrum (nodata in some band)")
    notes = [*_about_fill(scenes, spectra)]
    if not keep_band.all():
        notes.append(f"{int((~keep_band).sum())} bands are not marked bad but hold no data under the labels; left out")
    scene_number = np.repeat(np.arange(len(scenes), dtype=np.int32), [len(found) for found in pixels])
    class_id = np.concatenate([found.class_id for found in pixels])[valid]
    classes = classes_present(pixels[0].classes, class_id)
    absent = sorted(set(pixels[0].classes.names) - set(classes.names))
    if absent:
        notes.append(f"classes without a usable pixel, left out: {', '.join(absent)}")
    if len(classes) < 2:
        raise TrainingError(
            f"only one class ({classes.names[0]!r}) has usable pixels; a classifier needs labels of at least two"
        )
    return LabelledSpectra(
        spectra=np.ascontiguousarray(stacked[valid][:, keep_band]),
        class_id=class_id,
        group=_distinct_groups(labels, pixels)[valid],
        scene=scene_number[valid],
        row=np.concatenate([found.row for found in pixels])[valid],
        col=np.concatenate([found.col for found in pixels])[valid],
        classes=classes,
        bands=bands.take(np.flatnonzero(keep_band)),
        scene_band_count=count,
        scene_band_index=index[keep_band],
        group_kind="patch" if all(found.group_kind == "patch" for found in pixels) else "feature",
        reports=tuple(
            SampleReport(
                scene=_source(scene),
                pixels=int(valid[scene_number == number].sum()),
                pixels_on_nodata=int((~valid & ~filled)[scene_number == number].sum()),
                labels=found.report,
                pixels_on_fill=int(filled[scene_number == number].sum()),
            )
            for number, (scene, found) in enumerate(zip(scenes, pixels, strict=True))
        ),
        notes=tuple(notes),
    )


def _about_fill(scenes: Sequence[xr.DataArray], spectra: Sequence[_Spectra]) -> Iterator[str]:
    for scene, part in zip(scenes, spectra, strict=True):
        if part.fill:
            yield (
                f"{_source(scene)}: {int(part.filled.sum())} labelled pixels hold {part.fill} and are left out: "
                "apparently a fill value that is not declared as no data (see `hsigeo info`)"
            )


def classes_present(classes: ClassTable, class_id: NDArray[np.int32]) -> ClassTable:
    """The entries of a class table that are used at all."""
    present = set(np.unique(class_id).tolist())
    return ClassTable(tuple(entry for entry in classes if entry.id in present))


def _distinct_groups(labels: Sequence[LabelSource], pixels: Sequence[LabelledPixels]) -> NDArray[np.int64]:
    """Group numbers that do not collide between label files.

    The same polygon of one file, seen in two overlapping flight lines, keeps one number: it is the same ground.
    """
    offsets: dict[int, int] = {}
    groups = []
    next_free = 0
    for source, found in zip(labels, pixels, strict=True):
        offset = offsets.setdefault(id(source), next_free)
        groups.append(found.group + offset)
        next_free = max(next_free, int(groups[-1].max(initial=-1)) + 1)
    return np.concatenate(groups)


def _nothing_found(
    scenes: Sequence[xr.DataArray], labels: Sequence[LabelSource], pixels: Sequence[LabelledPixels]
) -> str:
    where = ", ".join(dict.fromkeys(source.path for source in labels))
    outside = sum(found.report.features_outside for found in pixels)
    if not outside and (classless := max(found.report.features_without_class for found in pixels)):
        return f"{where}: no feature that has a class falls on the scenes; {classless} have none; try another --field"
    if all(isinstance(source, VectorLabels) and not len(source.geometries) for source in labels):
        return f"{where}: holds no features to learn from"
    hint = f" ({outside} features lie outside)" if outside else ""
    source = labels[0]
    why = source.explain_miss(grid_of(scenes[0])) if isinstance(source, VectorLabels) else ADVICE
    return f"{where}: no label falls on {', '.join(_source(scene) for scene in scenes)}{hint}; {why}"


def _source(scene: xr.DataArray) -> Any:
    return scene.attrs.get("source", "the scene")
