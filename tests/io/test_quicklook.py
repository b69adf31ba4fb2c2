from __future__ import annotations

import errno
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from envi_files import header_text, make_encoded_cube, write_envi
from rasterio.errors import NotGeoreferencedWarning

from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.io import open_cube
from hsigeo.io.composites import AUTO, pick_bands
from hsigeo.io.quicklook import make_quicklook, write_quicklook


def header_with(folder: Path, bands: int, **extra: Any) -> Any:
    fields = {key.replace("_", " "): value for key, value in extra.items()}
    return open_cube(write_envi(folder, "a", make_encoded_cube(bands, 2, 2), header_extra=fields)).header


def test_true_colour_bands_are_chosen_by_wavelength(tmp_path: Path) -> None:
    header = header_with(tmp_path, 5, wavelength=[460, 550, 630, 645, 900], wavelength_units="nm")
    assert pick_bands(header, AUTO) == (3, 1, 0)


def test_bad_bands_are_not_shown(tmp_path: Path) -> None:
    header = header_with(tmp_path, 5, wavelength=[460, 550, 630, 645, 900], wavelength_units="nm", bbl=[1, 1, 1, 0, 1])
    assert pick_bands(header, AUTO) == (2, 1, 0)


def test_default_bands_serve_where_wavelengths_do_not(tmp_path: Path) -> None:
    infrared = {"wavelength": [1000, 1500, 2000, 2200], "wavelength_units": "nm"}
    assert pick_bands(header_with(tmp_path, 4, default_bands=[4, 2, 1], **infrared), AUTO) == (3, 1, 0)
    assert pick_bands(header_with(tmp_path, 4, **infrared), AUTO) == (0, 2, 3)
    assert pick_bands(header_with(tmp_path, 1), AUTO) == (0,)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_picture_is_stretched_and_transparent_without_data(interleave: str, tmp_path: Path) -> None:
    stored = np.arange(3 * 10 * 10).reshape(3, 10, 10)
    stored[:, 0, :5] = -1
    extra = {"data ignore value": -1}
    cube = open_cube(write_envi(tmp_path, "a", stored, dtype="int16", interleave=interleave, header_extra=extra))
    picture = make_quicklook(cube)
    assert picture.shape == (4, 10, 10)
    assert (picture[3, 0, :5] == 0).all()
    assert (picture[3, 1:] == 255).all()
    assert picture[:3, -1, -1].tolist() == [255, 255, 255]
    assert picture[:3, 0, 5].tolist() == [0, 0, 0]
    assert (np.diff(picture[0, 1:].ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize("lines", [1, 100, 1500])
@pytest.mark.parametrize("interleave", ["bsq", "bip"])
def test_every_nth_row_and_column_is_shown_however_it_is_read(interleave: str, lines: int, tmp_path: Path) -> None:
    encoded = np.broadcast_to(np.arange(lines)[None, :, None], (3, lines, 7)) + np.arange(7)
    path = write_envi(tmp_path, "a", encoded, dtype="int32", interleave=interleave)
    for compressed in (False, True):
        cube = open_cube(path)
        object.__setattr__(cube, "header", replace(cube.header, default_bands=(1,)))
        picture = make_quicklook(cube, longest_side=50)
        step = -(-max(lines, 7) // 50)
        sampled = encoded[0, ::step, ::step]
        assert picture.shape[1:] == sampled.shape
        order = np.argsort(sampled.ravel(), kind="stable")
        assert (np.diff(picture[0].ravel()[order].astype(int)) >= 0).all()
        path = write_envi(tmp_path, "a", encoded, dtype="int32", interleave=interleave, compressed=not compressed)


def test_huge_scene_gives_a_picture_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "big.img").open("wb") as file:
        file.truncate(20_000_000_000)
    fields = {"samples": 1000, "lines": 50_000, "bands": 200, "data type": 2, "interleave": "bil", "byte order": 0}
    (tmp_path / "big.hdr").write_text(header_text(fields))
    picture = make_quicklook(open_cube(tmp_path / "big.hdr"))
    assert picture.shape == (4, 1021, 21)


def test_classes_are_shown_in_their_colours(tmp_path: Path) -> None:
    extra = {"class names": "{none, oak, elm}", "class lookup": [0, 0, 0, 10, 20, 30, 200, 100, 50]}
    cube = open_cube(write_envi(tmp_path, "a", np.array([[[0, 1, 2]]], dtype="uint8"), header_extra=extra))
    assert make_quicklook(cube)[:, 0].T.tolist() == [[0, 0, 0, 0], [10, 20, 30, 255], [200, 100, 50, 255]]


def test_constant_and_empty_scenes_give_a_picture(tmp_path: Path) -> None:
    constant = open_cube(write_envi(tmp_path, "a", np.full((3, 2, 2), 5, dtype="int16")))
    assert (make_quicklook(constant)[3] == 255).all()
    empty = open_cube(write_envi(tmp_path, "b", np.full((3, 2, 2), np.nan, dtype="float32")))
    assert (make_quicklook(empty) == 0).all()


def test_png_holds_the_picture_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    cube = open_cube(write_envi(tmp_path, "a", make_encoded_cube(3, 20, 10)))
    target = tmp_path / "a.png"
    write_quicklook(cube, target)
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(target) as dataset,
    ):
        assert dataset.driver == "PNG"
        np.testing.assert_array_equal(dataset.read(), make_quicklook(cube))
    with pytest.raises(OutputExistsError):
        write_quicklook(cube, target)
    write_quicklook(cube, target, overwrite=True)
    with pytest.raises(OutputError, match="does not exist"):
        write_quicklook(cube, tmp_path / "none" / "a.png")
    with pytest.raises(OutputError, match=r"ends in \.png"):
        write_quicklook(cube, tmp_path / "a.tif")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.hdr", "a.img", "a.png"]


def test_full_disk_is_said_in_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cube = open_cube(write_envi(tmp_path, "a", make_encoded_cube(3, 20, 10)))

    def write_half(path: Path, _: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hsigeo.io.quicklook.write_png", write_half)
    with pytest.raises(OutputError, match=r"a\.png cannot be written: no space is left"):
        write_quicklook(cube, tmp_path / "a.png")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.hdr", "a.img"]
