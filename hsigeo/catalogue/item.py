"""The STAC item of one map.

Item, common metadata and bands: STAC 1.1.0. Fields of extensions are those of the versions in `EXTENSIONS`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rasterio.crs import CRS

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.grid import Grid
from hsigeo.line_names import acquisition_interval, stems_beside_map
from hsigeo.lines.footprint import Footprint

__all__ = ["EXTENSIONS", "STAC_VERSION", "MapRecord", "classes_as_stac", "item_path", "make_item"]

_CHANGING = ("log",)
"""What may be added to after the catalogue was written."""

STAC_VERSION = "1.1.0"
_AT = "https://stac-extensions.github.io"
EXTENSIONS = {
    "projection": f"{_AT}/projection/v2.0.0/schema.json",
    "classification": f"{_AT}/classification/v2.0.0/schema.json",
    "processing": f"{_AT}/processing/v1.2.0/schema.json",
    "raster": f"{_AT}/raster/v2.0.0/schema.json",
    "file": f"{_AT}/file/v2.1.0/schema.json",
}

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
GEOTIFF = "image/tiff; application=geotiff"

_HASHED_BYTES = 64 << 20
"""Larger files, probabilities above all, get their size and no checksum: hundreds of them would take hours to read."""
_SHA2_256 = "1220"
"""How a multihash says "SHA-256, 32 bytes"."""

# What may lie beside a map, by what follows its name: key, media type, roles, title.
_BESIDE = (
    ("{stem}_confidence.tif", "confidence", COG, ("data", "confidence"), "Probability of the mapped class"),
    ("{stem}_probabilities.tif", "probabilities", GEOTIFF, ("data", "probability"), "Probability of every class"),
    ("{stem}_lines.tif", "lines", COG, ("data", "lineage"), "Which flight line each pixel is from"),
    ("{stem}_quicklook.png", "quicklook", "image/png", ("thumbnail", "overview"), "Picture of the scene"),
    ("{name}.qml", "style", "application/xml", ("metadata", "style"), "Names and colours for QGIS"),
    ("{name}.tif.aux.xml", "names", "application/xml", ("metadata",), "Names and colours for GDAL"),
    ("{name}.log", "log", "text/plain", ("metadata",), "Log of the classification"),
)


@dataclass(frozen=True, kw_only=True)
class MapRecord:
    """What an item is made from.

    Parameters
    ----------
    path
        The map.
    grid, classes, metadata
        As the map states them.
    dtype
        Of its values.
    footprint
        `None` where it has no place on the Earth.
    """

    path: Path
    grid: Grid
    classes: ClassTable
    metadata: Mapping[str, Any]
    dtype: str
    footprint: Footprint | None


def item_path(map_path: Path) -> Path:
    """Where the item of a map lies: beside it. No other file of hsigeo ends in ``.stac.json``."""
    return map_path.with_suffix(".stac.json")


def make_item(record: MapRecord, collection: str) -> dict[str, Any]:
    """The item as JSON values. Every address in it is relative to the item itself.

    Parameters
    ----------
    collection
        Id of the collection in ``collection.json`` in the same folder.
    """
    footprint = record.footprint
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": list(EXTENSIONS.values()),
        "id": record.path.stem,
        "geometry": None if footprint is None else footprint.geometry,
    }
    if footprint is not None:
        item["bbox"] = list(footprint.bbox)
    return item | {
        "properties": _times(record) | _projection(record.grid) | _processing(record.metadata),
        "links": [
            {"rel": rel, "href": "./collection.json", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
        "assets": _assets(record),
        "collection": collection,
    }


def classes_as_stac(classes: ClassTable) -> list[dict[str, Any]]:
    """``classification:classes``: value 0 first, then every class with a name for programs and a title for people."""
    taken = {"unclassified"}
    described: list[dict[str, Any]] = [
        {
            "value": 0,
            "name": "unclassified",
            "title": "unclassified",
            "description": "No data, or no class",
            "nodata": True,
        }
    ]
    for entry in classes:
        name = _name_for_programs(entry)
        if name in taken:
            name = f"{name}-{entry.id}"
        taken.add(name)
        described.append(
            {
                "value": entry.id,
                "name": name,
                "title": entry.name,
                "description": entry.name,
                "color_hint": "{:02X}{:02X}{:02X}".format(*entry.color),
            }
        )
    return described


def _name_for_programs(entry: ClassEntry) -> str:
    """Letters, digits, ``-`` and ``_`` only, as the classification extension has it from version 2 on."""
    plain = unicodedata.normalize("NFKD", entry.name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    name = re.sub(r"[^0-9A-Za-z_]+", "-", plain).strip("-").lower()
    return name or f"class-{entry.id}"


def _times(record: MapRecord) -> dict[str, Any]:
    """The acquisition time, from the scene's name; else the time the map was made, with a field that says so."""
    written = datetime.fromtimestamp(record.path.stat().st_mtime, UTC).replace(microsecond=0)
    names = [record.metadata.get("scene"), *_scenes(record.metadata), record.path.stem]
    intervals = [acquisition_interval(name) for name in names if isinstance(name, str) and name]
    known = [interval for interval in intervals if interval is not None]
    times: dict[str, Any] = {"created": _rfc3339(written)}
    if not known:
        return times | {"datetime": _rfc3339(written), "hsigeo:datetime_is": "when the map was written"}
    first, last = min(start for start, _ in known), max(stop for _, stop in known)
    if first == last:
        return times | {"datetime": _rfc3339(first)}
    return times | {"datetime": None, "start_datetime": _rfc3339(first), "end_datetime": _rfc3339(last)}


