"""A GDAL VRT over maps: a few kilobytes that show them where they lie, without a copy of their pixels.

A VRT can do much less than a mosaic, and this module refuses what it cannot: it knows no rule but order, and it
stretches maps but does not turn them, so all must lie north-up in one CRS. It has no overviews of its own and needs
none: GDAL and QGIS read those of the maps.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from rasterio.crs import CRS

from hsigeo.atomic import check_not_an_input, check_output, replaced_on_success
from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError
from hsigeo.grid import Grid
from hsigeo.io.class_raster import GdalValues
from hsigeo.io.sidecars import make_aux_xml, make_qml, qml_path
from hsigeo.lines.class_union import ClassUnion, unite_classes
from hsigeo.lines.mapped_line import MappedLine
from hsigeo.lines.target import choose_grid

__all__ = ["write_vrt"]

_TYPES = {"uint8": "Byte", "uint16": "UInt16"}


def write_vrt(lines: Sequence[MappedLine], path: str | os.PathLike[str], *, overwrite: bool = False) -> tuple[str, ...]:
    """Write a VRT and its QGIS style. Maps are named relative to it, so folder and VRT can be moved together.

    Parameters
    ----------
    lines
        The first lies on top.

    Returns
    -------
    tuple
        What differed among the maps, as sentences.

    Raises
    ------
    OutputExistsError, OutputError
        A file exists and `overwrite` is false or cannot be written; maps are turned, lie in several CRS, or are no
        files that GDAL reads.
    """
    final = Path(path)
    if final.suffix.casefold() != ".vrt":
        raise OutputError(f"{path}: give a VRT a name that ends in .vrt")
    _check_simple(lines)
    union = unite_classes(lines)
    grid = choose_grid([line.grid for line in lines])
    for file in (final, qml_path(final)):
        check_output(file, overwrite=overwrite)
        check_not_an_input(file, [line.path for line in lines])
    with replaced_on_success(qml_path(final), overwrite=overwrite) as style:
        style.write_bytes(make_qml(union.classes))
        with replaced_on_success(final, overwrite=overwrite) as temporary:
            temporary.write_bytes(_document(lines, final.resolve().parent, grid, union))
    return union.notes


def _check_simple(lines: Sequence[MappedLine]) -> None:
    first = CRS.from_wkt(lines[0].grid.crs)
    for line in lines:
        t = line.grid.transform
        if not line.grid.is_rectilinear or t.a < 0 or t.e > 0:
            turned = f"turned by {line.grid.rotation:.1f} degrees" if not line.grid.is_rectilinear else "not north-up"
            raise OutputError(
                f"{line.path} is {turned}, and a VRT cannot rotate maps; leave out --vrt for a mosaic of its own pixels"
            )
        if CRS.from_wkt(line.grid.crs) != first:
            raise OutputError(
                f"{line.path} has another CRS than {lines[0].path}, and a VRT has only one; leave out --vrt"
            )
        if not isinstance(line.raster.values, GdalValues):
            raise OutputError(f"{line.path} is not a GeoTIFF, so a VRT would need a copy; leave out --vrt")
        if line.raster.nodata not in (None, 0):
            raise OutputError(f"{line.path} has {line.raster.nodata:g} as nodata, and a VRT needs 0; leave out --vrt")


def _document(lines: Sequence[MappedLine], folder: Path, grid: Grid, union: ClassUnion) -> bytes:
    root = ET.Element("VRTDataset", rasterXSize=str(grid.samples), rasterYSize=str(grid.lines))
    ET.SubElement(root, "SRS").text = grid.crs
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(float(term)) for term in grid.transform.to_gdal())
    band = ET.SubElement(root, "VRTRasterBand", dataType=_TYPES[union.classes.dtype], band="1")
    ET.SubElement(band, "Description").text = "class"
    ET.SubElement(band, "NoDataValue").text = "0"
    ET.SubElement(band, "ColorInterp").text = "Palette"
    _add_colors(band, union.classes)
    # Category names and attribute table, in the words of the auxiliary file, which are those of a VRT.
    band.extend(list(ET.fromstring(make_aux_xml(union.classes)).iterfind("PAMRasterBand/*")))  # noqa: S314 - our own
    for number in reversed(range(len(lines))):  # the last one drawn lies on top
        band.append(_source(lines[number], folder, grid, union.lookups[number].tolist()))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8")
    return content + b"\n"


def _add_colors(band: ET.Element, classes: ClassTable) -> None:
    table = ET.SubElement(band, "ColorTable")
    colors = {entry.id: entry.color for entry in classes}
    for number in range(max(colors, default=0) + 1):
        red, green, blue = colors.get(number, (0, 0, 0))
        ET.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255" if number in colors else "0")


def _source(line: MappedLine, folder: Path, grid: Grid, lookup: list[int]) -> ET.Element:
    source = ET.Element("ComplexSource", resampling="nearest")
    target = line.path.resolve()
    try:
        name, relative = os.path.relpath(target, folder), "1"
    except ValueError:  # another drive
        name, relative = str(target), "0"
    ET.SubElement(source, "SourceFilename", relativeToVRT=relative).text = name
    ET.SubElement(source, "SourceBand").text = "1"
    lines, samples = line.grid.shape
    ET.SubElement(source, "SrcRect", xOff="0", yOff="0", xSize=str(samples), ySize=str(lines))
    left, top = ~grid.transform * (line.grid.transform.c, line.grid.transform.f)
    right, bottom = ~grid.transform * (line.grid.transform * (samples, lines))
    ET.SubElement(
        source, "DstRect", xOff=repr(left), yOff=repr(top), xSize=repr(right - left), ySize=repr(bottom - top)
    )
    ET.SubElement(source, "NODATA").text = "0"
    if lookup != list(range(len(lookup))):
        ET.SubElement(source, "LUT").text = ",".join(f"{old}:{new}" for old, new in enumerate(lookup))
    return source
