"""The finished tiles of an unfinished map: on disk, and believed only if they are what was written.

A folder beside the map holds one file for each layer, its rows as they come (row, band, sample), and a journal with a
line for each tile that is complete. Tiles are full-width strips of rows, the same for a scene whatever memory or
machines it is computed with, so a number names one.

The order: pixels, then the journal's line, which holds their checksums. A process that is killed leaves at worst a
torn last line, which is not believed, and whose tile is made again. After a power cut the disk may hold the line and
not the pixels; the checksum notices. So nothing need be synced for correctness, and it is only done now and then, so
that a power cut costs seconds of work and not the night's. Tiles that are read for the outputs are compared with their
checksums as well: a network disk may have said nothing of pixels that it could not keep.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.atomic import disk_failure, sync_descriptors
from hsigeo.errors import OutputError
from hsigeo.tiling import TilePlan

__all__ = ["PartialLayer", "PartialMap", "empty_folder", "is_emptied", "partial_folder", "read_identity"]

_IDENTITY, _JOURNAL = "job.json", "tiles.log"
_LOCK = "lock"
_SYNC_SECONDS = 10.0
_LARGEST_IDENTITY = 1 << 20

Identity = dict[str, Any]
Tile = Mapping[str, NDArray[Any]]


def partial_folder(map_path: Path) -> Path:
    """The folder beside a map in which it is made, and from which an interrupted run resumes."""
    return map_path.parent / f".{map_path.name}.partial"


@dataclass(frozen=True, kw_only=True)
class PartialLayer:
    """A layer on its way: `bands` values for each pixel.

    Parameters
    ----------
    name
        As in the classification: ``class_id``, ``confidence`` or ``probability``.
    dtype
        Of its values.
    bands
        How many each pixel has; `None` for a layer without a band axis.
    """

    name: str
    dtype: str
    bands: int | None = None

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return np.dtype(self.dtype).itemsize * (self.bands or 1)


class PartialMap:
    """Takes tiles and gives them back; open it with the lock of its folder held.

    Parameters
    ----------
    folder
        Exists.
    identity
        What the tiles depend on: scene, model, options. JSON values only. A folder with another identity is emptied.
    plan
        The tiles: full-width strips.
    layers
        What a tile holds.

    Raises
    ------
    DiskFullError, OutputError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, identity: Identity, plan: TilePlan, layers: tuple[PartialLayer, ...]) -> None:
        self.folder, self.plan, self.layers = folder, plan, layers
        self._files: dict[str, int] = {}
        self._synced_at = time.monotonic()
        with disk_failure(folder):
            if read_identity(folder) != identity:
                empty_folder(folder)
                _write_identity(folder, identity)
            for layer in layers:
                self._files[layer.name] = os.open(folder / f"{layer.name}.raw", os.O_RDWR | os.O_CREAT, 0o666)
            self._identity = os.open(folder / _IDENTITY, os.O_RDONLY)
            self._sums, self.disbelieved = self._recover()
            self.done = set(self._sums)
            self._journal = os.open(folder / _JOURNAL, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            _end_torn_line(self._journal)

    def __enter__(self) -> PartialMap:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self._identity, *self._files.values(), self._journal):
            os.close(descriptor)

    @property
    def missing(self) -> list[int]:
        """Numbers of the tiles still to be made."""
        return [tile for tile in range(len(self.plan)) if tile not in self.done]

    def write(self, tile: int, parts: Tile) -> None:
        """Take a finished tile: (y, x) of each layer without bands, (band, y, x) of the others.

        Raises
        ------
        DiskFullError, OutputError
            It cannot be written. The tile then counts as not made.
        """
        with disk_failure(self.folder):
            checks = []
            for layer in self.layers:
                part = parts[layer.name]
                stored = np.ascontiguousarray(part if layer.bands is None else part.transpose(1, 0, 2))
                content = stored.astype(layer.dtype, copy=False).reshape(-1).view(np.uint8).data
                _write_all(self._files[layer.name], content, self._start(layer, tile))
                checks.append(zlib.crc32(content))
            self._append(" ".join([str(tile), *map(str, checks)]))
        self._sums[tile] = checks
        self.done.add(tile)
        if time.monotonic() > self._synced_at + _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Have the disk hold what was written."""
        with disk_failure(self.folder):
            sync_descriptors([self._identity, *self._files.values(), self._journal])
        self._synced_at = time.monotonic()

    def read(self, name: str, rows: slice) -> NDArray[Any]:
        """(y, x) or (band, y, x) of some rows. Only rows of finished tiles hold anything.

        Raises
        ------
        DiskFullError, OutputError
            They cannot be read, or a tile that lies within them is not what was written.
        """
        index = next(index for index, layer in enumerate(self.layers) if layer.name == name)
        layer = self.layers[index]
        row_bytes = self.plan.samples * layer.pixel_bytes
        values = np.empty(((rows.stop - rows.start), layer.bands or 1, self.plan.samples), dtype=layer.dtype)
        content = values.reshape(-1).view(np.uint8).data
        with disk_failure(self.folder):
            _read_all(self._files[name], content, rows.start * row_bytes)
        for tile in range(-(-rows.start // self.plan.rows), len(self.plan)):
            whole = self.plan.rows_of(tile)
            if whole.stop > rows.stop:
                break
            part = content[(whole.start - rows.start) * row_bytes : (whole.stop - rows.start) * row_bytes]
            if tile in self._sums and zlib.crc32(part) != self._sums[tile][index]:
                raise OutputError(
                    f"{self.folder}: tile {tile} of {name} does not read back as it was written; "
                    "is the disk faulty or full? The same command makes it again"
                )
        return values[:, 0] if layer.bands is None else values.transpose(1, 0, 2)

    def clear_scratch(self) -> None:
        """Remove what a killed process left while it wrote the outputs."""
        with disk_failure(self.folder):
            _remove_all_but(self.folder, {_LOCK, _IDENTITY, _JOURNAL, *(f"{layer.name}.raw" for layer in self.layers)})

    def discard(self) -> None:
        """Remove everything, the journal first: without it, remains of an interrupted removal are never used."""
        empty_folder(self.folder)

    def _start(self, layer: PartialLayer, tile: int) -> int:
        return tile * self.plan.rows * self.plan.samples * layer.pixel_bytes

    def _append(self, text: str) -> None:
        line = f"{text} {zlib.crc32(text.encode()):08x}\n".encode()
        _write_all(self._journal, line, None)

    def _recover(self) -> tuple[dict[int, list[int]], int]:
        """Checksums of the tiles whose pixels are what the journal says, and how many are not."""
        checks = {
            tile: sums
            for tile, *sums in _read_journal(self.folder / _JOURNAL)
            if tile < len(self.plan) and len(sums) == len(self.layers)
        }
        done = {tile: sums for tile, sums in checks.items() if self._check_sums(tile) == sums}
        return done, len(checks) - len(done)

    def _check_sums(self, tile: int) -> list[int]:
        top = tile * self.plan.rows
        lines = min(self.plan.rows, self.plan.lines - top)
        sums = []
        for layer in self.layers:
            content = os.pread(
                self._files[layer.name], lines * self.plan.samples * layer.pixel_bytes, self._start(layer, tile)
            )
            sums.append(zlib.crc32(content))
        return sums


def read_identity(folder: Path) -> Identity | None:
    """What the tiles in a folder depend on; `None` where there are none, or it cannot be read."""
    try:
        with (folder / _IDENTITY).open("rb") as file:
            identity = json.loads(file.read(_LARGEST_IDENTITY))
    except (OSError, ValueError, RecursionError):
        return None
    return identity if isinstance(identity, dict) else None


def is_emptied(folder: Path) -> bool:
    """Whether emptying the folder has begun: what vouches for tiles is gone, and the lock or scratch may be left."""
    return read_identity(folder) is None or not (folder / _JOURNAL).exists()


def empty_folder(folder: Path) -> None:
    """Remove all files in it but the lock, what vouches for the others first."""
    with contextlib.suppress(FileNotFoundError):
        for name in (_JOURNAL, _IDENTITY):
            (folder / name).unlink(missing_ok=True)
        _remove_all_but(folder, {_LOCK})


def _remove_all_but(folder: Path, kept: set[str]) -> None:
    for entry in list(folder.iterdir()):
        if entry.name in kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def _write_identity(folder: Path, identity: Identity) -> None:
    # Not synced yet: half of it is nobody's identity, and the folder is emptied then.
    temporary = folder / f"{_IDENTITY}.new"
    temporary.write_text(json.dumps(identity, ensure_ascii=False), encoding="utf-8")
    temporary.replace(folder / _IDENTITY)


def _read_journal(path: Path) -> Iterator[list[int]]:
    """The numbers of each line that is whole."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    for line in text.split(b"\n"):
        match = re.fullmatch(rb"([0-9]{1,12}(?: [0-9]{1,12})*) ([0-9a-f]{8})", line)
        if match and zlib.crc32(match[1]) == int(match[2], 16):
            yield [int(word) for word in match[1].split()]


def _end_torn_line(journal: int) -> None:
    size = os.fstat(journal).st_size
    if size and os.pread(journal, 1, size - 1) != b"\n":
        _write_all(journal, b"\n", None)


def _write_all(descriptor: int, content: bytes | memoryview, position: int | None) -> None:
    """All of it: a single call may write less when the disk is nearly full."""
    written = 0
    while written < len(content):
        rest = content[written:]
        written += os.write(descriptor, rest) if position is None else os.pwrite(descriptor, rest, position + written)


def _read_all(descriptor: int, target: memoryview, position: int) -> None:
    filled = 0
    while filled < len(target):
        count = os.preadv(descriptor, [target[filled:]], position + filled)
        if count == 0:
            raise OSError(f"the partial map ends at byte {position + filled}")
        filled += count
