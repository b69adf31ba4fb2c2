"""Which reader a file is for: asked by name, or found from what is in the file.

The strategy here: readers of other packages are asked first (whoever installs one wants it used), then the readers of
products, then those of general formats, which would take most products too but know less about them. The first that
claims a file gets it. Readers are imported when they are asked, and keep their heavy imports until they open.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from hsigeo.errors import SceneError
from hsigeo.io.readers.hdf5 import explain
from hsigeo.io.readers.package import is_package
from hsigeo.io.readers.protocol import Probe, Reader

__all__ = ["FoundReader", "find_reader", "is_scene", "reader_names"]

GROUP = "hsigeo.readers"

# From the most special to the most general.
_BUILT_IN = {
    "emit": "hsigeo.io.readers.emit:EmitReader",
    "aviris": "hsigeo.io.readers.aviris:AvirisReader",
    "tanager": "hsigeo.io.readers.tanager:TanagerReader",
    "neon": "hsigeo.io.readers.neon:NeonReader",
    "prisma": "hsigeo.io.readers.prisma:PrismaReader",
    "enmap": "hsigeo.io.readers.enmap:EnmapReader",
    "desis": "hsigeo.io.readers.desis:DesisReader",
    "hyperion": "hsigeo.io.readers.hyperion:HyperionReader",
    "zarr": "hsigeo.io.readers.zarr:ZarrReader",
    "flight-line": "hsigeo.io.readers.flight_line:FlightLineReader",
    "envi": "hsigeo.io.readers.envi:EnviReader",
    "geotiff": "hsigeo.io.readers.geotiff:GeoTiffReader",
}

# First bytes of known formats that no reader claims, what they are, and what to do instead.
_NOT_READ = (
    (b"CDF", "a NetCDF-3 file", "convert it to NetCDF-4 (nccopy -k nc4), ENVI or GeoTIFF"),
    (b"MATLAB 5.0", "a MATLAB file, which has no georeference", "write its cube as ENVI or GeoTIFF"),
    (b"<VRTDataset", "a GDAL VRT, which may point anywhere", "make a GeoTIFF of it (gdal_translate)"),
)


@dataclass(frozen=True, kw_only=True)
class FoundReader:
    """A reader, and why it is the one.

    Parameters
    ----------
    reader
        The reader.
    reason
        Why, as the end of "because …".
    notes
        What went wrong on the way: readers of other packages that could not be imported.
    """

    reader: Reader
    reason: str
    notes: tuple[str, ...] = ()


def reader_names() -> list[str]:
    """The names that `find_reader` takes, in the order in which readers are asked."""
    foreign = _foreign()
    return [*sorted(foreign), *(name for name in _BUILT_IN if name not in foreign)]


def find_reader(path: Path, name: str | None = None) -> FoundReader:
    """The reader for a file.

    Parameters
    ----------
    path
        A file or folder.
    name
        Which reader to take; `None` asks each whether the file is its own.

    Raises
    ------
    SceneNotFoundError
        There is nothing at this path.
    SceneError
        No reader claims the file, or there is none of this name.
    """
    probe = Probe(path)
    _ = probe.start  # a file that is not there is no reader's business
    if name is not None:
        return FoundReader(reader=_named(name), reason="it was asked for by name")
    notes: list[str] = []
    for reader in _readers(notes):
        if reason := reader.claim(probe):
            return FoundReader(reader=reader, reason=reason, notes=tuple(notes))
    _refuse(probe)
    # What is left may be one of the formats that only GDAL recognises.
    return FoundReader(reader=_built_in("geotiff"), reason="no other reader claims it", notes=tuple(notes))


def is_scene(folder: Path) -> bool:
    """Whether a folder as a whole is one scene (Hyperion's bands, an EnMAP product, a Zarr store)."""
    return any(reader.claim(Probe(folder)) for reader in _readers([]))


def _readers(notes: list[str]) -> Iterator[Reader]:
    foreign = _foreign()
    for name in sorted(foreign):
        try:
            yield _load(foreign[name])
        except SceneError as error:
            notes.append(str(error))
    for name in _BUILT_IN:
        if name not in foreign:
            yield _built_in(name)


def _named(name: str) -> Reader:
    if (foreign := _foreign().get(name)) is not None:
        return _load(foreign)
    if name not in _BUILT_IN:
        raise SceneError(f"there is no reader {name!r:.40}; there are {', '.join(reader_names())}")
    return _built_in(name)


def _built_in(name: str) -> Reader:
    module, _, attribute = _BUILT_IN[name].partition(":")
    return cast(Reader, getattr(importlib.import_module(module), attribute)())


def _foreign() -> dict[str, EntryPoint]:
    return _found_on(tuple(sys.path))


@lru_cache(maxsize=4)
def _found_on(_places: tuple[str, ...]) -> dict[str, EntryPoint]:
    # Once: it reads a file of every package that is installed, and a campaign opens thousands of scenes.
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> Reader:
    """A reader of another package: a class without parameters, or an instance."""
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise SceneError(f"the reader {point.name!r} ({point.value}) cannot be imported: {error}") from error
    return cast(Reader, found() if isinstance(found, type) else found)


def _refuse(probe: Probe) -> None:
    path = probe.path
    if probe.is_folder:
        raise SceneError(f"{path} is a folder, and not of one product; name a scene in it (an ENVI .hdr or a GeoTIFF)")
    if is_package(path, probe.start):
        raise SceneError(f"{path} is an archive that holds no product hsigeo knows; unpack it and name a scene")
    for magic, what, remedy in _NOT_READ:
        if probe.start.startswith(magic):
            raise SceneError(f"{path} is {what}; hsigeo does not read these: {remedy}")
    if probe.is_hdf5:
        raise SceneError(explain(path))
    if path.suffix == ".safetensors":
        raise SceneError(
            f"{path} is a model, not a scene: `hsigeo info {path}` describes it, "
            f"`hsigeo classify SCENE --model {path}` uses it"
        )
