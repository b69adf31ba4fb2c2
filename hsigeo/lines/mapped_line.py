"""A finished map and its companions: probabilities, confidence, view angles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.io.class_raster import ClassRaster, GdalValues, open_map
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly
from hsigeo.io.map_tag import TAG, read_tag
from hsigeo.line_names import line_name_of_map
from hsigeo.lines.companions import Companion, FolderListing, Observation, find_companion, find_observation
from hsigeo.lines.found_maps import tiffs_in
from hsigeo.lines.handles import Handles

__all__ = ["KeptOpen", "MappedLine", "open_lines"]

MADE_OF_MAPS = ("mosaic", "lines", "disagreement")
"""What metadata call rasters that were made from maps and are none of a line."""

MOST_LINES = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedLine:
    """The map of one flight line, opened; its pixels are not in memory.

    Parameters
    ----------
    name
        Of the line, unique among those it is used with.
    raster
        The map.
    probabilities, confidence
        The layers beside it that fit it; `None` where there are none.
    observation
        The angles at which the pixels were seen; `None` where no file says.
    notes
        What was found and not used, as sentences.
    """

    name: str
    raster: ClassRaster
    probabilities: Companion | None = None
    confidence: Companion | None = None
    observation: Observation | None = None
    notes: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        """Size and georeference of the map."""
        return self.raster.grid

    @property
    def path(self) -> Path:
        """The map's file."""
        return Path(self.raster.path)

    def keep_open(self, handles: Handles) -> MappedLine:
        """The same line, read through handles that stay open; read from one thread only."""
        values = self.raster.values
        if not isinstance(values, GdalValues) or values.masked:
            return self
        kept = KeptOpen(handles=handles, path=values.path, driver=values.driver, shape=self.grid.shape)
        return replace(self, raster=replace(self.raster, values=kept))


@dataclass(frozen=True, kw_only=True)
class KeptOpen:
    """Pixels that GDAL reads through handles that stay open."""

    handles: Handles
    path: str
    driver: str
    shape: tuple[int, int]

    def read(self, rows: slice, cols: slice) -> NDArray[Any]:
        """Stored values of a window."""
        windows = [slice(*part.indices(size)[:2]) for part, size in zip((rows, cols), self.shape, strict=True)]
        return self.handles.read(self.path, 1, windows[0], windows[1], self.driver)


def open_lines(
    maps: Sequence[str | Path], *, observations: Iterable[str | Path] = ()
) -> tuple[tuple[MappedLine, ...], tuple[str, ...]]:
    """Open the maps of a campaign.

    Parameters
    ----------
    maps
        Class maps, or folders of them. Layers that `hsigeo classify` wrote beside them, and mosaics of earlier runs,
        are passed over: a folder or a pattern like ``maps/*.tif`` finds them too.
    observations
        Files with view angles, or folders of them, beside those found next to maps and scenes.

    Returns
    -------
    lines
        In the order given.
    notes
        What was passed over, and why.

    Raises
    ------
    LabelError
        A map cannot be read or has no place on the Earth, is given twice, or none is left.
    """
    passed: Counter[str] = Counter()
    kept: dict[Path, Path] = {}
    for path in _expand(maps):
        other = _what_else(path)
        if other is not None:
            passed[other] += 1
        elif path.resolve() in kept:
            raise LabelError(f"{path} is given twice, also as {kept[path.resolve()]}; give each map once")
        else:
            kept[path.resolve()] = path
    if not kept:
        raise LabelError(f"no class map among the {len(maps)} files given; give maps that `hsigeo classify` wrote")
    extra = tuple(Path(path) for path in observations)
    if len(kept) > MOST_LINES:
        raise LabelError(f"{len(kept)} maps are more than the {MOST_LINES} that are laid over each other at a time")
    listing = FolderListing()
    lines = [
        _open_line(path, name, extra, listing) for path, name in zip(kept.values(), _names(kept.values()), strict=True)
    ]
    notes = [f"{count} of the files given: {what}, and skipped" for what, count in passed.items()]
    notes += [note for line in lines for note in line.notes]
    return tuple(lines), tuple(notes)


def _expand(maps: Sequence[str | Path]) -> list[Path]:
    """The files, and the TIFFs of the folders."""
    return [file for path in map(Path, maps) for file in (tiffs_in(path) if path.is_dir() else [path])]


def _open_line(path: Path, name: str, observations: Sequence[Path], listing: FolderListing) -> MappedLine:
    raster = open_map(path)
    _check_placed(raster)
    notes: list[str] = []
    probabilities, note = find_companion(raster, "probabilities")
    notes += note
    confidence, note = find_companion(raster, "confidence")
    notes += note
    observation, note = find_observation(raster, observations, listing)
    notes += note
    return MappedLine(
        name=name,
        raster=raster,
        probabilities=probabilities,
        confidence=confidence,
        observation=observation,
        notes=tuple(notes),
    )


def _check_placed(raster: ClassRaster) -> None:
    grid = raster.grid
    if grid.crs is None:
        raise LabelError(f"{raster.path} has no CRS, so it cannot be laid over other maps; give it one, e.g. gdal_edit")
    if not grid.has_transform or grid.transform.is_degenerate:
        raise LabelError(
            f"{raster.path} has a CRS but no usable transform (at most ground control points); warp it first, "
            "e.g. `gdalwarp -r near`"
        )


def _what_else(path: Path) -> str | None:
    """What a raster is if it is no line's map: a layer beside one, or made from several. `None` for a map."""
    if not path.is_file():
        return None
    try:
        with open_quietly(path, driver="GTiff") as dataset:
            stored = read_tag(dataset.tags().get(TAG))
            if stored is None:
                return None
            if dataset.dtypes[0] == "float32":
                return "layers beside maps"
            kind = stored[1].get("kind")
            return f"made from several maps ({kind})" if kind in MADE_OF_MAPS else None
    except GDAL_ERRORS as error:
        if "not recognized" in reason(error) or "not a TIFF" in reason(error):
            return None
        raise LabelError(f"{path} cannot be read: {reason(error)}; it may be damaged") from error


def _names(paths: Iterable[Path]) -> list[str]:
    """Short names: the file's without ``_map``; with the folder's in front where two would be the same."""
    paths = list(paths)
    names = [line_name_of_map(path) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.resolve().parent.name}/{name}" for path, name in zip(paths, names, strict=True)]
    if len(set(names)) < len(names):
        names = [str(path.with_suffix("")) for path in paths]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, start=1)]
