"""The reader of GeoTIFF, and of other rasters that GDAL reads from a single local file."""

from __future__ import annotations

from pathlib import Path

from hsigeo.io.cube import Cube
from hsigeo.io.geotiff import TIFF_MAGIC, open_raster
from hsigeo.io.readers.protocol import Probe

__all__ = ["GeoTiffReader"]


class GeoTiffReader:
    """GeoTIFF, with wavelengths in its tags."""

    name = "geotiff"
    title = "GeoTIFF, and other rasters of one file that GDAL reads"

    def claim(self, probe: Probe) -> str | None:
        """The first bytes of a TIFF."""
        return "it begins as a TIFF does" if probe.start[:4] in TIFF_MAGIC else None

    def open(self, path: Path) -> Cube:
        """Open the scene; see `hsigeo.io.geotiff.open_raster`."""
        return open_raster(path)
