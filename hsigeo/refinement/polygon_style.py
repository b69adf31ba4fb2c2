"""The style that a GeoPackage carries for QGIS: each class in its colour, under its name.

QGIS looks for it in the table ``layer_styles`` of the file, which it makes itself where a style is saved in the
database. Other programs list it as a second layer, one without geometries. A ``.qml`` beside the file would not do:
``map.gpkg`` and ``map.tif`` would share ``map.qml``, and one of the two would lose its colours.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

from hsigeo.classes import ClassEntry, ClassTable
from hsigeo.io.sidecars import xml_text

__all__ = ["add_style", "make_polygon_qml"]

# Columns and types as QGIS 3.22 makes them.
_TABLE = """CREATE TABLE layer_styles (
 id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
 f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
 useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)"""
_CONTENTS = """INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
 SELECT 'layer_styles', 'attributes', 'layer_styles', '', last_change, 0 FROM gpkg_contents WHERE table_name = ?"""
_STYLE = """INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,
 styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)
 SELECT '', '', c.table_name, g.column_name, 'classes', ?, '', 1, 'classes and their colours', '', NULL, c.last_change
 FROM gpkg_contents c JOIN gpkg_geometry_columns g USING (table_name) WHERE c.table_name = ?"""


def add_style(geopackage: Path, layer: str, classes: ClassTable) -> None:
    """Make the colours of the classes the default style of a layer whose column ``class_id`` names them.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    try:
        with closing(sqlite3.connect(geopackage)) as database, database:
            database.execute(_TABLE)
            database.execute(_CONTENTS, (layer,))
            database.execute(_STYLE, (make_polygon_qml(classes), layer))
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def make_polygon_qml(classes: ClassTable) -> str:
    """QGIS style of polygons: one category for each class, without outlines, as the pixels had none."""
    root = ET.Element("qgis", version="3.0.0", styleCategories="Symbology")
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr="class_id", enableorderby="0")
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for number, entry in enumerate(classes):
        ET.SubElement(
            categories,
            "category",
            value=str(entry.id),
            type="long",
            label=xml_text(entry.name),
            symbol=str(number),
            render="true",
        )
        _add_symbol(symbols, number, entry)
    return ET.tostring(root, encoding="unicode")


def _add_symbol(symbols: ET.Element, number: int, entry: ClassEntry) -> None:
    symbol = ET.SubElement(symbols, "symbol", name=str(number), type="fill", alpha="1", clip_to_extent="1")
    fill = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0", "locked": "0"})
    red, green, blue = entry.color
    for key, value in (("color", f"{red},{green},{blue},255"), ("style", "solid"), ("outline_style", "no")):
        ET.SubElement(fill, "prop", k=key, v=value)
