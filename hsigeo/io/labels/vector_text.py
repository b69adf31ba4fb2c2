"""In which encoding the text of a vector file is.

Most formats are UTF-8 by definition. A shapefile may say it in a ``.cpg`` file beside it, or by a number in the head of
its ``.dbf``; where neither does, GDAL takes it for Latin-1, and so it does where the number only says "the Windows code
page of whoever wrote it". Such text is read as its bytes, and as UTF-8, or what the user says, or not at all.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyogrio
from numpy.typing import NDArray

from hsigeo.errors import LabelError
from hsigeo.io.text_encoding import NAME_IT, check_encoding

__all__ = ["AS_BYTES", "decode_column", "decode_title", "settle_encoding"]

AS_BYTES = "ISO-8859-1"
"""Has a character for every byte: text that GDAL reads as this is text it has not changed."""

_MAY_BE_ANY = ("ESRI Shapefile", "MapInfo File")
_LANGUAGE_BYTE = 29
_SAYS_NOTHING = (b"\0", b"\x57")


def settle_encoding(path: str, layer: str, given: str | None) -> str | None:
    """The encoding to decode text in that is read `AS_BYTES`; `None` leaves it to GDAL, which knows.

    Raises
    ------
    LabelError
        There is no encoding of the name that the user gives, or the format is always UTF-8.
    """
    info = pyogrio.read_info(path, layer=layer, encoding=None if given is None else AS_BYTES)
    driver = info["driver"]
    if given is not None:
        if driver not in _MAY_BE_ANY:
            raise LabelError(f"{path}: {driver} files are always UTF-8; leave out --encoding")
        return check_encoding(given)
    # What GDAL knows it turns into UTF-8.
    known = driver != "ESRI Shapefile" or (info["encoding"] == "UTF-8" and _states_encoding(path))
    return None if known else "UTF-8"


def decode_title(title: str, encoding: str | None) -> str:
    """The title of a column. Shapefiles cut long ones, in the middle of a character if need be."""
    return title if encoding is None else title.encode(AS_BYTES).decode(encoding, errors="replace")


def decode_column(values: NDArray[Any], encoding: str | None, *, where: str) -> NDArray[Any]:
    """The cells of a column, decoded where they are text.

    Raises
    ------
    LabelError
        A cell is not in that encoding.
    """
    if encoding is None or values.dtype != object:
        return values
    try:
        decoded = [cell.encode(AS_BYTES).decode(encoding) if isinstance(cell, str) else cell for cell in values]
    except UnicodeError as error:
        raise LabelError(f"{where}: the text is not {encoding}; {NAME_IT}") from error
    return np.array(decoded, dtype=object)


def _states_encoding(path: str) -> bool:
    """Whether a shapefile, plain or in a ZIP archive, says it; true where that cannot be found out."""
    given = Path(path)
    if given.suffix.casefold() != ".zip":
        beside = [str(name) for name in given.parent.iterdir() if name.stem == given.stem]
        return _say(beside, lambda name: Path(name).open("rb"))
    try:
        with zipfile.ZipFile(given) as archive:
            return _say(archive.namelist(), archive.open)
    except zipfile.BadZipFile:
        return True


def _say(names: Iterable[str], open_: Callable[[str], IO[bytes]]) -> bool:
    """Whether one of these files is a ``.cpg`` that names an encoding, or every ``.dbf`` has a number that tells."""
    tables = []
    for name in names:
        suffix = Path(name).suffix.casefold()
        if suffix == ".dbf":
            tables.append(name)
        elif suffix == ".cpg" and _beginning(name, open_).strip():
            return True
    return all(_beginning(name, open_)[_LANGUAGE_BYTE:] not in _SAYS_NOTHING for name in tables)


def _beginning(name: str, open_: Callable[[str], IO[bytes]]) -> bytes:
    with open_(name) as file:
        return file.read(_LANGUAGE_BYTE + 1)
