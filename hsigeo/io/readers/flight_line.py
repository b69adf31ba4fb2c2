"""ENVI flight lines in sensor geometry, placed by the files that JPL delivers beside them.

Companions: ``_glt`` (sample and line of the sensor pixel for each map pixel), ``_loc`` (longitude, latitude, elevation
of each sensor pixel), ``_igm`` (the same in the map's own coordinates), ``_obs`` (directions to sensor and sun).
Sources: AVIRIS-NG Data Product Distribution Document (JPL), and the names that ISOFIT's ``template_construction.py``
knows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from rasterio.crs import CRS

from hsigeo.errors import HsigeoError, SceneError
from hsigeo.io.cube import Cube
from hsigeo.io.envi import open_envi
from hsigeo.io.envi.datafile import find_header
from hsigeo.io.envi.header import is_envi_header, read_header
from hsigeo.io.geolocation import Geolocation, LookupTable, PixelPositions
from hsigeo.io.geolocation.planes import CubePlane
from hsigeo.io.readers.protocol import Probe

__all__ = ["Companion", "FlightLineReader", "find_companions", "flight_line_of"]

# How the names of flight lines begin: AVIRIS-Classic; AVIRIS-NG, -3, -5 and PRISM; EMIT inside JPL.
_FLIGHT_LINE = re.compile(
    r"f\d{6}t\d{2}p\d{2}r\d{2}|(?:ang|av3|av5|prm)\d{8}t\d{6}(?:_\d{3}(?=_))?|emit\d{8}t\d{6}", re.IGNORECASE
)
_KINDS = ("glt", "loc", "igm", "obs")
_MAX_SIBLINGS = 100_000
_UNKNOWN = -9999.0


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A file that belongs to a flight line.

    Parameters
    ----------
    kind
        ``glt``, ``loc``, ``igm`` or ``obs``.
    path
        Its ENVI header.
    """

    kind: str
    path: Path


class FlightLineReader:
    """An ENVI scene without a map grid of its own, and the companions that place it."""

    name = "flight-line"
    title = "ENVI flight line in sensor geometry, with its _glt, _loc or _igm (AVIRIS-NG, AVIRIS-Classic, …)"

    def claim(self, probe: Probe) -> str | None:
        """An ENVI header without ``map info``, and a companion of the same flight line beside it."""
        header = None if probe.is_hdf5 else probe.envi_header
        if header is None or not header.is_file() or _kind(header.stem) is not None:
            return None
        try:
            if "map info" in read_header(header) or "geo points" in read_header(header):
                return None
        except HsigeoError:
            return None
        placing = [companion for companion in find_companions(header) if companion.kind != "obs"]
        return f"its header has no map info, and {placing[0].path.stem} lies beside it" if placing else None

    def open(self, path: Path) -> Cube:
        """Open the scene in sensor geometry."""
        cube = open_envi(path)
        header_path = path if path.suffix.lower() == ".hdr" else find_header(path)
        if header_path is None:
            raise SceneError(f"{path} has no ENVI header beside it")
        companions = find_companions(header_path)
        notes: list[str] = []
        geolocation = _first_that_fits(cube, companions, notes)
        if geolocation is None:
            raise SceneError(
                f"{path} cannot be placed: "
                + ("; ".join(notes) or "no _glt, _loc or _igm of this flight line lies beside it")
                + ". --reader envi reads it without them"
            )
        header = replace(
            cube.header,
            geolocation=geolocation,
            companions=tuple((companion.kind, str(companion.path)) for companion in companions),
            repairs=(*cube.header.repairs, *notes),
        )
        return cast(Cube, replace(cast(Any, cube), header=header))


