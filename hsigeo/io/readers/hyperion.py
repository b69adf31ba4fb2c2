"""EO-1 Hyperion L1T and L1Gst: one GeoTIFF for each band, in a folder or the ZIP of USGS.

Structure: USGS, EO-1 User Guide: ``<scene>_B001_L1T.TIF`` to ``B242``, and ``<scene>_MTL_L1T.TXT`` with the scaling
factors (radiance = stored / 40 for the VNIR, stored / 80 for the SWIR spectrometer). The stored numbers are radiance;
there is no L2 of this mission. Wavelengths are not in the files: `hsigeo.io.readers.hyperion_bands`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.io.cube import CubeHeader, FileStamp, check_window
from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly
from hsigeo.io.geotiff import open_raster
from hsigeo.io.readers.hyperion_bands import CENTRES, FIRST_SWIR, IN_USE, WIDTHS
from hsigeo.io.readers.package import Package, is_package, open_package
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling

__all__ = ["HyperionCube", "HyperionReader"]

_BAND = re.compile(r"(?P<scene>EO1H\w+?)_B(?P<band>\d{3})_L1(?:T|GST)\.TIF", re.IGNORECASE)
_METADATA = re.compile(r"(?P<scene>EO1H\w+?)_MTL_L1(?:T|GST)\.TXT", re.IGNORECASE)
_NODATA = -32_768
_ROWS = 64
_NOISY = (77, 78)
"""They repeat what bands 56 and 57 measure, with more noise (USGS)."""


@dataclass(frozen=True)
class HyperionCube:
    """Bands that are files of their own. Implements `hsigeo.io.cube.Cube`.

    Parameters
    ----------
    header
        What is known of the scene.
    names
        How GDAL opens each band.
    """

    header: CubeHeader
    names: tuple[str, ...]

    def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> NDArray[Any]:
        """Stored numbers of a window; see `hsigeo.io.cube.Cube.read`."""
        header = self.header
        band_range, row_range, col_range = check_window(header.shape, bands, rows, cols)
        if 0 in (len(band_range), len(row_range), len(col_range)):
            return np.empty((len(band_range), len(row_range), len(col_range)), dtype=header.dtype)
        window = Window(col_range.start, row_range.start, len(col_range), len(row_range))
        values = self._read(band_range, window)
        empty = (values == 0).all(axis=0)
        if empty.any() and len(band_range) < header.bands.count:
            # Dark in these bands, or outside the scene? Only all bands together can tell.
            empty &= (self._read(range(header.bands.count), window) == 0).all(axis=0)
        values[:, empty] = _NODATA
        return values

    def _read(self, bands: range, window: Window) -> NDArray[np.int16]:
        values = np.empty((len(bands), window.height, window.width), dtype=np.int16)
        name = ""
        try:
            with rasterio.Env():
                for target, band in zip(values, bands, strict=True):
                    name = self.names[band]
                    with open_quietly(name, driver="GTiff") as dataset:
                        if dataset.shape != self.header.grid.shape:
                            raise SceneError(f"{name} is {dataset.shape} pixels, other bands {self.header.grid.shape}")
                        dataset.read(1, window=window, out=target)
        except GDAL_ERRORS as error:
            raise SceneError(f"{name} cannot be read; it may be damaged: {reason(error)}") from error
        return values


class HyperionReader:
    """EO-1 Hyperion L1T and L1Gst."""

    name = "hyperion"
    title = "EO-1 Hyperion L1T radiance (a GeoTIFF for each band; folder or ZIP)"

    def claim(self, probe: Probe) -> str | None:
        """A band of a scene, its metadata, or a folder or ZIP with at least two bands."""
        name = probe.path.name
        if not probe.is_folder and (_BAND.fullmatch(name) or _METADATA.fullmatch(name)):
            return "it is a file of a Hyperion scene"
        if not is_package(probe.path, probe.start):
            return None
        try:
            found = open_package(probe.path, start=probe.start or None).find(_BAND.pattern)
        except SceneError:
            return None
        scenes = {_scene_of(member) for member in found}
        return (
            f"it holds {found[0].rsplit('/', 1)[-1]} and other bands" if len(found) > 1 and len(scenes) == 1 else None
        )

    def open(self, path: Path) -> HyperionCube:
        """Open the scene."""
        package, scene = _find_scene(path)
        by_band = _bands_of(package, scene)
        numbers = [number for number in IN_USE if number in by_band]
        if len(numbers) < 2:
            raise SceneError(
                f"{path} holds {len(numbers)} of Hyperion's bands (…_B008_L1T.TIF and on); a scene needs more"
            )
        notes = ["Hyperion L1T holds radiance, in W/(m² sr µm): models trained on reflectance do not apply"]
        if missing := [number for number in IN_USE if number not in by_band]:
            notes.append(f"{len(missing)} calibrated bands are not there: {', '.join(map(str, missing)):.80}")
        names = tuple(package.gdal_name(by_band[number]) for number in numbers)
        in_folder = package.kind == "folder"
        first = open_raster(
            Path(names[0]) if in_folder else package.path, gdal_name="" if in_folder else names[0]
        ).header
        if first.bands.count != 1 or first.dtype != np.int16:
            raise SceneError(f"{names[0]} has {first.bands.count} bands of {first.dtype}; Hyperion's have one of int16")
        index = np.array(numbers) - 1
        vnir, swir = _factors(package, scene, notes)
        factor = np.where(np.array(numbers) < FIRST_SWIR, vnir, swir)
        header = replace(
            first,
            path=str(path),
            data_path=str(package.path.absolute()),
            stamp=FileStamp.of(package.path),
            interleave="bsq",
            block_shape=(min(_ROWS, first.grid.lines), first.grid.samples),
            bands=BandTable(
                count=len(numbers),
                wavelength=CENTRES[index],
                fwhm=WIDTHS[index],
                good=~np.isin(numbers, _NOISY),
            ),
            band_names=tuple(f"B{number:03}" for number in numbers),
            scaling=Scaling(gain=1 / factor, offset=np.zeros(len(numbers))),
            nodata=_NODATA,
            description=scene,
            sensor="EO-1 Hyperion",
            class_names=(),
            class_colors=(),
            repairs=tuple(notes),
        )
        return HyperionCube(header, names)


def _find_scene(path: Path) -> tuple[Package, str]:
    """The package that a scene lies in, and its name."""
    named = None if path.is_dir() else _BAND.fullmatch(path.name) or _METADATA.fullmatch(path.name)
    package = open_package(path.parent if named else path)
    if named:
        return package, named["scene"]
    scenes = sorted({_scene_of(member) for member in package.find(_BAND.pattern)})
    if len(scenes) != 1:
        raise SceneError(f"{path} holds {len(scenes)} Hyperion scenes; name a band of one")
    return package, scenes[0]


def _scene_of(member: str) -> str:
    found = _BAND.fullmatch(member.rsplit("/", 1)[-1])
    return found["scene"].upper() if found else ""


def _bands_of(package: Package, scene: str) -> dict[int, str]:
    """Members by the number of their band."""
    found = {}
    for member in package.find(rf"{re.escape(scene)}_B\d{{3}}_L1(?:T|GST)\.TIF"):
        match = _BAND.fullmatch(member.rsplit("/", 1)[-1])
        if match:
            found[int(match["band"])] = member
    return found


def _factors(package: Package, scene: str, notes: list[str]) -> tuple[float, float]:
    """What stored numbers are divided by, for VNIR and SWIR bands."""
    found = package.find(rf"{re.escape(scene)}_MTL_L1(?:T|GST)\.TXT")
    text = package.read(found[0]).decode("ascii", "replace") if found else ""
    factors = [re.search(rf"SCALING_FACTOR_{name}\s*=\s*([\d.]+)", text) for name in ("VNIR", "SWIR")]
    if all(factors):
        values = [float(factor[1]) for factor in factors if factor and factor[1].strip(".")]
        if len(values) == 2 and min(values) > 0:
            return values[0], values[1]
    notes.append("the scene's metadata (_MTL_L1T.TXT) states no scaling factors; the usual 40 and 80 were used")
    return 40.0, 80.0
