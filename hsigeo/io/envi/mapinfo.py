"""Where an ENVI scene lies on the Earth: ``map info``, ``coordinate system string``, ``geo points``.

The affine transform is built here, because GDAL's goes silently wrong for some rotated headers: a tie point other than
the first pixel is not rotated, x and y pixel sizes are swapped in the shear terms, 180° becomes a south-up flip, and
``rotation = 30`` with blanks is not seen. The CRS is GDAL's, except where GDAL answers with the wrong datum: no datum
becomes NAD27, ETRS-89 becomes WGS 84. `tests/io/envi/test_mapinfo.py` has the table.
"""

from __future__ import annotations

import math
import secrets
import warnings
from dataclasses import dataclass, field

from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioIOError
from rasterio.io import MemoryFile

from hsigeo.errors import SceneError
from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.numerals import parse_number

__all__ = ["MapInfo", "parse_map_info", "read_grid"]

MAX_GROUND_CONTROL_POINTS = 10_000

_DEGREES_PER_UNIT = {"degrees": 1.0, "minutes": 1 / 60, "seconds": 1 / 3600, "radians": 180 / math.pi}


@dataclass(frozen=True, kw_only=True)
class MapInfo:
    """The value of ``map info``.

    Parameters
    ----------
    projection
        ENVI's name of it, such as ``UTM`` or ``Geographic Lat/Lon``.
    column, row
        The tie point in the image; (1, 1) is the outer corner of the first pixel, (1.5, 1.5) its centre.
    x, y
        The tie point on the map.
    x_size, y_size
        Pixel size in map units; a negative `y_size` means that rows run north.
    datum_fields
        What stands between the pixel size and the options: zone, hemisphere, datum.
    options
        ``units=``, ``rotation=`` and others, keys in lower case, blanks removed.
    """

    projection: str
    column: float
    row: float
    x: float
    y: float
    x_size: float
    y_size: float
    datum_fields: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_geographic(self) -> bool:
        """Whether the map coordinates are longitude and latitude."""
        return self.projection.lower().startswith("geographic")

    @property
    def is_arbitrary(self) -> bool:
        """Whether the map is a plane of its own, tied to no place."""
        return self.projection.lower() in ("arbitrary", "", "pixel", "none")

    @property
    def rotation(self) -> float:
        """Degrees, counter-clockwise, from the x axis of the map to the direction in which columns grow."""
        return parse_number(self.options.get("rotation", "0")) or 0.0

    @property
    def unit(self) -> float:
        """Degrees in the unit of a geographic map, which may be minutes, seconds or radians; 1 for all other maps."""
        return _DEGREES_PER_UNIT.get(self.options.get("units", "").lower(), 1.0) if self.is_geographic else 1.0

    @property
    def transform(self) -> Affine:
        """From (column, row), zero-based and at outer corners, to the map (to degrees for geographic maps)."""
        cos, sin = _cos_sin(self.rotation)
        scale = self.unit
        a, b = self.x_size * cos, self.y_size * sin
        d, e = self.x_size * sin, -self.y_size * cos
        columns, rows = self.column - 1, self.row - 1  # from the outer corner of the image to the tie point
        terms = (a, b, self.x - a * columns - b * rows, d, e, self.y - d * columns - e * rows)
        # Adding 0.0 turns -0.0 into 0.0, which would only puzzle whoever prints it.
        return Affine(*(term * scale + 0.0 for term in terms))


