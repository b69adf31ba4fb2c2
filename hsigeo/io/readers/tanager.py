"""Tanager surface reflectance: HDF-EOS5, ``basic`` in sensor geometry and ``ortho`` on a map.

Structure: Planet, Tanager Product Specification (2025); HyperCoast ``tanager.py`` and EnSpec/hytools' reader.

- ``/HDFEOS/{SWATHS,GRIDS}/HYP/Data Fields/surface_reflectance`` (band, y, x), with attributes ``wavelengths``,
  ``fwhm``, ``good_wavelengths``, ``_FillValue`` and, where it is stored as integers, ``scale_factor``.
- basic: ``Geolocation Fields/Latitude`` and ``Longitude``. ortho: corners and UTM zone in ``StructMetadata.0``, and the
  attribute ``epsg_code`` of the group.
- ``nodata_pixels`` is 1 outside of the scene. Cloud masks are there and not used.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from hsigeo.errors import SceneError
from hsigeo.grid import Grid
from hsigeo.io.cube import FileStamp
from hsigeo.io.geolocation import PixelPositions
from hsigeo.io.readers.hdf5 import BandPart, Hdf5Cube, Hdf5File, Hdf5Plane, contains, opened
from hsigeo.io.readers.products import describe_cube, fill_value, wkt_of
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling, guess_scaling
from hsigeo.io.wavelengths import make_band_table

__all__ = ["TanagerReader"]

_BASIC, _ORTHO = "HDFEOS/SWATHS/HYP", "HDFEOS/GRIDS/HYP"
_NAME = "surface_reflectance"
_METADATA = "HDFEOS INFORMATION/StructMetadata.0"
_MAX_METADATA = 1 << 20
_NUMBER = r"\s*([-+\d.eE]+)\s*"


class TanagerReader:
    """Tanager basic_sr_hdf5 and ortho_sr_hdf5."""

    name = "tanager"
    title = "Tanager surface reflectance (HDF5), basic and ortho"

    def claim(self, probe: Probe) -> str | None:
        """The swath or grid HYP."""
        found = [root for root in (_BASIC, _ORTHO) if contains(probe, f"{root}/Data Fields")]
        return f"it holds /{found[0]} of Tanager" if found else None

    def open(self, path: Path) -> Hdf5Cube:
        """Open the scene."""
        stamp = FileStamp.of(path)
        with opened(path) as file:
            root = next((root for root in (_ORTHO, _BASIC) if f"{root}/Data Fields/{_NAME}" in file), None)
            if root is None:
                what = "toa_radiance" if any(f"{r}/Data Fields/toa_radiance" in file for r in (_ORTHO, _BASIC)) else ""
                raise SceneError(
                    f"{path} holds no Tanager {_NAME}{f' but {what}' if what else ''}; give the file …_sr_hdf5.h5"
                )
            return _open(file, root, stamp)


def _open(file: Hdf5File, root: str, stamp: FileStamp) -> Hdf5Cube:
    fields = f"{root}/Data Fields"
    name = f"{fields}/{_NAME}"
    cube = file.dataset(name, "Tanager's reflectance", ndim=3)
    bands, lines, samples = cube.shape
    table, notes = make_band_table(
        bands,
        wavelength=_list(file, name, "wavelengths"),
        unit=file.text(name, "wavelengths_units") or "nm",
        fwhm=_list(file, name, "fwhm"),
        good=_list(file, name, "good_wavelengths"),
    )
    if table.wavelength is None:
        notes.append("the file states no wavelengths; older files leave them to the STAC item that comes with them")
    factor, offset = file.number(name, "scale_factor"), file.number(name, "add_offset") or 0.0
    if factor is None:
        scaling, note = guess_scaling(bands, np.dtype(cube.dtype), texts=(), has_wavelengths=True)
        notes.extend([note] if note else [])
    else:
        scaling = Scaling(gain=np.full(bands, factor), offset=np.full(bands, offset))
    nodata = fill_value(file, name, cube, -9999.0)
    masked = nodata is not None and _has_plane(file, f"{fields}/nodata_pixels", (lines, samples))
    grid, positions = (
        (_read_grid(file, root, (lines, samples)), None)
        if root == _ORTHO
        else (Grid(lines=lines, samples=samples), _positions(file, root, (lines, samples), stamp))
    )
    header = describe_cube(
        file,
        stamp,
        cube,
        axes="byx",
        grid=grid,
        bands=table,
        scaling=scaling,
        nodata=nodata,
        description=f"Tanager {'ortho' if root == _ORTHO else 'basic'} {file.text(root, 'strip_id')}".strip(),
        sensor="Tanager",
        geolocation=positions,
        repairs=tuple(notes),
    )
    part = BandPart(dataset=name, axes="byx", bands=tuple(range(bands)))
    return Hdf5Cube(header, (part,), no_data_where=(f"{fields}/nodata_pixels",) if masked else ())


def _list(file: Hdf5File, name: str, key: str) -> list[float]:
    values = file.numbers(name, key)
    return [] if values is None else [float(value) for value in values]


def _has_plane(file: Hdf5File, name: str, shape: tuple[int, int]) -> bool:
    return name in file and file.dataset(name, "a mask", ndim=2).shape == shape


def _positions(file: Hdf5File, root: str, shape: tuple[int, int], stamp: FileStamp) -> PixelPositions:
    group = f"{root}/Geolocation Fields"
    x, y = (Hdf5Plane.of(file, f"{group}/{name}", "Tanager's positions", stamp) for name in ("Longitude", "Latitude"))
    if x.shape != shape or y.shape != shape:
        raise SceneError(f"{file.path}: its positions are {x.shape}, the scene {shape} lines and samples")
    return PixelPositions(x=x, y=y, crs=CRS.from_epsg(4326).to_wkt(), nodata=-9999.0, where=str(file.path))


def _read_grid(file: Hdf5File, root: str, shape: tuple[int, int]) -> Grid:
    """The grid in the text that HDF-EOS keeps: outer corners in metres, and the UTM zone (negative in the south)."""
    raw = file.values(_METADATA, "HDF-EOS's description of the grid", most=16)
    text = raw[0].decode("ascii", "replace") if isinstance(raw[0], bytes) else str(raw[0])
    text = text[:_MAX_METADATA]
    corners = [re.search(rf"{key}=\({_NUMBER},{_NUMBER}\)", text) for key in ("UpperLeftPointMtrs", "LowerRightMtrs")]
    if not all(corners):
        raise SceneError(f"{file.path}: {_METADATA} does not hold the corners of the grid (UpperLeftPointMtrs)")
    try:
        (left, top), (right, bottom) = ((float(found[1]), float(found[2])) for found in corners if found)
    except ValueError as error:
        raise SceneError(f"{file.path}: {_METADATA} holds corners that are no numbers") from error
    return Grid(
        lines=shape[0],
        samples=shape[1],
        transform=Affine((right - left) / shape[1], 0, left, 0, (bottom - top) / shape[0], top),
        crs=_crs(file, root, text),
    )


def _crs(file: Hdf5File, root: str, text: str) -> str:
    epsg = file.number(root, "epsg_code")
    if epsg is None:
        zone = re.search(r"ZoneCode=\s*(-?\d{1,2})\b", text)
        if zone is None or "UTM" not in text or not 1 <= abs(int(zone[1])) <= 60:
            raise SceneError(f"{file.path} has neither epsg_code nor a UTM zone, so its CRS is not known")
        epsg = (32600 if int(zone[1]) > 0 else 32700) + abs(int(zone[1]))
    return wkt_of(f"EPSG:{epsg:.0f}", where=str(file.path))
