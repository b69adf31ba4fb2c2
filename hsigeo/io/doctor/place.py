"""What is odd about where a scene lies: no place, no CRS, coordinates of another kind, and headers GDAL misreads."""

from __future__ import annotations

from rasterio.crs import CRS

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.envi.mapinfo import MapInfo, parse_map_info
from hsigeo.io.numerals import parse_number

__all__ = ["check_map_info", "check_place", "format_map_info"]

_DEGREES = 0.1
"""No projected scene has pixels this small and lies within 180 m of the origin."""


def check_place(grid: Grid) -> list[Finding]:
    """A scene without a place or CRS, or whose coordinates cannot be in its CRS."""
    if grid.crs is None:
        return [_no_crs(grid)]
    if not grid.has_transform:
        return []
    x, y = grid.transform @ (grid.samples / 2, grid.lines / 2)
    geographic = CRS.from_wkt(grid.crs).is_geographic
    if geographic and (abs(x) > 360 or abs(y) > 90):
        kind = "a geographic CRS is in degrees"
    elif not geographic and abs(x) <= 180 and abs(y) <= 90 and max(grid.pixel_size) < _DEGREES:
        kind = "a projected CRS is in metres or feet, and these look like degrees"
    else:
        return []
    return [
        Finding(
            code="crs-mismatch",
            severity="warning",
            message=f"the middle of the scene lies at x {x:.8g}, y {y:.8g}: {kind}",
            remedy="correct 'map info' and 'coordinate system string', or the CRS of the file",
        )
    ]


def _no_crs(grid: Grid) -> Finding:
    if grid.has_transform or grid.ground_control_points:
        return Finding(
            code="no-crs",
            severity="warning",
            message="the scene has a grid but no CRS; the map will have none either",
            remedy="state it as 'coordinate system string' (WKT), or in 'map info'",
        )
    return Finding(
        code="no-georeference",
        severity="note",
        message="the scene has no georeference; the map will be in sensor geometry",
        remedy="that is normal for a raw flight line; otherwise add 'map info'",
    )


def check_map_info(header: EnviHeader) -> list[Finding]:
    """What keeps ``map info`` from being read, here or by GDAL and all that stands on it (QGIS, for one)."""
    items = header.items("map info")
    if not items:
        return []
    try:
        map_info = parse_map_info(header)
    except SceneError as error:
        return [_broken(header, str(error))]
    if map_info is None or map_info.rotation == 0:
        return []
    odd = []
    if (map_info.column, map_info.row) != (1.0, 1.0):
        odd.append(
            f"its tie point is column {map_info.column:g}, row {map_info.row:g}, not 1, 1: GDAL ignores the rotation"
        )
    if any("rotation" in item.lower() and "rotation=" not in item for item in items):
        odd.append("GDAL reads a rotation only when it is written 'rotation='")
    if odd:
        return [
            Finding(
                code="rotation",
                severity="note",
                message=f"other programs would misplace this scene, rotated by {map_info.rotation:g} degrees: "
                + "; ".join(odd),
                remedy="write 'map info' with the tie point 1, 1 and 'rotation=' without blanks",
                changes={"map info": format_map_info(map_info)},
            )
        ]
    misread = _misread_by_gdal(map_info)
    return [misread] if misread else []


def _misread_by_gdal(map_info: MapInfo) -> Finding | None:
    if map_info.rotation % 360 == 180:
        why = "GDAL takes a rotation of exactly 180 degrees as rows that run north, and mirrors the scene"
    elif map_info.rotation % 180 and abs(map_info.x_size) != abs(map_info.y_size):
        why = f"GDAL shears rotated pixels that are not square ({map_info.x_size:g} x {map_info.y_size:g})"
    else:
        return None
    return Finding(
        code="rotation",
        severity="note",
        message=f"other programs would misplace this scene: {why}",
        remedy="no header avoids that; hsigeo and its maps place it correctly",
    )


def _broken(header: EnviHeader, error: str) -> Finding:
    """``map info`` that cannot be read: repaired from ``pixel size`` if that is what is missing, else taken away."""
    items = header.items("map info")
    sizes = [parse_number(item) for item in header.items("pixel size") if "=" not in item]
    numbers = [parse_number(item) for item in items[1:7]]
    is_zero = len(numbers) == 6 and None not in numbers and 0 in numbers[4:]
    if is_zero and len(sizes) >= 2 and all(size for size in sizes[:2]):
        repaired = ", ".join([*items[:5], f"{sizes[0]:g}", f"{sizes[1]:g}", *items[7:]])
        return Finding(
            code="map-info",
            severity="error",
            message=f"the pixel size in 'map info' is 0, but 'pixel size' says {sizes[0]:g} x {sizes[1]:g}",
            remedy="put this value into 'map info'",
            changes={"map info": f"{{{repaired}}}"},
        )
    what = "the pixel size in 'map info' is 0" if is_zero else error.partition(": ")[2]
    return Finding(
        code="map-info",
        severity="error",
        message=f"{what}: the position of the pixels is unknown",
        remedy="correct 'map info'; without it the scene can be used, but has no georeference",
        changes={"map info": None},
    )


def format_map_info(map_info: MapInfo, *, datum_fields: tuple[str, ...] | None = None) -> str:
    """The value of ``map info`` as ENVI and GDAL read it: tie point at the first pixel, no blanks around ``=``."""
    transform = map_info.transform
    options = {key: value for key, value in map_info.options.items() if key not in ("units", "rotation")}
    units = map_info.options.get("units", "")
    if map_info.is_geographic and units:
        units = "Degrees"
    numbers = (transform.c, transform.f, map_info.x_size * map_info.unit, map_info.y_size * map_info.unit)
    fields = [map_info.projection, "1", "1", *(repr(float(number)) for number in numbers)]
    fields += map_info.datum_fields if datum_fields is None else datum_fields
    fields += [f"units={units}"] if units else []
    fields += [f"{key}={value}" for key, value in options.items()]
    fields += [f"rotation={map_info.rotation!r}"] if map_info.rotation else []
    return "{" + ", ".join(fields) + "}"