def find_companions(header: Path) -> list[Companion]:
    """The companions of a flight line, those that place it first, the best name of each kind.

    A companion lies in the same folder, its name begins with the same flight line, and one of the parts between the
    underscores is its kind. Of several, the one whose name is most like the scene's counts: ``_rdn_v2_loc`` goes with
    ``_rdn_v2_img``. Files that are themselves on a map (``_ort``) do not count, but for the lookup table.
    """
    line = flight_line_of(header.name)
    best: dict[str, tuple[tuple[int, int, str], Path]] = {}
    for sibling in _siblings(header):
        kind = _kind(sibling.stem)
        if kind is None or flight_line_of(sibling.name) != line or sibling == header:
            continue
        if kind != "glt" and _parts(sibling.stem) & {"ort", "ortho", "orthometric"}:
            continue
        if not is_envi_header(sibling):
            continue
        alike = len(_parts(sibling.stem) & _parts(header.stem))
        rank = (-alike, len(sibling.stem), sibling.name)
        if kind not in best or rank < best[kind][0]:
            best[kind] = (rank, sibling)
    return [Companion(kind=kind, path=best[kind][1]) for kind in _KINDS if kind in best]


def _siblings(header: Path) -> Iterator[Path]:
    with os.scandir(header.parent) as entries:
        for number, entry in enumerate(entries):
            if number > _MAX_SIBLINGS:
                return
            if entry.name.lower().endswith(".hdr") and entry.is_file():
                yield Path(entry.path)


def flight_line_of(name: str) -> str:
    """What names of one flight line share: its identifier, else the part before the first underscore."""
    found = _FLIGHT_LINE.match(name)
    return (found[0] if found else name.split("_")[0].split(".")[0]).lower()


def _parts(stem: str) -> set[str]:
    return set(re.split(r"[_.]", stem.lower()))


def _kind(stem: str) -> str | None:
    return next((kind for kind in _KINDS if kind in _parts(stem)), None)


def _first_that_fits(cube: Cube, companions: list[Companion], notes: list[str]) -> Geolocation | None:
    """The lookup table, else longitude and latitude, else the map coordinates; files that do not fit are noted."""
    by_kind = {companion.kind: companion.path for companion in companions}
    crs = None
    for kind in ("glt", "loc", "igm"):
        if kind not in by_kind:
            continue
        try:
            placed = open_envi(by_kind[kind])
            crs = crs or placed.header.grid.crs
            return _lookup_table(cube, placed) if kind == "glt" else _positions(cube, placed, kind, crs)
        except HsigeoError as error:
            notes.append(f"{by_kind[kind].name} was not used: {error}")
    return None


def _lookup_table(cube: Cube, table: Cube) -> LookupTable:
    header = table.header
    if header.bands.count < 2 or header.dtype.kind not in "iu":
        raise SceneError(
            f"{header.path} has {header.bands.count} bands of {header.dtype}; a lookup table has two of whole numbers"
        )
    if not header.grid.has_transform:
        raise SceneError(f"{header.path} has no map info, so the lookup table cannot be placed")
    return LookupTable(
        grid=header.grid,
        sample=CubePlane(table, 0),
        line=CubePlane(table, 1),
        shape=cube.header.grid.shape,
        where=header.path,
    )


def _positions(cube: Cube, positions: Cube, kind: str, crs: str | None) -> PixelPositions:
    header = positions.header
    if header.bands.count < 2 or header.grid.shape != cube.header.grid.shape:
        raise SceneError(
            f"{header.path} has {header.bands.count} bands of {header.grid.shape} lines and samples; the scene has "
            f"{cube.header.grid.shape}, and needs two"
        )
    if kind == "loc" or _look_geographic(positions):
        crs = CRS.from_epsg(4326).to_wkt()
    if crs is None:
        raise SceneError(f"{header.path} holds map coordinates, but no file beside it says in which CRS")
    return PixelPositions(
        x=CubePlane(positions, 0),
        y=CubePlane(positions, 1),
        crs=crs,
        nodata=_UNKNOWN if header.nodata is None else float(header.nodata),
        where=header.path,
    )


def _look_geographic(positions: Cube) -> bool:
    """Whether the middle line holds degrees rather than metres."""
    middle = positions.header.grid.lines // 2
    values = positions.read(slice(middle, middle + 1), slice(None), slice(0, 2))[:, 0]
    known = values[:, (values != _UNKNOWN).all(axis=0)]
    return bool(known.size and np.abs(known[0]).max() <= 360 and np.abs(known[1]).max() <= 90)
