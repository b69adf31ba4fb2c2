"""The reader of ENVI scenes: any sensor, any layout."""

from __future__ import annotations

from pathlib import Path

from hsigeo.io.cube import Cube
from hsigeo.io.envi import open_envi
from hsigeo.io.geotiff import TIFF_MAGIC
from hsigeo.io.readers.protocol import Probe

__all__ = ["EnviReader"]


class EnviReader:
    """ENVI: a header as text, and a data file beside it."""

    name = "envi"
    title = "ENVI header and data file"

    def claim(self, probe: Probe) -> str | None:
        """A name that ends in ``.hdr``, or an ENVI header beside a file that is no TIFF."""
        if probe.path.suffix.lower() == ".hdr" and not probe.is_folder:
            return "its name ends in .hdr"
        if probe.is_folder or probe.is_hdf5 or probe.start[:4] in TIFF_MAGIC or probe.envi_header is None:
            return None
        return f"the ENVI header {probe.envi_header.name} lies beside it"

    def open(self, path: Path) -> Cube:
        """Open the scene; see `hsigeo.io.envi.open_envi`."""
        return open_envi(path)
