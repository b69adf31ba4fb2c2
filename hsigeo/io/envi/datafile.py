"""Which file beside an ENVI header holds the pixels, and whether it is as long as the header says.

GDAL takes whichever file one names, and reads what is missing of a short one as zeros, without an error.
"""

from __future__ import annotations

import os
from pathlib import Path

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import open_failure

__all__ = ["check_size", "find_header", "likely_data_file", "resolve_data_file"]

DATA_SUFFIXES = (".img", ".dat", ".bsq", ".bil", ".bip", ".raw", ".bin", ".rfl", ".rdn", ".tif", ".tiff")

NOT_DATA = (
    ".hdr",
    ".xml",
    ".enp",
    ".sta",
    ".qml",
    ".ovr",
    ".tfw",
    ".txt",
    ".json",
    ".log",
    ".zip",
    ".gz",
    ".jpg",
    ".png",
)

TIFF_SUFFIXES = (".tif", ".tiff")


def find_header(data_path: Path) -> Path | None:
    """The ENVI header of a data file: ``scene.img.hdr`` first (as in GDAL), then ``scene.hdr``, in any case."""
    wanted = [f"{data_path.name}.hdr".lower(), f"{data_path.stem}.hdr".lower()]
    found = {
        entry.name.lower(): entry for entry in _siblings(data_path) if entry.name.lower() in wanted and entry.is_file()
    }
    return next((found[name] for name in wanted if name in found), None)


def resolve_data_file(header_path: Path, expected_bytes: int, *, compressed: bool) -> Path:
    """The data file of a header.

    In order: the header's name without ``.hdr``; the stem with an ending that data files have; any other file of
    that stem. Of these, the ones whose size is what the header describes (any size where it is compressed).

    Raises
    ------
    SceneNotFoundError
        There is no candidate.
    SceneError
        There is more than one, or only ones of another size.
    """
    likely, possible = _candidates(header_path)
    fitting = [path for path in [*likely, *possible] if compressed or path.stat().st_size == expected_bytes]
    # Among files of any size the ending must decide.
    fitting = [path for path in fitting if path in likely] if compressed else fitting
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        names = ", ".join(path.name for path in fitting)
        raise SceneError(f"{header_path} could describe {names}; name the data file instead of the header")
    tiffs = [path for path in likely if path.suffix.lower() in TIFF_SUFFIXES]
    if len(tiffs) == 1:
        return tiffs[0]  # whose size says nothing; the reader of TIFF checks lines, samples and bands
    if likely:
        check_size(likely[0], expected_bytes, header_path)
    tried = f"{header_path.stem}, and {header_path.stem} + {' '.join(DATA_SUFFIXES)}"
    raise SceneNotFoundError(
        f"{header_path}: its data file is not there; tried {tried} in {header_path.parent.resolve()}, and any other "
        f"file of that stem with the {expected_bytes} bytes that the header describes"
    )


def likely_data_file(header_path: Path) -> Path | None:
    """The file that by its name is the data file of a header, of whatever size; `None` where there is none."""
    likely, possible = _candidates(header_path)
    return next(iter([*likely, *possible]), None)


def check_size(data_path: Path, expected_bytes: int, header_path: Path) -> None:
    """Raise `SceneError` unless an uncompressed data file is exactly as long as its header says.

    Raises
    ------
    SceneError
        It is shorter or longer; the message says which, and what may be wrong.
    """
    size = data_path.stat().st_size
    if size == expected_bytes:
        return
    difference = f"{abs(size - expected_bytes)} bytes too {'short' if size < expected_bytes else 'long'}"
    hint = "copy it again, or correct samples, lines, bands, data type or header offset"
    if _is_gzip(data_path):
        hint = "it is compressed with gzip: add 'file compression = 1' to the header"
    raise SceneError(
        f"{data_path} has {size} bytes; {header_path.name} describes {expected_bytes}, so it is {difference}: {hint}"
    )


def _candidates(header_path: Path) -> tuple[list[Path], list[Path]]:
    """Files that by their name are likely, and those that just possibly, hold the data of a header."""
    stem = header_path.stem.lower()
    likely: list[Path] = []
    possible: list[Path] = []
    for entry in _siblings(header_path):
        name, suffix = entry.name.lower(), entry.suffix.lower()
        if name == stem or (suffix in DATA_SUFFIXES and entry.stem.lower() == stem):
            kind = likely
        elif entry.stem.lower() == stem and suffix not in NOT_DATA:
            kind = possible
        else:
            continue
        if entry.is_file():
            kind.append(entry)
    return likely, possible


def _siblings(path: Path) -> list[Path]:
    """Files beside this one whose names begin with its stem, whatever the case: few, of the thousands of a campaign."""
    stem = path.stem.lower()
    try:
        with os.scandir(path.parent) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.lower().startswith(stem))
    except OSError as error:
        raise SceneNotFoundError(open_failure(path.parent, error)) from error


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