def parse_map_info(header: EnviHeader) -> MapInfo | None:
    """The ``map info`` of a header; `None` where there is none.

    Raises
    ------
    SceneError
        There is one, but the seven values that place the image are not all there.
    """
    items = header.items("map info")
    if not items:
        return None
    # A first field of "units=..." would be nonsense, so only what follows the pixel size can be an option.
    plain = [item for item in items if "=" not in item]
    numbers = [parse_number(item) for item in plain[1:7]]
    if len(numbers) < 6 or any(number is None or not math.isfinite(number) for number in numbers):
        raise SceneError(
            f"{header.where('map info')}: map info = {{{', '.join(items):.60}}} needs a projection and six numbers "
            "(tie point column, row, x, y; pixel size x, y); correct the line or delete it"
        )
    column, row, x, y, x_size, y_size = (number for number in numbers if number is not None)
    if x_size == 0 or y_size == 0:
        raise SceneError(f"{header.where('map info')}: the pixel size is 0; correct the line or delete it")
    options = {}
    for item in items:
        key, equals, value = item.partition("=")
        if equals:
            options[key.strip().lower()] = value.strip()
    rotation = parse_number(options.get("rotation", "0"))
    if rotation is None or not math.isfinite(rotation):
        raise SceneError(f"{header.where('map info')}: rotation={options['rotation']:.40} is not a number of degrees")
    return MapInfo(
        projection=plain[0],
        column=column,
        row=row,
        x=x,
        y=y,
        x_size=x_size,
        y_size=y_size,
        datum_fields=tuple(plain[7:]),
        options=options,
    )


def read_grid(header: EnviHeader, *, lines: int, samples: int) -> tuple[Grid, list[str]]:
    """Size and georeference of the scene, and what was guessed or repaired about them.

    Raises
    ------
    SceneError
        ``map info`` or ``geo points`` is broken.
    """
    notes: list[str] = []
    map_info = parse_map_info(header)
    stated = _stated_crs(header, notes)
    if map_info is None:
        points = _ground_control_points(header)
        crs = CRS.from_epsg(4326) if points else stated
        if crs is not None and not points:
            notes.append("the header has a coordinate system but no 'map info': the place of the pixels is not known")
        return _make_grid(lines, samples, Affine.identity(), crs, points), notes
    if not header.fields["map info"].braced:
        notes.append("'map info' has no braces; it was read as if it had")
    if map_info.y_size < 0:
        notes.append("the y pixel size is negative: rows were read as running north")
    from_map_info = (
        None if map_info.is_arbitrary else _crs_of_map_info(map_info, header, notes if stated is None else [])
    )
    if stated is not None and from_map_info is not None and stated != from_map_info:
        notes.append(
            f"'coordinate system string' ({_name(stated)}) and 'map info' ({_name(from_map_info)}) disagree; "
            "the first was used"
        )
    return _make_grid(lines, samples, map_info.transform, stated or from_map_info, ()), notes


def _make_grid(
    lines: int, samples: int, transform: Affine, crs: CRS | None, points: tuple[GroundControlPoint, ...]
) -> Grid:
    return Grid(
        lines=lines,
        samples=samples,
        transform=transform,
        crs=None if crs is None else crs.to_wkt(),
        ground_control_points=points,
    )


def _cos_sin(degrees: float) -> tuple[float, float]:
    """Exact at multiples of 90°, where a rounding error of 1e-16 would make a straight grid look rotated."""
    quarter, rest = divmod(degrees % 360.0, 90.0)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _stated_crs(header: EnviHeader, notes: list[str]) -> CRS | None:
    """The ``coordinate system string``, an ESRI WKT; `None` where there is none that can be read."""
    wkt = " ".join(header.text("coordinate system string").split())
    if not wkt or wkt.upper().startswith(("LOCAL_CS", "LOCALCS", "ENGCRS")):
        return None
    try:
        # Some writers put blanks around commas and brackets, which the WKT grammar allows.
        return _canonical(CRS.from_wkt(wkt, morph_from_esri_dialect=True))
    except CRSError:
        notes.append(f"the coordinate system string {wkt[:40]!r}… cannot be read by PROJ and was ignored")
        return None