def _scenes(metadata: Mapping[str, Any]) -> list[Any]:
    """The scenes of all lines of a mosaic."""
    lines = metadata.get("lines")
    return [line.get("scene") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def derived_from(record: MapRecord, items: Mapping[str, str]) -> list[dict[str, str]]:
    """Links from a mosaic to the items of the maps it was made from.

    Parameters
    ----------
    items
        File names of the maps in the folder, and the addresses of their items. A tag may name anything; what is not
        here gets no link.
    """
    lines = record.metadata.get("lines")
    named = [line.get("map") for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    known = dict.fromkeys(name for name in named if isinstance(name, str) and name in items)
    return [{"rel": "derived_from", "href": items[name], "type": "application/geo+json"} for name in known]


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _projection(grid: Grid) -> dict[str, Any]:
    if grid.crs is None:
        return {"proj:code": None, "proj:shape": [grid.lines, grid.samples]}
    crs = CRS.from_wkt(grid.crs)
    authority = crs.to_authority()
    described: dict[str, Any] = {
        "proj:code": ":".join(authority) if authority else None,
        "proj:shape": [grid.lines, grid.samples],
    }
    if not authority:
        described["proj:wkt2"] = crs.to_wkt(version="WKT2_2019")
    if grid.has_transform:
        described["proj:transform"] = [float(term) for term in tuple(grid.transform)[:6]]
        corners = [
            grid.transform * corner
            for corner in ((0, 0), (grid.samples, 0), (0, grid.lines), (grid.samples, grid.lines))
        ]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        described["proj:bbox"] = [min(xs), min(ys), max(xs), max(ys)]
    return described


def _processing(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Software, and in words what was done. Whoever wrote the tag may have written anything into it."""
    software = str(metadata.get("software") or "hsigeo")[:100]
    name, _, version = software.partition(" ")
    fields: dict[str, Any] = {
        "processing:level": "L4",
        "processing:software": {name: version or "unknown"},
        "processing:lineage": _lineage(metadata),
    }
    for key in ("model_sha256", "variant", "rule"):
        value = metadata.get(key)
        if isinstance(value, str) and value:
            fields[f"hsigeo:{key}"] = value[:200]
    return fields


def _lineage(metadata: Mapping[str, Any]) -> str:
    kind, lines = metadata.get("kind"), metadata.get("lines")
    if kind is not None and isinstance(lines, list):
        return f"{str(kind)[:40]} of the class maps of {len(lines)} flight lines"
    scene = metadata.get("scene")
    named = f"the scene {Path(scene).name}" if isinstance(scene, str) and scene else "a hyperspectral scene"
    digest = metadata.get("model_sha256")
    model = f" with the model {digest[:12]} (SHA-256)" if isinstance(digest, str) and digest else ""
    return f"class map of {named}{model}"


def _assets(record: MapRecord) -> dict[str, Any]:
    size = max(record.grid.pixel_size) if record.grid.has_transform else None
    described = classes_as_stac(record.classes)
    assets = {
        "map": {
            "href": f"./{record.path.name}",
            "type": COG,
            "title": "Class map",
            "roles": ["data", "classification"],
            "data_type": record.dtype,
            "nodata": 0,
            "classification:classes": described,
            "raster:sampling": "area",
            **({} if size is None else {"raster:spatial_resolution": size}),
            **file_fields(record.path),
        }
    }
    for pattern, key, media_type, roles, title in _BESIDE:
        file = beside(record.path, pattern)
        if file is None:
            continue
        assets[key] = {
            "href": f"./{file.name}",
            "type": media_type,
            "title": title,
            "roles": list(roles),
            **({} if key in _CHANGING else file_fields(file)),
        }
        if key in ("confidence", "probabilities"):
            assets[key] |= {"data_type": "float32", "nodata": "nan", "unit": "1"}
        if key == "probabilities":
            assets[key]["bands"] = [{"name": entry["name"], "description": entry["title"]} for entry in described[1:]]
    return assets


def beside(map_path: Path, pattern: str) -> Path | None:
    """The file of a pattern beside a map, if there is one."""
    for stem in stems_beside_map(map_path):
        file = map_path.with_name(pattern.format(stem=stem, name=map_path.stem))
        if file.is_file() and file != map_path:
            return file
    return None


def file_fields(file: Path) -> dict[str, Any]:
    """Size and checksum."""
    size = file.stat().st_size
    if size > _HASHED_BYTES:
        return {"file:size": size}
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"file:size": size, "file:checksum": _SHA2_256 + digest}


def interval_of(items: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """First and last moment of all items."""
    moments = [
        item["properties"][key]
        for item in items
        for key in ("datetime", "start_datetime", "end_datetime")
        if item["properties"].get(key)
    ]
    return min(moments), max(moments)
