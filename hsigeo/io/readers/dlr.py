"""What EnMAP and DESIS share: a spectral image, and an XML document that says what its bands are.

Both come from DLR's ground segments: ``<product>-SPECTRAL_IMAGE.TIF`` and ``<product>-METADATA.XML``, beside quality
layers ``<product>-QL_….TIF``; one product a folder, delivered as ZIP or TAR.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from hsigeo.errors import SceneError
from hsigeo.io.cube import Cube
from hsigeo.io.envi import open_envi
from hsigeo.io.geotiff import RasterCube, open_raster
from hsigeo.io.numerals import parse_number
from hsigeo.io.readers.package import Package, is_package, open_package, parse_xml
from hsigeo.io.readers.protocol import Probe
from hsigeo.io.scaling import Scaling

__all__ = [
    "NODATA",
    "Product",
    "band_values",
    "claim_package",
    "find_product",
    "open_image",
    "product_files",
    "scaling_of",
    "with_metadata",
]

NODATA = -32_768
"""The background of both products, where the TIFF does not state another."""

# A quality layer alone is a raster like any other: somebody may want to look at it.
_PART = re.compile(r"(?P<product>.+)-(?:METADATA|SPECTRAL_IMAGE(?:_COG)?)\.\w+", re.IGNORECASE)
_IMAGE = r"-SPECTRAL_IMAGE(?:_COG)?\.(?:TIFF?|BSQ|BIL|BIP)"
_ENVI = (".bsq", ".bil", ".bip")


@dataclass(frozen=True, kw_only=True)
class Product:
    """The files of one scene.

    Parameters
    ----------
    path
        What the user named.
    package
        Where the files lie.
    name
        What their names begin with.
    image, metadata
        The members of the package that count.
    """

    path: Path
    package: Package
    name: str
    image: str
    metadata: str

    def read_metadata(self) -> ET.Element:
        """The root of the XML document."""
        return parse_xml(self.package.read(self.metadata), self.package.where(self.metadata))

    def quality_layers(self) -> tuple[tuple[str, str], ...]:
        """The layers that come with the image, as companions: they are there, and not used."""
        found = self.package.find(re.escape(self.name) + r"-QL_.+\.TIFF?")
        return tuple(("quality", self.package.where(member)) for member in found)


def product_files(path: Path) -> tuple[str, list[str]] | None:
    """For a file of a product: the product's name and the files beside it with that name; `None` for any other file."""
    found = _PART.fullmatch(path.name)
    if found is None or not path.parent.is_dir():
        return None
    name = found["product"]
    return name, sorted(entry.name for entry in path.parent.iterdir() if entry.name.startswith(f"{name}-"))


def claim_package(probe: Probe, prefix: str) -> str | None:
    """Why a folder or archive is a scene: the document of a product in it; `None` for anything else."""
    found = _products_in(probe.path, probe.start, prefix)
    # A folder of several is a folder of scenes; an archive of several is refused when it is opened.
    return f"it holds {found[0]}" if found and (len(found) == 1 or not probe.is_folder) else None


def _products_in(path: Path, start: bytes, prefix: str) -> list[str]:
    """The documents of the products in a folder or archive; empty for anything else, or where it cannot be listed."""
    if not is_package(path, start):
        return []
    try:
        found = open_package(path, start=start or None).find(prefix + r"-METADATA\.XML")
    except SceneError:
        return []
    return [member.rsplit("/", 1)[-1] for member in found]


def find_product(path: Path, prefix: str) -> Product:
    """The one product in a folder or archive, or that a file belongs to.

    Parameters
    ----------
    prefix
        Pattern of what its name begins with.

    Raises
    ------
    SceneError
        There is none, or more than one, or a file is missing.
    """
    among = None if path.is_dir() else product_files(path)
    package = open_package(path.parent, among=among[1]) if among else open_package(path)
    wanted = re.escape(among[0]) if among else prefix
    images = package.find(f"(?:{wanted}){_IMAGE}")
    documents = package.find(f"(?:{wanted})-METADATA\\.XML")
    names = sorted({_name_of(member) for member in [*images, *documents]})
    if not names:
        raise SceneError(f"{path} holds no -SPECTRAL_IMAGE.TIF and -METADATA.XML of such a product")
    if len(names) > 1:
        raise SceneError(f"{path} holds {len(names)} scenes ({', '.join(names):.200}); unpack it and name one")
    if not images or not documents:
        missing = "METADATA.XML" if images else "SPECTRAL_IMAGE.TIF"
        raise SceneError(f"{path}: {names[0]}-{missing} is not there; both it and the {_other(missing)} are needed")
    return Product(path=path, package=package, name=names[0], image=images[0], metadata=documents[0])


def open_image(product: Product) -> Cube:
    """The pixels of a product.

    Raises
    ------
    SceneError
        They lie as ENVI files in an archive, or cannot be opened.
    """
    package = product.package
    if Path(product.image).suffix.lower() in _ENVI:
        if package.kind != "folder":
            raise SceneError(
                f"{package.where(product.image)}: ENVI files are not read out of archives; unpack it first"
            )
        return open_envi(package.path / product.image)
    if package.kind == "folder":
        return open_raster(package.path / product.image)
    return open_raster(package.path, gdal_name=package.gdal_name(product.image))


def with_metadata(product: Product, cube: Cube, **known: Any) -> Cube:
    """The cube, with what the document says in its header."""
    header = cube.header
    notes = list(known.pop("notes", ()))
    if product.package.kind == "tar":
        notes.append("scenes in a TAR are slow to read out of order; unpack it first")
    header = replace(
        header,
        path=str(product.path),
        nodata=NODATA if header.nodata is None and header.dtype == np.int16 else header.nodata,
        companions=product.quality_layers(),
        # What the image alone made the reader guess about scale and wavelengths is not so.
        repairs=tuple(notes),
        **known,
    )
    return cast(Cube, replace(cast(RasterCube, cube), header=header))


def band_values(
    bands: Sequence[ET.Element], key: str, where: str, *, default: float | None = None
) -> NDArray[np.float64]:
    """A number of each band's element.

    Raises
    ------
    SceneError
        A band has none, or something else.
    """
    values = []
    for number, band in enumerate(bands, start=1):
        text = band.findtext(key)
        value = default if text is None else parse_number(text)
        if value is None or not np.isfinite(value):
            raise SceneError(f"{where}: band {number} has {'no' if text is None else f'{text!r:.30} as'} {key}")
        values.append(value)
    return np.array(values, dtype=np.float64)


def scaling_of(gain: NDArray[np.float64], offset: NDArray[np.float64], where: str) -> Scaling:
    """Gain and offset of each band.

    Raises
    ------
    SceneError
        A gain is 0 or negative.
    """
    if not (gain > 0).all():
        raise SceneError(f"{where}: a gain of {gain.min():g} gives no reflectance")
    return Scaling(gain=gain, offset=offset)


def _name_of(member: str) -> str:
    found = _PART.fullmatch(member.rsplit("/", 1)[-1])
    return found["product"] if found else member


def _other(missing: str) -> str:
    return "image" if missing == "METADATA.XML" else "document"
