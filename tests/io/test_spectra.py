"""Spectra of a window are the numbers of `to_reflectance`, turned round, whatever lies how in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from envi_files import make_encoded_cube, write_envi

from hsigeo.io import open_cube, spectra
from hsigeo.io.scaling import to_reflectance
from hsigeo.io.spectra import read_spectra

NOWHERE = np.array([], dtype=np.intp)
EVERY = np.arange(30)
WINDOWED = np.r_[2:11, 13:29]
SCATTERED = np.array([1, 2, 7, 12, 20, 29])
TURNED = np.array([28, 3, 4, 5, 3])


def expected(path: Path, used: Any, rows: slice, cols: slice) -> Any:
    """By the plain way: everything, scaled, then picked."""
    cube = open_cube(path)
    whole = to_reflectance(cube.read(slice(None), slice(None)), cube.header.scaling, cube.header.nodata)
    return whole[used][:, rows, cols].transpose(1, 2, 0)


@pytest.mark.parametrize("used", [EVERY, WINDOWED, SCATTERED, TURNED, NOWHERE], ids=str)
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_spectra_are_the_values_of_their_pixels(
    interleave: str, used: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectra, "_PIECE_VALUES", 100)  # several pieces to a row
    extra = {"data ignore value": 10_203, "reflectance scale factor": 10_000}
    path = write_envi(tmp_path, "a", make_encoded_cube(30, 9, 17), interleave=interleave, header_extra=extra)
    rows, cols = slice(1, 8), slice(2, 17)

    found = read_spectra(open_cube(path), used, rows, cols)

    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected(path, used, rows, cols))


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

    found = read_spectra(open_cube(path), WINDOWED, slice(None), slice(None))

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
    read_spectra(recording, SCATTERED, slice(0, 2), slice(None))
    assert recording.asked == slice(1, 30)
