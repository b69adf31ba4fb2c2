"""How far a class map agrees with reference labels.

Maps and labels number their classes as they please, so classes are matched by name, whatever the case of the letters;
by id only where names do not help (a map or label file that has numbers for names).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.areas import AreaEstimate, estimate_areas
from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.fingerprint import fingerprint
from hsigeo.intervals import AccuracyIntervals, measure_intervals, tally_units
from hsigeo.io.class_areas import measure_class_areas
from hsigeo.io.class_raster import ClassRaster, open_map
from hsigeo.io.labels import RasterLabels, VectorLabels, open_labels
from hsigeo.io.labels.misplaced import ADVICE
from hsigeo.labels import LabelReport, LabelSource
from hsigeo.messages import name_some
from hsigeo.metrics import Accuracy, confusion_matrix
from hsigeo.progress import Progress

__all__ = ["ClassMatch", "Evaluation", "evaluate", "match_classes"]

_READ_PIXELS = 1 << 24

_BLOCKS = 64
"""A reference raster is divided into at most so many blocks along each side; each is one unit of ground."""

_LEAST_BLOCK = 10
"""Pixels along a block's side: neighbours nearer than that share light, instrument and often the ground itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pixels:
    """Labelled pixels, and (pixel,) which unit of ground each belongs to, from 0."""

    row: NDArray[np.int64]
    col: NDArray[np.int64]
    class_id: NDArray[np.int32]
    unit: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ClassMatch:
    """Which class of the labels is which class of the map.

    Parameters
    ----------
    names
        The classes of both sides, those of the labels first; rows and columns of the confusion matrix.
    reference, mapped
        Class id → position in `names`, from 1.
    only_in_labels, only_in_map
        Names that the other side does not know.
    """

    names: tuple[str, ...]
    reference: Mapping[int, int]
    mapped: Mapping[int, int]
    only_in_labels: tuple[str, ...]
    only_in_map: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Accuracy, and what must be known to trust it.

    Parameters
    ----------
    accuracy
        The figures.
    match
        How classes were matched.
    report
        What became of the labels on their way onto the map's grid.
    on_training_labels
        Whether the label file is one that the map's model was trained on: then the figures are optimistic.
    notes
        Sentences about what makes the figures less than they seem.
    intervals
        95 % confidence intervals of the figures, polygons or blocks of a reference raster counted as units.
    areas
        Accuracy and class areas by area, or `None`.
    area_note
        Why there are none, or what they assume.
    """

    accuracy: Accuracy
    match: ClassMatch
    report: LabelReport
    on_training_labels: bool
    notes: tuple[str, ...]
    intervals: AccuracyIntervals
    areas: AreaEstimate | None
    area_note: str

    def __repr__(self) -> str:
        low, high = self.intervals.overall
        return (
            f"<evaluation of {self.accuracy.total} pixels: overall accuracy {self.accuracy.overall:.1%} "
            f"({low:.1%} to {high:.1%}), average {self.accuracy.average:.1%}"
            f"{'; on labels the model was trained on' if self.on_training_labels else ''}>"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            **self.accuracy.to_json(),
            "confidence_intervals": self.intervals.to_json(self.accuracy.names),
            "area_adjusted": None if self.areas is None else self.areas.to_json(),
            "area_note": self.area_note,
            "classes_only_in_labels": list(self.match.only_in_labels),
            "classes_only_in_map": list(self.match.only_in_map),
            "labels": dict(vars(self.report)),
            "on_training_labels": self.on_training_labels,
            "notes": list(self.notes),
        }


def evaluate(
    map_path: str | os.PathLike[str],
    labels: str | os.PathLike[str] | LabelSource,
    *,
    field: str | None = None,
    layer: str | None = None,
    labels_crs: str | None = None,
    encoding: str | None = None,
    areas: bool = True,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare a class map with reference labels.

    Only the rows of the map that hold labels are read, a few MB at a time; and all of it once more for the areas.

    Parameters
    ----------
    map_path
        The class map.
    labels
        Label file, or an open one.
    field, layer, labels_crs, encoding
        For a label file: the column that holds the class, the layer, and the CRS and encoding of a file that does not
        state them.
    areas
        Also estimate accuracy and class areas by area (Olofsson et al. 2014).
    progress
        Called with (rows read, rows in all) while the areas are measured.

    Returns
    -------
    Evaluation
        Neither unlabelled pixels nor those on which the map says nothing (0) count; of the latter a note says how
        many there are.

    Raises
    ------
    LabelError
        No label falls on the map, no class is on both sides, or one of the files cannot be read.
    """
    if not isinstance(map_path, str | os.PathLike):
        raise LabelError(
            f"a map is evaluated from its file; write it with write_map first: this is a {type(map_path).__name__}"
        )
    class_map = open_map(os.fspath(map_path))
    source = labels
    if isinstance(source, str | os.PathLike):
        source = open_labels(source, field=field, layer=layer, crs=labels_crs, encoding=encoding)
    match = match_classes(source.classes, class_map.classes)
    if len(match.only_in_labels) == len(source.classes):
        raise LabelError(
            f"{class_map.path} and {source.path} have no class in common: the map has "
            f"{_listing(class_map.classes.names)}, the labels {_listing(source.classes.names)}; "
            "another --field may hold the map's names"
        )
    report, units, pixels = _labelled_pixels(source, class_map)
    accuracy, intervals = _compare(class_map, match, units, pixels)
    if not accuracy.confusion.any():
        why = source.explain_miss(class_map.grid) if isinstance(source, VectorLabels) else ADVICE
        raise LabelError(f"{source.path}: no label falls on {class_map.path}; {why}")
    on_training_labels = _is_known(source, class_map)
    estimate, area_note = None, "not asked for"
    if on_training_labels:
        area_note = "the map's model was trained on these labels, so its errors are not known"
    elif areas:
        estimate, area_note = _estimate_areas(accuracy, intervals, class_map, match, progress)
    return Evaluation(
        accuracy=accuracy,
        match=match,
        report=report,
        on_training_labels=on_training_labels,
        notes=(*_notes(accuracy, match, report), *_about_unknown(class_map)),
        intervals=intervals,
        areas=estimate,
        area_note=area_note,
    )


