"""Which files of a folder are class maps, and of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hsigeo.io.gdal_errors import GDAL_ERRORS, reason
from hsigeo.io.georeference import open_quietly
from hsigeo.io.map_tag import TAG, read_tag

__all__ = ["FoundMap", "find_maps", "tiffs_in"]


@dataclass(frozen=True, kw_only=True)
class FoundMap:
    """A raster of class ids with hsigeo's tag.

    Parameters
    ----------
    path
        The file.
    kind
        ``mosaic``, ``lines`` or ``disagreement``, for one that was made from the maps of several lines; else empty.
    """

    path: Path
    kind: str


def tiffs_in(folder: Path) -> list[Path]:
    """The TIFFs of a folder by name; not of folders in it, and none that is hidden, which may be half written."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.casefold() in (".tif", ".tiff") and not path.name.startswith(".") and path.is_file()
    ]


def find_maps(folder: Path) -> tuple[list[FoundMap], dict[str, str]]:
    """Look through a folder, not into folders in it, and not at hidden files.

    Returns
    -------
    maps
        By name.
    unreadable
        Name of each TIFF that cannot be opened, and why.
    """
    found, unreadable = [], {}
    for path in tiffs_in(folder):
        try:
            with open_quietly(path, driver="GTiff") as dataset:
                stored = read_tag(dataset.tags().get(TAG))
                holds_ids = dataset.count == 1 and not dataset.dtypes[0].startswith("float")
        except GDAL_ERRORS as error:
            unreadable[path.name] = reason(error)
            continue
        if stored is not None and holds_ids:
            kind = stored[1].get("kind")
            found.append(FoundMap(path=path, kind=kind if isinstance(kind, str) else ""))
    return found, unreadable
