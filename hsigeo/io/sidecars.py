"""The small files beside a class map that make GIS programs show class names and colours.

``map.tif.aux.xml`` (category names and a thematic raster attribute table) is what GDAL, ArcGIS and QGIS from 3.30 on
read; ``map.qml`` is what every QGIS reads, and lies beside layers of numbers too. The TIFF itself carries the colours
and, as JSON, everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from hsigeo.classes import MAX_CLASSES, ClassTable

__all__ = [
    "RAMP",
    "Category",
    "aux_path",
    "make_aux_xml",
    "make_qml",
    "make_ramp_qml",
    "qml_path",
    "read_categories",
    "xml_text",
]

MAX_SIDECAR_BYTES = 64 << 20

# GDAL's GDALRATFieldType and GDALRATFieldUsage.
_INTEGER, _STRING = 0, 2
_NAME, _MIN_MAX, _RED, _GREEN, _BLUE = 2, 5, 6, 7, 8
_TABLE_COLUMNS = (
    ("Value", _INTEGER, _MIN_MAX),
    ("Class", _STRING, _NAME),
    ("Red", _INTEGER, _RED),
    ("Green", _INTEGER, _GREEN),
    ("Blue", _INTEGER, _BLUE),
)

# Five steps from dark to light that stay in order under every colour vision deficiency and in grey print, as those of
# viridis (Smith and van der Walt 2015) do.
RAMP = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")

# What XML 1.0 cannot say, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def aux_path(raster: Path) -> Path:
    """Where GDAL looks for what a raster's format cannot hold."""
    return raster.with_name(raster.name + ".aux.xml")


def qml_path(raster: Path) -> Path:
    """Where QGIS looks for the style of a raster: ``map.qml``, not ``map.tif.qml``."""
    return raster.with_suffix(".qml")


def make_aux_xml(classes: ClassTable) -> bytes:
    """GDAL's auxiliary file: a category name for every value from 0 on, and the attribute table."""
    root = ET.Element("PAMDataset")
    band = ET.SubElement(root, "PAMRasterBand", band="1")
    names = {entry.id: entry.name for entry in classes} | {0: "unclassified"}
    categories = ET.SubElement(band, "CategoryNames")
    for number in range(max(names) + 1):
        ET.SubElement(categories, "Category").text = xml_text(names.get(number, ""))
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    for index, (title, kind, usage) in enumerate(_TABLE_COLUMNS):
        column = ET.SubElement(table, "FieldDefn", index=str(index))
        ET.SubElement(column, "Name").text = title
        ET.SubElement(column, "Type").text = str(kind)
        ET.SubElement(column, "Usage").text = str(usage)
    for index, entry in enumerate(classes):
        row = ET.SubElement(table, "Row", index=str(index))
        for value in (entry.id, entry.name, *entry.color):
            ET.SubElement(row, "F").text = xml_text(str(value))
    # Without the line that declares XML: GDAL takes that line for the root and reads nothing (seen with GDAL 3.6).
    return _to_bytes(root)


def make_qml(classes: ClassTable) -> bytes:
    """QGIS style: exactly these classes, paletted. The smallest document that QGIS 3.22 and 3.40 both accept."""
    root, renderer = _qml_renderer("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    for entry in classes:
        label = xml_text(entry.name)
        ET.SubElement(palette, "paletteEntry", value=str(entry.id), color=entry.hex_color, alpha="255", label=label)
    return _to_bytes(root)


def make_ramp_qml(low: float, high: float, unit: str = "") -> bytes:
    """QGIS style of a layer of numbers: dark at `low` and below, light at `high` and above.

    QGIS would stretch each layer to its own extremes, in grey: two layers could not be compared by eye. The unit stands
    in the legend behind each number.
    """
    root, renderer = _qml_renderer("singlebandpseudocolor", classificationMin=f"{low:g}", classificationMax=f"{high:g}")
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="2",  # equal steps
        clip="0",
        minimumValue=f"{low:g}",
        maximumValue=f"{high:g}",
    )
    for step, color in enumerate(RAMP):
        value = f"{low + (high - low) * step / (len(RAMP) - 1):.6g}"
        ET.SubElement(shader, "item", value=value, color=color, alpha="255", label=f"{value} {unit}".rstrip())
    return _to_bytes(root)


def _qml_renderer(kind: str, **attributes: str) -> tuple[ET.Element, ET.Element]:
    """A style document whose one renderer is still to be filled."""
    root = ET.Element("qgis", version="3.0.0", styleCategories="Symbology")
    common = {"type": kind, "band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    renderer = ET.SubElement(ET.SubElement(root, "pipe"), "rasterrenderer", common | attributes)
    ET.SubElement(renderer, "rasterTransparency")
    return root, renderer


def _to_bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return content + b"\n"


def xml_text(text: str) -> str:
    """The text with a mark in place of what XML 1.0 cannot say."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True, kw_only=True)
class Category:
    """What a sidecar says about one value: its name, and its colour where there is one."""

    name: str
    color: tuple[int, int, int] | None = None


def read_categories(raster: Path) -> dict[int, Category]:
    """Names and colours from the first band in ``raster.aux.xml``; empty where there are none.

    The attribute table wins over the category names: it says more. A file that is no XML, or too large to be a
    sidecar, counts as none: names are a convenience, and the values in the raster do not depend on it.
    """
    path = aux_path(raster)
    if not path.is_file() or path.stat().st_size > MAX_SIDECAR_BYTES:
        return {}
    content = path.read_bytes()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:  # GDAL writes none; entities can grow without bound
        return {}
    try:
        root = ET.fromstring(content)  # noqa: S314 - entities are refused above
    except ET.ParseError:
        return {}
    band = root.find("PAMRasterBand[@band='1']")
    if band is None:
        return {}
    categories = {
        number: Category(name=(item.text or "").strip())
        for number, item in enumerate(band.iterfind("CategoryNames/Category"))
        if (item.text or "").strip() and number <= MAX_CLASSES
    }
    return categories | _read_table(band.find("GDALRasterAttributeTable"))


def _read_table(table: ET.Element | None) -> dict[int, Category]:
    if table is None:
        return {}
    usages = [_integer(column.findtext("Usage")) for column in table.iterfind("FieldDefn")]
    if _MIN_MAX not in usages or _NAME not in usages:
        return {}
    at: Callable[[int], int] = usages.index
    categories = {}
    for row in table.iterfind("Row"):
        cells = [(cell.text or "").strip() for cell in row.iterfind("F")]
        value = _integer(cells[at(_MIN_MAX)]) if len(cells) == len(usages) else None
        if value is None or not 0 <= value <= MAX_CLASSES or not cells[at(_NAME)]:
            continue
        color = None
        if {_RED, _GREEN, _BLUE} <= set(usages):
            red, green, blue = (_integer(cells[at(usage)]) for usage in (_RED, _GREEN, _BLUE))
            color = _color(red, green, blue)
        categories[value] = Category(name=cells[at(_NAME)], color=color)
    return categories


def _color(red: int | None, green: int | None, blue: int | None) -> tuple[int, int, int] | None:
    if red is None or green is None or blue is None or not all(0 <= part <= 255 for part in (red, green, blue)):
        return None
    return red, green, blue


def _integer(text: str | None) -> int | None:
    """A whole number that may be written as ``7.0``, as GDAL does for real columns."""
    match = re.fullmatch(r"\s*(-?[0-9]{1,9})(\.0*)?\s*", text or "")
    return int(match[1]) if match else None