def _compare(
    class_map: ClassRaster, match: ClassMatch, units: int, pixels: Iterable[_Pixels]
) -> tuple[Accuracy, AccuracyIntervals]:
    count = len(match.names)
    confusion = np.zeros((count, count + 1), dtype=np.int64)
    tally = np.zeros((3, units, count), dtype=np.int64)
    to_reference, to_mapped = _lookup(match.reference), _lookup(match.mapped)
    for found in pixels:
        for part in _parts(found.row, class_map):
            reference = to_reference[found.class_id[part]]
            mapped = to_mapped[_values_at(class_map, found.row[part], found.col[part])]
            confusion += confusion_matrix(reference, mapped, count)
            tally += tally_units(reference, mapped, found.unit[part], shape=(units, count))
    accuracy = Accuracy(names=match.names, confusion=confusion)
    return accuracy, measure_intervals(accuracy, tally)


def _estimate_areas(
    accuracy: Accuracy,
    intervals: AccuracyIntervals,
    class_map: ClassRaster,
    match: ClassMatch,
    progress: Progress | None,
) -> tuple[AreaEstimate | None, str]:
    """The area-adjusted figures, and what they assume; or why there are none."""
    found = measure_class_areas(class_map, progress=progress)
    mapped = np.zeros(len(match.names))
    for number, area in found.by_id.items():
        if number in match.mapped:
            mapped[match.mapped[number] - 1] = area
    try:
        estimate = estimate_areas(accuracy.confusion[:, :-1], mapped, names=match.names, unit=found.unit)
    except ValueError as error:
        return None, str(error)
    design = (
        "valid if the reference pixels were drawn at random, from the whole map or from each mapped class"
        if intervals.units == "pixels"
        else "NOT valid as they stand: the reference comes in pieces (polygons, or a raster), whose pixels are no "
        "random sample; draw points at random within each mapped class for figures to report"
    )
    return estimate, f"{design}; {found.note}" if found.note else design


def match_classes(reference: ClassTable, mapped: ClassTable) -> ClassMatch:
    """Pair the classes of two tables.

    | pass | a class of the labels takes the class of the map with |
    |------|--------------------------------------------------------|
    | 1    | the same name                                          |
    | 2    | the same name but for the case of letters              |
    | 3    | the same id, where one of the two has its id for a name |

    A class is paired once, and in pass 2 only where no other class of its side has that name.
    """
    pairs: dict[int, int] = {}
    for spell in (str, str.casefold):
        left = _unique((spell(e.name), e.id) for e in reference if e.id not in pairs)
        right = _unique((spell(e.name), e.id) for e in mapped if e.id not in pairs.values())
        pairs |= {left[name]: right[name] for name in left if name in right}
    by_id = {entry.id: entry for entry in mapped if entry.id not in pairs.values()}
    for entry in reference:
        other = by_id.get(entry.id)
        if entry.id not in pairs and other and str(entry.id) in (entry.name, other.name):
            pairs[entry.id] = entry.id
    return _make_match(reference, mapped, pairs)


