"""PNG pictures. GDAL writes them too, but reports a full disk as an error of its own kind, without saying so."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_png", "write_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA_8_BIT = bytes([8, 6, 0, 0, 0])  # bit depth, colour type; the only compression, filter and no interlace


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write the file of `encode_png`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.write_bytes(encode_png(picture))


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """A picture with an alpha channel as a PNG file (W3C, Portable Network Graphics, 3rd edition).

    Parameters
    ----------
    picture : (4, y, x) uint8, red, green, blue and alpha
    """
    _, height, width = picture.shape
    rows = picture.transpose(1, 2, 0).reshape(height, 4 * width)
    # Each row begins with the number of its filter; 2 is "difference to the row above", which suits images.
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), 2, dtype=np.uint8), rows - above])
    parts = [_SIGNATURE]
    for kind, content in (
        (b"IHDR", struct.pack(">II", width, height) + _RGBA_8_BIT),
        (b"IDAT", zlib.compress(filtered.tobytes(), level=6)),
        (b"IEND", b""),
    ):
        checksum = zlib.crc32(kind + content)
        parts += [struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)]
    return b"".join(parts)
