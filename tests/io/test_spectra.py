"""Spectra of a window are the numbers of `to_reflectance`, whatever lies how in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from envi_files import make_encoded_cube, write_envi

from hsigeo.io import open_cube
from hsigeo.io.scaling import to_reflectance
from hsigeo.io.spectra import announce_start, read_block

NOWHERE = np.array([], dtype=np.intp)
EVERY = np.arange(30)
WINDOWED = np.r_[2:11, 13:29]
SCATTERED = np.array([1, 2, 7, 12, 20, 29])
TURNED = np.array([28, 3, 4, 5, 3])


def expected(path: Path, used: Any, rows: slice, cols: slice) -> Any:
    """By the plain way: everything, scaled, then picked; (pixel, used band)."""
    cube = open_cube(path)
    whole = to_reflectance(cube.read(slice(None), slice(None)), cube.header.scaling, cube.header.nodata)
    window = whole[used][:, rows, cols]
    return window.reshape(len(used), window.shape[1] * window.shape[2]).T


@pytest.mark.parametrize("used", [EVERY, WINDOWED, SCATTERED, TURNED, NOWHERE], ids=str)
@pytest.mark.parametrize("cols", [slice(0, 17), slice(2, 17), slice(3, 4)], ids=str)
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_spectra_are_the_values_of_their_pixels(interleave: str, cols: slice, used: Any, tmp_path: Path) -> None:
    extra = {"data ignore value": 10_203, "reflectance scale factor": 10_000}
    path = write_envi(tmp_path, "a", make_encoded_cube(30, 9, 17), interleave=interleave, header_extra=extra)
    rows = slice(1, 8)

    cube = open_cube(path)
    block = read_block(cube, used, rows, cols)

    wanted = expected(path, used, rows, cols)
    room = np.empty(block.values.nbytes + 3, dtype=np.uint8)
    again = read_block(cube, used, rows, cols, into=room)
    np.testing.assert_array_equal(again.spectra(), wanted)
    assert not again.pixels or not len(used) or np.shares_memory(again.values, room)
    assert (block.pixels, block.shape) == (len(wanted), (7, cols.stop - cols.start))
    np.testing.assert_array_equal(block.spectra(), wanted)
    for first, last in [(0, 1), (3, 40), (11, len(wanted)), (5, 5), (len(wanted), 999)]:
        part = block.spectra(slice(first, last))
        np.testing.assert_array_equal(part, wanted[first:last])
        assert part.flags.c_contiguous or part.T.flags.c_contiguous
    across = slice(0, max(1, cols.stop - cols.start - 1))
    inner = np.arange(len(wanted)).reshape(block.shape)[2:5, across].ravel()
    np.testing.assert_array_equal(block.part(slice(2, 5), across).spectra(), wanted[inner])


@pytest.mark.parametrize(("interleave", "fast_axis"), [("bsq", 0), ("bil", 0), ("bip", 1)])
def test_spectra_lie_in_memory_as_in_the_file(interleave: str, fast_axis: int, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(30, 9, 17), interleave=interleave)
    spectra = read_block(open_cube(path), WINDOWED, slice(0, 4), slice(None)).spectra(slice(3, 33))
    assert spectra.strides[fast_axis] == spectra.itemsize


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    "scale", [{}, {"reflectance scale factor": 7}, {"data offset values": list(range(30))}], ids=str
)
@pytest.mark.parametrize("byte_order", [0, 1])
def test_every_type_is_rounded_once(dtype: str, scale: dict[str, Any], byte_order: Any, tmp_path: Path) -> None:
    array = make_encoded_cube(30, 5, 6, dtype)
    if dtype.startswith("float"):
        array[3, 2, 1], array[4, 2, 2] = np.nan, np.inf
    extra = {"data ignore value": int(array[5, 1, 1]), **scale}
    path = write_envi(tmp_path, "a", array, byte_order=byte_order, header_extra=extra)

    found = read_block(open_cube(path), WINDOWED, slice(None), slice(None)).spectra()

    wanted = expected(path, WINDOWED, slice(None), slice(None))
    np.testing.assert_array_equal(found, wanted)
    assert np.isnan(found).any()


def test_bands_between_those_used_are_read_but_none_beyond(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(30, 5, 6), interleave="bsq")
    cube = open_cube(path)

    class Recording:
        header = cube.header
        asked: slice

        def read(self, rows: slice, cols: slice, bands: slice = slice(None)) -> Any:
            self.asked = bands
            return cube.read(rows, cols, bands)

    recording = Recording()
    read_block(recording, SCATTERED, slice(0, 2), slice(None))
    assert recording.asked == slice(1, 30)


@pytest.mark.parametrize(("size", "rows"), [(0, 1), (1000, 1), (17 * 30 * 2 * 4, 5), (1 << 30, 9)])
def test_as_many_rows_are_announced_as_bytes_are_asked_for(size: int, rows: int, tmp_path: Path) -> None:
    cube = open_cube(write_envi(tmp_path, "a", make_encoded_cube(30, 9, 17)))
    heard = []

    class Listening:
        header = cube.header
        read = cube.read

        def announce(self, rows: slice, cols: slice, bands: slice) -> None:
            heard.append((rows, cols, bands))

    announce_start(Listening(), SCATTERED, size)

    assert heard == [(slice(0, rows), slice(0, 17), slice(1, 30))]
