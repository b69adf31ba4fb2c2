"""The protocol of a reader, and the probe it is given to decide whether a file is its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import Cube, open_failure
from hsigeo.io.envi.datafile import find_header
from hsigeo.io.envi.header import is_envi_header

__all__ = ["Probe", "Reader"]

_START_BYTES = 4096

# Where HDF5 may put its signature: at the start, or behind a block that is the user's.
_HDF5_OFFSETS = (0, 512, 1024, 2048)
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Probe:
    """A path and what lies there, looked at once for all readers.

    Parameters
    ----------
    path
        A file or a folder.
    """

    path: Path

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder (some products are, Zarr among them)."""
        return self.path.is_dir()

    @cached_property
    def start(self) -> bytes:
        """The first 4096 bytes; none of a folder.

        Raises
        ------
        SceneNotFoundError
            There is nothing at this path.
        SceneError
            It cannot be read.
        """
        if self.is_folder:
            return b""
        try:
            with self.path.open("rb") as file:
                return file.read(_START_BYTES)
        except FileNotFoundError as error:
            raise SceneNotFoundError(f"{self.path}: there is no such file") from error
        except OSError as error:
            raise SceneError(open_failure(self.path, error)) from error

    @property
    def is_hdf5(self) -> bool:
        """Whether it begins as HDF5 does; NetCDF-4 is HDF5."""
        return any(self.start[offset:].startswith(_HDF5_SIGNATURE) for offset in _HDF5_OFFSETS)

    @property
    def is_xml(self) -> bool:
        """Whether it begins as XML does."""
        return self.start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")

    @cached_property
    def envi_header(self) -> Path | None:
        """The ENVI header that the path is, or that lies beside it."""
        if self.path.suffix.lower() == ".hdr":
            return self.path
        found = None if self.is_folder else find_header(self.path)
        return found if found is not None and is_envi_header(found) else None


class Reader(Protocol):
    """Opens the scenes of one kind. Other packages add theirs as entry points of the group ``hsigeo.readers``."""

    @property
    def name(self) -> str:
        """One short word, for ``--reader``."""

    @property
    def title(self) -> str:
        """What it reads, for people."""

    def claim(self, probe: Probe) -> str | None:
        """Why this file is one for this reader, as the end of "because …"; `None` where it is not.

        Decides by what is in the file rather than by its name, reads no pixels, and raises nothing that a file of
        another kind could cause.
        """

    def open(self, path: Path) -> Cube:
        """Open the scene.

        It may be asked for a file that it does not claim (``--reader``), and then says in one line what is missing.

        Raises
        ------
        SceneNotFoundError
            A file is missing.
        SceneError
            The file is not what this reader reads, is of a version it does not know, or is damaged.
        """
