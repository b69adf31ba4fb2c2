"""The catalogue of a folder: which rasters are maps, their items, and the collection."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsigeo.atomic import check_output
from hsigeo.catalogue.item import (
    EXTENSIONS,
    STAC_VERSION,
    MapRecord,
    derived_from,
    interval_of,
    item_path,
    make_item,
)
from hsigeo.errors import HsigeoError, OutputError
from hsigeo.io.class_raster import open_map
from hsigeo.io.gdal_errors import GDAL_ERRORS
from hsigeo.io.georeference import open_quietly
from hsigeo.lines.coarse import read_coarse_mask
from hsigeo.lines.footprint import find_footprint
from hsigeo.lines.found_maps import find_maps
from hsigeo.lines.handles import Handles
from hsigeo.progress import Progress
from hsigeo.software import SOFTWARE
from hsigeo.text_files import write_json

__all__ = ["Catalogue", "write_catalogue"]

COLLECTION = "collection.json"
MOST_MAPS = 100_000

_UNREADABLE: tuple[type[Exception], ...] = (HsigeoError, *GDAL_ERRORS)
_NO_PLACE = [-180.0, -90.0, 180.0, 90.0]
# Files of the whole campaign, where they are there: name, key, media type, title.
_OF_CAMPAIGN = (
    ("manifest.json", "manifest", "application/json", "What became of every line"),
    ("summary.csv", "summary", "text/csv", "What became of every line, as a table"),
)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What was written.

    Parameters
    ----------
    path
        The collection.
    items
        One for each map.
    notes
        Maps that have no item, and why.
    """

    path: Path
    items: tuple[Path, ...]
    notes: tuple[str, ...]


