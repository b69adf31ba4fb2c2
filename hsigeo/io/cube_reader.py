"""Opens a path as a cube, with the reader that fits the file. Without xarray and dask, so that it starts at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from hsigeo.io.cube import Cube
from hsigeo.io.readers.registry import find_reader

__all__ = ["open_cube"]


def open_cube(path: str | os.PathLike[str], *, reader: str | None = None) -> Cube:
    """Open a scene as headers and stored numbers, without xarray.

    Parameters
    ----------
    path
        A scene as it was delivered; ``docs/formats.md`` lists what is read.
    reader
        Name of the reader to use; by default it is found from what is in the file. The cube's header says which
        it was, and why.

    Raises
    ------
    SceneNotFoundError
        There is no such file, or one that belongs to it is missing.
    SceneError
        It is not a scene that hsigeo reads, or is damaged; or there is no such reader.
    """
    found = find_reader(Path(path), reader)
    cube = found.reader.open(Path(path))
    header = replace(
        cube.header,
        reader=found.reader.name,
        reader_reason=found.reason,
        repairs=(*found.notes, *cube.header.repairs),
    )
    return cast(Cube, replace(cast(Any, cube), header=header))