def _crs_of_map_info(map_info: MapInfo, header: EnviHeader, notes: list[str]) -> CRS | None:
    """The CRS that the projection name, zone and datum stand for."""
    datum_fields = list(map_info.datum_fields)
    if map_info.is_geographic and not datum_fields:
        notes.append("'map info' names no datum; it was taken as WGS 84")
        datum_fields = ["WGS-84"]
    if map_info.projection.upper() == "UTM":
        if len(datum_fields) < 2 or not datum_fields[0].isdecimal() or not 1 <= int(datum_fields[0]) <= 60:
            notes.append("'map info' says UTM without a zone (1-60) and hemisphere; the CRS is not known")
            return None
        if len(datum_fields) == 2:
            notes.append("'map info' names no datum; it was taken as WGS 84")
            datum_fields.append("WGS-84")
        zone, datum = int(datum_fields[0]), _simplified(datum_fields[2])
        if datum.startswith("etrs89") and 28 <= zone <= 38 and datum_fields[1].lower() != "south":
            return CRS.from_epsg(25800 + zone)
    datum = _simplified(datum_fields[-1]) if datum_fields else ""
    if datum.startswith("etrs89") and map_info.is_geographic:
        return CRS.from_epsg(4258)
    is_wgs84 = datum in ("wgs84", "wgs1984")
    if is_wgs84:  # GDAL knows no spelling but WGS-84
        datum_fields[-1] = "WGS-84"
    crs = _ask_gdal(map_info, datum_fields, header)
    if datum and not is_wgs84 and not datum.isdecimal() and crs is not None and 'DATUM["WGS_1984"' in crs.to_wkt():
        notes.append(f"the datum {datum_fields[-1]!r:.60} of 'map info' is not known; it was taken as WGS 84")
    if crs is None:
        notes.append(f"the projection {map_info.projection!r:.60} of 'map info' is not known; the scene has no CRS")
    return crs


def _simplified(datum: str) -> str:
    return "".join(character for character in datum.lower() if character.isalnum())


def _ask_gdal(map_info: MapInfo, datum_fields: list[str], header: EnviHeader) -> CRS | None:
    """GDAL's reading of projection name, datum and ``projection info``, from a small ENVI file in memory."""
    # Two pixels: GDAL takes no notice of a file of one byte.
    units = map_info.options.get("units")
    fields = [map_info.projection, "1", "1", "0", "0", "1", "1", *datum_fields]
    if units is not None:
        fields.append(f"units={units.capitalize()}")
    text = (
        "ENVI\nsamples = 2\nlines = 1\nbands = 1\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
        f"map info = {{{', '.join(fields)}}}\n"
    )
    if "projection info" in header:
        text += f"projection info = {{{', '.join(header.items('projection info'))}}}\n"
    folder = secrets.token_hex(8)
    try:
        with (
            MemoryFile(bytes(2), dirname=folder, filename="pixels.img") as pixels,
            MemoryFile(text.encode(), dirname=folder, filename="pixels.hdr"),
            warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
            pixels.open(driver="ENVI") as dataset,
        ):
            crs = dataset.crs
    except (RasterioIOError, CRSError):
        return None
    return None if crs is None or not (crs.is_projected or crs.is_geographic) else _canonical(crs)


def _canonical(crs: CRS) -> CRS:
    """The EPSG registry's own definition where PROJ finds one that says the same, as GDAL does.

    Equality would be too strict: the registry's axes may come in another order, which rasterio and GDAL's raster
    side ignore.
    """
    try:
        code = crs.to_epsg()
        registered = None if code is None else CRS.from_epsg(code)
        same = registered is not None and registered.to_dict() == crs.to_dict()
    except CRSError:
        return crs
    return registered if same else crs


def _name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code is not None else crs.to_wkt().split('"')[1]


def _ground_control_points(header: EnviHeader) -> tuple[GroundControlPoint, ...]:
    """``geo points``: column and row (1 is the outer corner of the first pixel), latitude, longitude; repeated."""
    numbers = header.numbers("geo points")
    if len(numbers) % 4 or len(numbers) // 4 > MAX_GROUND_CONTROL_POINTS or not all(map(math.isfinite, numbers)):
        raise SceneError(
            f"{header.where('geo points')}: 'geo points' holds {len(numbers)} values; it needs column, row, latitude "
            f"and longitude for each point, and at most {MAX_GROUND_CONTROL_POINTS} points"
        )
    quads = zip(*(iter(numbers),) * 4, strict=True)
    return tuple(
        GroundControlPoint(row=row - 1, col=column - 1, x=longitude, y=latitude)
        for column, row, latitude, longitude in quads
    )