def write_catalogue(
    folder: str | os.PathLike[str],
    *,
    title: str | None = None,
    license: str = "other",  # noqa: A002 - STAC's own word
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Catalogue:
    """Write a STAC item beside each map of a folder, and ``collection.json``.

    Maps are the rasters with hsigeo's tag, mosaics included; layers beside them become assets of their items. All
    addresses are relative, so that the folder can be moved. A map that cannot be read is left out and named.

    Parameters
    ----------
    folder
        Folders in it are not looked into.
    title
        Of the collection; default: the folder's name.
    license
        SPDX identifier of the maps' licence, or ``other``.
    overwrite
        Replace an older catalogue.
    progress
        Called with (maps done, maps in all).

    Raises
    ------
    OutputExistsError
        There is a catalogue and `overwrite` is false. Nothing has been written then.
    OutputError
        There is no such folder, no map in it, or a file cannot be written.
    """
    home = Path(folder)
    if not home.is_dir():
        raise OutputError(f"{folder} is not a folder; give the folder of the maps")
    if not re.fullmatch(r"[\w.+-]+", license, re.ASCII):
        raise OutputError(f"{license!r} is not a licence identifier; give one from SPDX (such as CC-BY-4.0), or other")
    maps, notes = _find_maps(home)
    if not maps:
        raise OutputError(f"{folder} holds no map that hsigeo wrote, so there is nothing to catalogue")
    targets = [item_path(path) for path in maps]
    for target in (*targets, home / COLLECTION):
        check_output(target, overwrite=overwrite)
    identifier = _identifier(home)
    found = {path.name: f"./{target.name}" for path, target in zip(maps, targets, strict=True)}
    items, written = [], []
    for number, (path, target) in enumerate(zip(maps, targets, strict=True), start=1):
        try:
            record = _record(path)
            item = make_item(record, identifier)
            item["links"] += derived_from(record, found)
        except _UNREADABLE as error:
            notes.append(f"{path.name} has no item: {error}")
            continue
        write_json(target, item, overwrite=overwrite)
        items.append(item)
        written.append(target)
        if progress is not None:
            progress(number, len(maps))
    if not items:
        raise OutputError(f"none of the {len(maps)} maps in {folder} can be read: {notes[0]}")
    # Last, so that it never names an item that is not there.
    collection = _collection(home, identifier, items, title=title or home.resolve().name or identifier, license=license)
    write_json(home / COLLECTION, collection, overwrite=overwrite)
    return Catalogue(path=home / COLLECTION, items=tuple(written), notes=tuple(notes))


def _find_maps(folder: Path) -> tuple[list[Path], list[str]]:
    """Maps of classes, and what could not be opened."""
    maps, unreadable = find_maps(folder)
    # Which line each pixel is from is a layer of its mosaic, not a map of classes.
    found = [entry.path for entry in maps if entry.kind != "lines"]
    if len(found) > MOST_MAPS:
        raise OutputError(f"{folder} holds {len(found)} maps; {MOST_MAPS} is the most for one catalogue")
    return found, [f"{name} has no item: {why}" for name, why in unreadable.items()]


def _record(path: Path) -> MapRecord:
    raster = open_map(path)
    with open_quietly(path, driver="GTiff") as dataset, Handles() as handles:
        dtype = dataset.dtypes[0]
        footprint = find_footprint(raster.grid, read_coarse_mask(raster, handles))
    return MapRecord(
        path=path,
        grid=raster.grid,
        classes=raster.classes,
        metadata=raster.metadata,
        dtype=dtype,
        footprint=footprint,
    )


def _identifier(folder: Path) -> str:
    """The folder's name, as ids are to be: letters, digits, ``-`` and ``_``."""
    return re.sub(r"[^0-9A-Za-z_-]+", "-", folder.resolve().name).strip("-") or "campaign"


def _collection(
    home: Path,
    identifier: str,
    items: Sequence[dict[str, Any]],
    *,
    title: str,
    license: str,  # noqa: A002
) -> dict[str, Any]:
    boxes = [item["bbox"] for item in items if "bbox" in item]
    links = [{"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"}]
    links += [
        {"rel": "item", "href": f"./{item_path(home / item['id']).name}", "type": "application/geo+json"}
        for item in items
    ]
    document: dict[str, Any] = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EXTENSIONS[name] for name in ("classification", "file")],
        "id": identifier,
        "title": title,
        "description": f"{len(items)} class maps made with {SOFTWARE} from hyperspectral flight lines",
        "license": license,
        "extent": {
            "spatial": {"bbox": [_union(boxes), *(boxes if len(boxes) > 1 else [])]},
            "temporal": {"interval": [list(interval_of(items))]},
        },
        "summaries": {
            "proj:code": sorted({item["properties"]["proj:code"] or "none" for item in items}),
            "hsigeo:model_sha256": sorted({item["properties"].get("hsigeo:model_sha256", "") for item in items} - {""}),
        },
        "item_assets": {
            "map": {
                key: value
                for key, value in items[0]["assets"]["map"].items()
                if key in ("type", "title", "roles", "data_type", "nodata", "raster:sampling")
            }
        },
        "links": links,
        "assets": {
            key: {
                "href": f"./{name}",
                "type": media_type,
                "title": about,
                "roles": ["metadata"],  # no checksum: these go on to change
            }
            for name, key, media_type, about in _OF_CAMPAIGN
            if (home / name).is_file()
        },
    }
    document["summaries"] = {key: values for key, values in document["summaries"].items() if values}
    if _same_classes(items):
        document["item_assets"]["map"]["classification:classes"] = items[0]["assets"]["map"]["classification:classes"]
    return document


def _same_classes(items: Sequence[dict[str, Any]]) -> bool:
    first = items[0]["assets"]["map"]["classification:classes"]
    return all(item["assets"]["map"]["classification:classes"] == first for item in items)


def _union(boxes: Sequence[Sequence[float]]) -> list[float]:
    """The box around all; one that crosses the 180th meridian where that is the shorter way round."""
    if not boxes:
        return _NO_PLACE
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    spans = [(box[0], box[2] if box[2] >= box[0] else box[2] + 360) for box in boxes]
    if any(stop - start >= 360 for start, stop in spans):
        return [-180.0, south, 180.0, north]
    # The widest gap between boxes, going round the Earth, is what the box leaves out.
    order = sorted(spans)
    reach, best = order[0][1], (-1.0, 0.0, 0.0)
    for start, stop in [*order[1:], (order[0][0] + 360, order[0][1] + 360)]:
        best = max(best, (start - reach, start, reach))
        reach = max(reach, stop)
    _, west, east = best
    west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
    return [round(west, 7), south, round(east, 7), north]
