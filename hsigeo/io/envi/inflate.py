"""Random access to a gzip-compressed file with bounded memory and nothing written to disk.

GDAL's reader of such files leaves a ``.properties`` file beside the data. Here the stream is decompressed once, which
also proves its length, and the decompressor is copied every few megabytes (about 40 kB each); a read starts from the
copy before it.
"""

from __future__ import annotations

import bisect
import functools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hsigeo.errors import SceneError
from hsigeo.io.cube import FileStamp, open_failure

__all__ = ["InflatedFile", "open_inflated"]

_INPUT_BYTES = 1 << 16
_OUTPUT_BYTES = 1 << 20
_CHECKPOINTS = 256
_MIN_SPACING = 2 << 20
_ANY_WRAPPER = 47  # zlib: the largest window, and gzip or zlib headers detected


class _Stream:
    """A decompressor, where it stands in its input and output, and the input it was handed but did not yet use."""

    def __init__(self) -> None:
        self.decompressor: Any = zlib.decompressobj(_ANY_WRAPPER)
        self.pending = b""
        self.input_position = 0
        self.output_position = 0

    def copy(self) -> _Stream:
        twin = _Stream()
        twin.decompressor = self.decompressor.copy()
        twin.pending, twin.input_position, twin.output_position = (
            self.pending,
            self.input_position,
            self.output_position,
        )
        return twin

    def next_piece(self, file: BinaryIO) -> bytes:
        """The next at most `_OUTPUT_BYTES` of output; empty at the end of the file."""
        while True:
            if not self.pending:
                file.seek(self.input_position)
                self.pending = file.read(_INPUT_BYTES)
                self.input_position += len(self.pending)
                if not self.pending:
                    return b""
            if self.decompressor.eof:
                # A gzip file may be several streams in a row, and end in zeros that pad a tape or disk block.
                self.pending = self.pending.lstrip(b"\0")
                if not self.pending:
                    continue
                self.decompressor = zlib.decompressobj(_ANY_WRAPPER)
            piece: bytes = self.decompressor.decompress(self.pending, _OUTPUT_BYTES)
            self.pending = self.decompressor.unconsumed_tail or self.decompressor.unused_data
            if piece:
                self.output_position += len(piece)
                return piece


class InflatedFile:
    """A compressed file, read as if it were not.

    Parameters
    ----------
    path
        The compressed file.
    expected_bytes
        Its length once decompressed. Never is more than this, and one piece of 1 MiB, decompressed.

    Raises
    ------
    SceneError
        It is damaged, or shorter or longer than expected.
    """

    def __init__(self, path: Path, expected_bytes: int) -> None:
        self._path = path
        self._spacing = max(_MIN_SPACING, expected_bytes // _CHECKPOINTS)
        self._checkpoints: list[_Stream] = [_Stream()]
        stream = _Stream()
        for _ in self._pieces(stream):
            if stream.output_position > expected_bytes:
                break
            if stream.output_position - self._checkpoints[-1].output_position >= self._spacing:
                self._checkpoints.append(stream.copy())
        if stream.output_position != expected_bytes:
            more = stream.output_position > expected_bytes
            size = f"more than {expected_bytes}" if more else stream.output_position
            raise SceneError(
                f"{path} decompresses to {size} bytes, but its header describes {expected_bytes}; "
                "copy it again, or correct samples, lines, bands, data type or header offset"
            )

    def read_runs(self, runs: Iterable[tuple[int, memoryview]]) -> None:
        """Fill each buffer with the decompressed bytes from its position on.

        Parameters
        ----------
        runs
            Position and buffer; in ascending order of position, so that one pass over the file serves all.

        Raises
        ------
        SceneError
            The file ends early, or is damaged.
        """
        pieces: Iterator[bytes] = iter(())
        start, piece = 0, b""  # the piece in hand and its position
        reached = -1  # the checkpoint the pass began at, or has gone past
        for position, target in runs:
            index = bisect.bisect_right(self._checkpoints, position, key=lambda point: point.output_position) - 1
            if index > reached or position < start:
                stream = self._checkpoints[index].copy()
                pieces, start, piece, reached = self._pieces(stream), stream.output_position, b"", index
            filled = 0
            while filled < len(target):
                offset = position + filled - start
                if offset >= len(piece):
                    start += len(piece)
                    piece = next(pieces, b"")
                    if not piece:
                        raise SceneError(f"{self._path} ends early; it has changed since it was opened")
                    continue
                taken = piece[offset : offset + len(target) - filled]
                target[filled : filled + len(taken)] = taken
                filled += len(taken)

    def _pieces(self, stream: _Stream) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while piece := stream.next_piece(file):
                    yield piece
        except zlib.error as error:
            raise SceneError(
                f"{self._path} is not compressed with gzip, as its header says, or is damaged: {error}"
            ) from error
        except OSError as error:
            raise SceneError(open_failure(self._path, error)) from error


@functools.lru_cache(maxsize=4)
def open_inflated(path: Path, stamp: FileStamp, expected_bytes: int) -> InflatedFile:
    """The file's checkpoints, made once for each process and file."""
    return InflatedFile(path, expected_bytes)
