"""DESIS L2A: a GeoTIFF, an ENVI header that GDAL does not look at, and METADATA.xml, in a folder, a ZIP or a TAR.

Structure: DLR, DESIS Products Guide (PAV-DLR-TN-002); EnMAP-Box ``importdesisl2aalgorithm.py``. Band centres, widths,
gains and offsets stand in both the header and the document; the header's are taken where it is there.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from hsigeo.errors import SceneError
from hsigeo.io.cube import Cube
from hsigeo.io.envi.header import EnviHeader, parse_header
from hsigeo.io.readers.dlr import (
    Product,
    band_values,
    claim_package,
    find_product,
    open_image,
    product_files,
    scaling_of,
    with_metadata,
)
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.wavelengths import make_band_table

__all__ = ["DesisReader"]

_PREFIX = r"DESIS-HSI-L\w\w-.*"
_ROOT = re.compile(rb"<(?:\w+:)?hsi_doc\b")
_GAIN = 1e-4


class DesisReader:
    """DESIS L2A."""

    name = "desis"
    title = "DESIS L2A (GeoTIFF with header and METADATA.xml; folder, ZIP or TAR)"

    def claim(self, probe: Probe) -> str | None:
        """A file of a product, or a folder or archive that holds one."""
        if not probe.is_folder and (files := product_files(probe.path)) is not None:
            named = re.fullmatch(_PREFIX, files[0], re.IGNORECASE) or _ROOT.search(probe.start)
            return f"it is a file of the DESIS product {files[0]}" if named else None
        return claim_package(probe, _PREFIX)

    def open(self, path: Path) -> Cube:
        """Open the scene."""
        product = find_product(path, _PREFIX)
        if (level := re.match(r"DESIS-HSI-(L\w\w)-", product.name, re.IGNORECASE)) and level[1].upper() != "L2A":
            raise SceneError(f"{path} is DESIS {level[1]}, which is not reflectance; hsigeo reads L2A")
        cube = open_image(product)
        header = _read_header(product)
        count = cube.header.bands.count
        wavelength, fwhm, gain, offset, source = (
            _of_document(product, count) if header is None else _of_header(header, count)
        )
        table, notes = make_band_table(count, wavelength=wavelength, unit="nm", fwhm=fwhm)
        return with_metadata(
            product,
            cube,
            bands=table,
            scaling=scaling_of(np.array(gain), np.array(offset), source),
            sensor="DESIS",
            description=product.name,
            notes=notes,
        )


Spectral = tuple[list[float], list[float], list[float], list[float], str]


def _read_header(product: Product) -> EnviHeader | None:
    found = product.package.find(re.escape(product.name) + r"-SPECTRAL_IMAGE\.HDR")
    if not found:
        return None
    text = product.package.read(found[0]).decode("utf-8", "replace")
    return parse_header(text, product.package.where(found[0]))


def _of_header(header: EnviHeader, count: int) -> Spectral:
    """What the ENVI header says: wavelength, fwhm, gain and offset of each band."""
    lists = {}
    for key, default in (
        ("wavelength", None),
        ("fwhm", None),
        ("data gain values", _GAIN),
        ("data offset values", 0.0),
    ):
        values = [float(value) for value in header.numbers(key)]
        if not values and default is not None:
            values = [default] * count
        if len(values) != count:
            raise SceneError(f"{header.source}: {key} has {len(values)} values, the image {count} bands")
        lists[key] = values
    return (*lists.values(), header.source)  # type: ignore[return-value]


def _of_document(product: Product, count: int) -> Spectral:
    """The same from METADATA.xml."""
    where = product.package.where(product.metadata)
    root: ET.Element = product.read_metadata()
    bands = root.findall(".//bandCharacterisation/band")
    if len(bands) != count:
        raise SceneError(
            f"{where} describes {len(bands)} bands, the image has {count}; a newer version of the product, or files "
            "that do not belong together"
        )
    return (
        band_values(bands, "wavelengthCenterOfBand", where).tolist(),
        band_values(bands, "wavelengthWidthOfBand", where).tolist(),
        band_values(bands, "gainOfBand", where, default=_GAIN).tolist(),
        band_values(bands, "offsetOfBand", where, default=0.0).tolist(),
        where,
    )
