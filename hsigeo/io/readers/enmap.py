"""EnMAP L2A: a spectral image (GeoTIFF, or ENVI) and METADATA.XML, in a folder, a ZIP or a TAR.

Structure: DLR, EnMAP HSI Level 1B, 1C and 2A Product Specification (EN-PCV-ICD-2009-2); EnMAP-Box
``importenmapl2aalgorithm.py``; GFZ EnPT. Bands are in order of wavelength, those of both detectors among each other
between 900 and 1000 nm; ``expectedChannelsList`` says which belong to which.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import Cube
from hsigeo.io.readers.dlr import (
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

__all__ = ["EnmapReader"]

_PREFIX = r"ENMAP\d\d-.*"
_ROOT = re.compile(rb"<(?:\w+:)?level_X\b")


class EnmapReader:
    """EnMAP L2A."""

    name = "enmap"
    title = "EnMAP L2A (GeoTIFF or ENVI with METADATA.XML; folder, ZIP or TAR)"

    def claim(self, probe: Probe) -> str | None:
        """The document of a product, a file beside it, or a folder or archive that holds one."""
        if probe.is_xml and _ROOT.search(probe.start):
            return "it is a METADATA.XML of EnMAP"
        if not probe.is_folder and (files := product_files(probe.path)) is not None:
            return _claim_file(probe.path, *files)
        return claim_package(probe, _PREFIX)

    def open(self, path: Path) -> Cube:
        """Open the scene."""
        product = find_product(path, _PREFIX)
        where = product.package.where(product.metadata)
        root = product.read_metadata()
        level = (root.findtext("base/level") or root.findtext("specific/code") or "L2A").strip()
        if root.tag.rpartition("}")[2] != "level_X":
            raise SceneError(f"{where} is no METADATA.XML of EnMAP: it is a document {root.tag!r:.40}")
        if level != "L2A":
            raise SceneError(f"{where} describes EnMAP {level:.20}, which is not reflectance; hsigeo reads L2A")
        cube = open_image(product)
        bands = root.findall("specific/bandCharacterisation/bandID")
        if len(bands) != cube.header.bands.count:
            raise SceneError(
                f"{where} describes {len(bands)} bands, the image has {cube.header.bands.count}; a newer version of "
                "the product, or files that do not belong together"
            )
        wavelength = band_values(bands, "wavelengthCenterOfBand", where)
        notes: list[str] = []
        good = _good_bands(root, wavelength, notes)
        table, found = make_band_table(
            len(bands),
            wavelength=wavelength.tolist(),
            unit="nm",
            fwhm=band_values(bands, "FWHMOfBand", where).tolist(),
            good=good.astype(float).tolist(),
        )
        return with_metadata(
            product,
            cube,
            bands=table,
            scaling=scaling_of(
                band_values(bands, "GainOfBand", where), band_values(bands, "OffsetOfBand", where, default=0.0), where
            ),
            sensor="EnMAP",
            description=product.name,
            notes=[*notes, *found],
        )


def _claim_file(path: Path, name: str, files: list[str]) -> str | None:
    """A file is of EnMAP where the document beside it is."""
    for document in files:
        if document.upper() == f"{name}-METADATA.XML".upper():
            with (path.parent / document).open("rb") as file:
                return f"{document} lies beside it" if _ROOT.search(file.read(4096)) else None
    return None


def _good_bands(root: ET.Element, wavelength: NDArray[np.float64], notes: list[str]) -> NDArray[np.bool_]:
    """Bands with values, one detector where two overlap: the end of the VNIR detector is the noisier one."""
    good = np.ones(len(wavelength), dtype=bool)
    channels = [_channels(root, detector, len(wavelength)) for detector in ("vnir", "swir")]
    if all(len(found) for found in channels):
        vnir, swir = channels
        beyond = vnir[wavelength[vnir] >= wavelength[swir].min()]
        good[beyond] = False
        if len(beyond):
            notes.append(f"{len(beyond)} bands of the VNIR detector that overlap the SWIR detector were marked bad")
    else:
        notes.append("the document does not say which bands belong to which detector")
    statistics = root.findall("product/bandStatistics/bandID")
    if len(statistics) == len(wavelength):
        empty = [
            band.findtext("stdDeviation", "").strip() == "0" and band.findtext("mean", "").strip() == "-1000000"
            for band in statistics
        ]
        good &= ~np.array(empty)
        if any(empty):
            notes.append(f"{sum(empty)} bands without values were marked bad")
    return good


def _channels(root: ET.Element, detector: str, bands: int) -> NDArray[np.intp]:
    """Positions (from 0) of the bands of a detector; empty where the document does not say."""
    text = root.findtext(f"specific/{detector}ProductQuality/expectedChannelsList") or ""
    numbers = [int(part) for part in re.findall(r"\d{1,5}", text)]
    return np.array([number - 1 for number in numbers if 1 <= number <= bands], dtype=np.intp)
