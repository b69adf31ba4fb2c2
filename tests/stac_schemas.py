"""What the extensions' specifications ask of the fields hsigeo writes, as JSON Schemas in our own words.

The published schemas are on a server; the tests go to none. Core schemas ship with pystac.
"""

from __future__ import annotations

from typing import Any

NUMBERS = {"type": "array", "items": {"type": "number"}}

CLASSES = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": {
        "type": "object",
        "required": ["value", "name"],
        "properties": {
            "value": {"type": "integer"},
            "name": {"type": "string", "pattern": "^[0-9A-Za-z_-]+$"},
            "title": {"type": "string"},
            "description": {"type": "string"},
            "color_hint": {"type": "string", "pattern": "^[0-9A-Fa-f]{6}$"},
            "nodata": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
}

PROPERTIES: dict[str, dict[str, Any]] = {
    "proj:code": {"type": ["string", "null"], "pattern": "^[A-Z]+:[0-9]+$"},
    "proj:wkt2": {"type": ["string", "null"]},
    "proj:bbox": {**NUMBERS, "minItems": 4, "maxItems": 4},
    "proj:shape": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    "proj:transform": {**NUMBERS, "minItems": 6, "maxItems": 6},
    "processing:level": {"type": "string"},
    "processing:lineage": {"type": "string"},
    "processing:software": {"type": "object", "additionalProperties": {"type": "string"}},
}

ASSET: dict[str, dict[str, Any]] = {
    "classification:classes": CLASSES,
    "raster:sampling": {"enum": ["area", "point"]},
    "raster:spatial_resolution": {"type": "number", "exclusiveMinimum": 0},
    "file:size": {"type": "integer", "minimum": 0},
    "file:checksum": {"type": "string", "pattern": "^1220[0-9a-f]{64}$"},
    "href": {"type": "string", "pattern": "^\\./[^/]+$"},  # relative, and in this folder
}


def closed(fields: dict[str, dict[str, Any]], prefixes: tuple[str, ...]) -> dict[str, Any]:
    """An object that has no field with these prefixes beside those listed."""
    return {
        "type": "object",
        "properties": fields,
        "patternProperties": {f"^(?!({'|'.join(prefixes)}):)": {}},
        "additionalProperties": False,
    }


ITEM = {
    "type": "object",
    "required": ["stac_extensions"],
    "properties": {
        "properties": closed(PROPERTIES, ("proj", "processing")),
        "assets": {
            "type": "object",
            "additionalProperties": closed(ASSET, ("classification", "raster", "file")),
        },
    },
}
