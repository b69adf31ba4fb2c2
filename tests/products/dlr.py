"""EnMAP and DESIS products: an image, an XML document, quality layers."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from envi_files import header_text
from numpy.typing import NDArray

ENMAP = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
DESIS = "DESIS-HSI-L2A-DT0865788448_017-20230607T153935-V0220"
NODATA = -32_768
TRANSFORM = Affine(30, 0, 360_000, 0, -30, 5_810_000)

ENMAP_WAVELENGTH = (418.4, 901.9, 902.3, 907.7, 911.6, 993.4, 1000.9, 1390.5, 2445.5)
"""In order; every second one between 901 and 994 nm is of the other detector."""
ENMAP_VNIR, ENMAP_SWIR = (1, 3, 4, 6), (2, 5, 7, 8, 9)
ENMAP_EMPTY = 8
"""A band in the water vapour, which has no values."""

DESIS_WAVELENGTH = (402.8, 500.2, 700.9, 999.5)
DESIS_GAIN = (1e-4, 1e-4, 2e-4, 1e-4)


def write_image(path: Path, cube: NDArray[Any], *, nodata: float | None = NODATA) -> Path:
    """Write a pixel-interleaved, tiled int16 GeoTIFF in UTM 33N, as both ground segments do."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=cube.shape[0],
        height=cube.shape[1],
        width=cube.shape[2],
        dtype="int16",
        crs="EPSG:32633",
        transform=TRANSFORM,
        nodata=nodata,
        compress="lzw",
        interleave="pixel",
    ) as dataset:
        dataset.write(cube.astype(np.int16))
    return path


def write_enmap(
    folder: Path,
    cube: NDArray[Any],
    *,
    name: str = ENMAP,
    level: str = "L2A",
    bands: Sequence[float] = ENMAP_WAVELENGTH,
    leave_out: tuple[str, ...] = (),
    nodata: float | None = NODATA,
) -> Path:
    """Write the product into `folder`; return its METADATA.XML.

    The document has the elements that EN-PCV-ICD-2009-2 gives, of which readers use a few.
    """
    folder.mkdir(exist_ok=True)
    document = folder / f"{name}-METADATA.XML"
    characterisation = "".join(
        f'<bandID number="{number}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>'
        f"<FWHMOfBand>{6 + number / 10}</FWHMOfBand>"
        "<GainOfBand>0.0001</GainOfBand><OffsetOfBand>0.0</OffsetOfBand></bandID>"
        for number, centre in enumerate(bands, start=1)
    )
    statistics = "".join(
        f'<bandID number="{number}"><minimum>0</minimum>'
        + (
            "<mean>-1000000</mean><stdDeviation>0</stdDeviation></bandID>"
            if number == ENMAP_EMPTY
            else "<mean>1200.5</mean><stdDeviation>300.2</stdDeviation></bandID>"
        )
        for number in range(1, len(bands) + 1)
    )
    document.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<metadata><schema><versionSchema>00.02.00</versionSchema></schema></metadata>"
        f"<base><format>GeoTIFF+Metadata</format><level>{level}</level></base>"
        f"<specific><code>{level}</code><bandCharacterisation>{characterisation}</bandCharacterisation>"
        f"{_channels('vnir', ENMAP_VNIR)}{_channels('swir', ENMAP_SWIR)}"
        f"</specific><product><bandStatistics>{statistics}</bandStatistics></product></level_X>\n",
        encoding="utf-8",
    )
    if "image" not in leave_out:
        write_image(folder / f"{name}-SPECTRAL_IMAGE.TIF", cube, nodata=nodata)
        write_image(folder / f"{name}-QL_QUALITY_CLOUD.TIF", cube[:1], nodata=None)
    if "document" in leave_out:
        document.unlink()
    return document


def _channels(detector: str, numbers: tuple[int, ...]) -> str:
    listed = ",".join(map(str, numbers))
    quality = f"{detector}ProductQuality"
    return f"<{quality}><expectedChannelsList>{listed}</expectedChannelsList></{quality}>"


def write_desis(folder: Path, cube: NDArray[Any], *, name: str = DESIS, leave_out: tuple[str, ...] = ()) -> Path:
    """Write the product into `folder`; return its image."""
    folder.mkdir(exist_ok=True)
    width = [3.4, 3.5, 3.6, 3.7]
    bands = "".join(
        f"<band><bandNumber>{number}</bandNumber><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>"
        f"<wavelengthWidthOfBand>{wide}</wavelengthWidthOfBand><response>0.1,1,0.1</response>"
        f"<gainOfBand>{gain}</gainOfBand><offsetOfBand>0</offsetOfBand></band>"
        for number, (centre, wide, gain) in enumerate(zip(DESIS_WAVELENGTH, width, DESIS_GAIN, strict=True), start=1)
    )
    if "document" not in leave_out:
        (folder / f"{name}-METADATA.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<hsi_doc><specific><bandCharacterisation>'
            f"{bands}</bandCharacterisation></specific></hsi_doc>\n"
        )
    if "header" not in leave_out:
        fields = {
            "samples": cube.shape[2],
            "lines": cube.shape[1],
            "bands": cube.shape[0],
            "data type": 2,
            "interleave": "bip",
            "byte order": 0,
            "wavelength units": "nanometers",
            "wavelength": list(DESIS_WAVELENGTH),
            "fwhm": width,
            "data gain values": list(DESIS_GAIN),
            "data offset values": [0] * 4,
        }
        (folder / f"{name}-SPECTRAL_IMAGE.hdr").write_text(header_text(fields))
    return write_image(folder / f"{name}-SPECTRAL_IMAGE.tif", cube, nodata=None)


def pack(folder: Path, archive: Path) -> Path:
    """A folder as ZIP, TAR or TAR.GZ, by the archive's name, the folder's name before each member."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in files:
                packed.write(file, f"{folder.name}/{file.name}")
    else:
        with tarfile.open(archive, "w:gz" if archive.name.endswith("gz") else "w") as packed_tar:
            for file in files:
                packed_tar.add(file, f"{folder.name}/{file.name}")
    return archive
