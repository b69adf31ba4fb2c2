"""Labelled points in a table: CSV with a column for each coordinate, as a spreadsheet or a GPS writes it.

What the coordinates are is told from the names of their columns, by a fixed list of pairs; longitude and latitude are
in WGS 84 unless the user says otherwise, and of all others the user says it. Nothing is guessed from the numbers.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from hsigeo.errors import LabelError
from hsigeo.io.labels.colors import color_column, with_colors
from hsigeo.io.labels.columns import choose_column, classes_from_values
from hsigeo.io.labels.place import parse_crs
from hsigeo.io.labels.table import kind_of, read_table
from hsigeo.io.labels.vector import VectorLabels

__all__ = ["open_point_table"]

_DEGREES = (
    ("lon", "lat"),
    ("long", "lat"),
    ("lng", "lat"),
    ("longitude", "latitude"),
    ("länge", "breite"),
    ("laenge", "breite"),
    ("längengrad", "breitengrad"),
    ("longitud", "latitud"),
    ("经度", "纬度"),
)
_PROJECTED = (
    ("x", "y"),
    ("easting", "northing"),
    ("east", "north"),
    ("e", "n"),
    ("utm_x", "utm_y"),
    ("x_utm", "y_utm"),
    ("xcoord", "ycoord"),
    ("x_coord", "y_coord"),
    ("point_x", "point_y"),
    ("rechtswert", "hochwert"),
    ("ostwert", "nordwert"),
)
_LONGITUDE_LATITUDE = "OGC:CRS84"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")


def open_point_table(
    path: str, *, field: str | None = None, crs: str | None = None, encoding: str | None = None
) -> VectorLabels:
    """Read points from a CSV table (comma, semicolon or tab; decimal point or comma).

    Parameters
    ----------
    field
        Column of the class; `None` takes the only one possible, coordinates left out.
    crs
        Of the coordinates; `None` where the columns are called longitude and latitude, or the scene has none either.
    encoding
        Of the text, where it is not UTF-8 and no byte order mark says.

    Raises
    ------
    LabelError
        It is no table, no columns are called like coordinates, a coordinate is no number, or the CRS is not known.
    """
    columns = read_table(Path(path), encoding=encoding)
    x_name, y_name, degrees = _coordinate_columns(list(columns), where=path)
    kinds = {name: kind_of(cells) for name, cells in columns.items() if name not in (x_name, y_name)}
    tint = color_column(kinds, field)
    field = choose_column({name: kind for name, kind in kinds.items() if name != tint}, field, where=path)
    class_id, classes = classes_from_values(_as_values(columns[field], kinds[field]), where=f"{path}, column {field!r}")
    if tint is not None:
        classes = with_colors(classes, class_id, columns[tint])
    x, y = (_parse_coordinates(columns[name], where=f"{path}, column {name!r}") for name in (x_name, y_name))
    if crs is None and degrees:
        _check_degrees(x, y, (x_name, y_name), where=path)
        crs = _LONGITUDE_LATITUDE
    points: NDArray[Any] = shapely.points(x, y)
    points[~np.isfinite(x + y)] = None
    return VectorLabels(
        path=path,
        layer="",
        field=field,
        crs=None if crs is None else parse_crs(crs, where="--labels-crs").to_wkt(),
        classes=classes,
        geometries=points,
        class_id=class_id,
    )


def _coordinate_columns(titles: Sequence[str], *, where: str) -> tuple[str, str, bool]:
    """Titles of the columns for x and y, and whether they are longitude and latitude."""
    known = {unicodedata.normalize("NFC", title).casefold(): title for title in titles}
    for pairs, degrees in ((_DEGREES, True), (_PROJECTED, False)):
        for x_name, y_name in pairs:
            if x_name in known and y_name in known:
                return known[x_name], known[y_name], degrees
    raise LabelError(
        f"{where}: no two columns are named like coordinates; name them lon and lat, or x and y (with --labels-crs); "
        f"columns: {', '.join(titles)}"
    )


def _as_values(cells: Sequence[str], kind: str) -> NDArray[Any]:
    """Text as it stands, or numbers with NaN where a cell is empty."""
    if kind == "text":
        return np.array(cells, dtype=object)
    return np.array([float(cell) if cell else math.nan for cell in cells])


def _parse_coordinates(cells: Sequence[str], *, where: str) -> NDArray[np.float64]:
    """NaN where a cell is empty: such points are counted, not placed."""
    values = np.full(len(cells), math.nan)
    for row, cell in enumerate(cells):
        if cell and not _NUMBER.fullmatch(cell):
            raise LabelError(
                f"{where}, row {row + 2}: {cell!r:.40} is not a coordinate; write plain numbers such as 13.2953 or "
                "383472.4, without degrees, minutes or thousands separators"
            )
        if cell:
            values[row] = float(cell.replace(",", "."))
    return values


def _check_degrees(x: NDArray[np.float64], y: NDArray[np.float64], names: tuple[str, str], *, where: str) -> None:
    # Eastern longitudes are also counted up to 360.
    for values, name, least, most in ((x, names[0], -180, 360), (y, names[1], -90, 90)):
        beyond = values[(values < least) | (values > most)]
        if beyond.size:
            raise LabelError(
                f"{where}, column {name!r}: {beyond[0]:g} is not within {least} and {most} degrees; if the "
                "coordinates are projected, say so with --labels-crs EPSG:…"
            )