def _make_match(reference: ClassTable, mapped: ClassTable, pairs: Mapping[int, int]) -> ClassMatch:
    names: list[str] = []
    reference_position, mapped_position = {}, {}
    map_names = {entry.id: entry.name for entry in mapped}
    for position, entry in enumerate(reference, start=1):
        partner = pairs.get(entry.id)
        # A number is no name if the other side knows a better one.
        better = partner is not None and entry.name == str(entry.id)
        names.append(map_names[partner] if partner is not None and better else entry.name)
        reference_position[entry.id] = position
        if partner is not None:
            mapped_position[partner] = position
    unpaired = [entry for entry in mapped if entry.id not in mapped_position]
    for position, entry in enumerate(unpaired, start=len(names) + 1):
        names.append(entry.name if entry.name not in names else f"{entry.name} (map)")
        mapped_position[entry.id] = position
    return ClassMatch(
        names=tuple(names),
        reference=reference_position,
        mapped=mapped_position,
        only_in_labels=tuple(entry.name for entry in reference if entry.id not in pairs),
        only_in_map=tuple(entry.name for entry in unpaired),
    )


def _unique(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Name to id, without the names that occur twice."""
    found: dict[str, int] = {}
    twice = set()
    for name, number in items:
        if name in found:
            twice.add(name)
        found[name] = number
    return {name: number for name, number in found.items() if name not in twice}


def _lookup(position: Mapping[int, int]) -> NDArray[np.int64]:
    """Class id → position in the matrix, as an array; ids that no table knows become 0."""
    table = np.zeros(65_536, dtype=np.int64)
    for number, place in position.items():
        table[number] = place
    return table


def _labelled_pixels(source: LabelSource, class_map: ClassRaster) -> tuple[LabelReport, int, Iterator[_Pixels]]:
    """What became of the labels, the number of units of ground, and the pixels."""
    grid = class_map.grid
    if isinstance(source, RasterLabels):
        # Every pixel of a reference raster may be labelled, so it is read strip by strip.
        side = max(_LEAST_BLOCK, -(-max(grid.lines, grid.samples) // _BLOCKS))
        across = -(-grid.samples // side)
        strips = (
            _Pixels(row=row, col=col, class_id=class_id, unit=row // side * across + col // side)
            for row, col, class_id in source.strips_on(grid, most=grid.lines * grid.samples)
        )
        return LabelReport(), -(-grid.lines // side) * across, strips
    found = source.on(grid)
    unit = np.unique(found.group, return_inverse=True)[1].ravel()
    pixels = _Pixels(row=found.row, col=found.col, class_id=found.class_id, unit=unit)
    return found.report, int(unit.max(initial=-1)) + 1, iter([pixels])


def _parts(row: NDArray[np.int64], class_map: ClassRaster) -> Iterator[slice]:
    """Cut pixels (in row-major order) where more of the map than memory should hold would lie between."""
    height = max(1, _READ_PIXELS // class_map.grid.samples)
    height = max(1, height // class_map.block_rows) * class_map.block_rows
    band = row // height
    edges = np.flatnonzero(np.diff(band)) + 1
    for start, stop in zip([0, *edges], [*edges, len(row)], strict=True):
        if stop > start:
            yield slice(int(start), int(stop))


def _values_at(class_map: ClassRaster, row: NDArray[np.int64], col: NDArray[np.int64]) -> NDArray[np.int32]:
    top, left = int(row[0]), int(col.min())
    window = class_map.read(slice(top, int(row[-1]) + 1), slice(left, int(col.max()) + 1))
    return window[row - top, col - left]


def _is_known(source: LabelSource, class_map: ClassRaster) -> bool:
    """Whether the map says that its model was trained on this very file."""
    return Path(source.path).is_file() and _mentions(class_map.metadata, fingerprint(source.path))


def _notes(accuracy: Accuracy, match: ClassMatch, report: LabelReport) -> Iterator[str]:
    missing = int(accuracy.unclassified.sum())
    if missing:
        yield f"{missing} labelled pixels are nodata or unclassified in the map and do not count"
    for names, where in ((match.only_in_labels, "labels"), (match.only_in_map, "map")):
        if names:
            yield f"classes only in the {where}: {_listing(names)}"
    counted = report.unused("the map")
    if counted:
        yield f"labels not used: {', '.join(counted)}"
    if invalid := report.about_invalid():
        yield invalid


def _about_unknown(class_map: ClassRaster) -> Iterator[str]:
    """What a map says that leaves pixels unclassified on purpose."""
    match class_map.metadata.get("unknown"):
        case {"rate": float(rate), "pixels": int(pixels)}:
            yield (
                f"the map leaves {pixels} pixels unclassified that are unlike the training data (--unknown {rate:g}); "
                "labels on them do not count, so compare coverage as well as accuracy"
            )


def _mentions(document: object, text: str) -> bool:
    """Whether a JSON document holds a text anywhere."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and text in item:
            return True
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
    return False


def _listing(names: Iterable[str]) -> str:
    return name_some(list(names), 20) or "none"
