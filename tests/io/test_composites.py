from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from envi_files import make_encoded_cube, write_envi

from hsigeo.errors import SceneError
from hsigeo.io import open_cube
from hsigeo.io.composites import COMPOSITES, parse_composite, pick_bands


def header_with(folder: Path, wavelength: Any, **extra: Any) -> Any:
    fields = {"wavelength": wavelength, "wavelength units": "nm", **extra}
    return open_cube(write_envi(folder, "a", make_encoded_cube(len(wavelength), 2, 2), header_extra=fields)).header


@pytest.mark.parametrize("text", ["true-colour", "True-Color", "rgb", "truecolor"])
def test_true_colour_may_be_spelt_as_one_likes(text: str) -> None:
    assert parse_composite(text).nm == COMPOSITES["true-colour"]


@pytest.mark.parametrize(
    ("text", "nm", "bands"),
    [
        ("auto", (), ()),
        ("860, 650nm, 555", (860.0, 650.0, 555.0), ()),
        ("550", (550.0,), ()),
        ("b30,b18,B7", (), (30, 18, 7)),
    ],
)
def test_wavelengths_are_told_from_band_numbers(text: str, nm: Any, bands: Any) -> None:
    composite = parse_composite(text)
    assert (composite.nm, composite.bands) == (nm, bands)


@pytest.mark.parametrize("text", ["", "pink", "1,2", "b1,550,b2", "-550", "nan", "b", "1,2,3,4", "550;560"])
def test_what_names_no_bands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        parse_composite(text)


def test_the_nearest_good_band_is_taken(tmp_path: Path) -> None:
    header = header_with(tmp_path, [460, 550, 640, 655, 852, 870], bbl=[1, 1, 1, 0, 1, 0])
    assert pick_bands(header, parse_composite("cir")) == (4, 2, 1)
    assert pick_bands(header, parse_composite("true-colour")) == (2, 1, 0)
    assert pick_bands(header, parse_composite("b6")) == (5,)


def test_what_the_sensor_does_not_see_is_refused_with_the_nearest_it_has(tmp_path: Path) -> None:
    header = header_with(tmp_path, [460, 550, 640])
    with pytest.raises(SceneError, match=r"cannot be shown as cir: its good band nearest to 860 nm lies at 640 nm"):
        pick_bands(header, parse_composite("cir"))
    with pytest.raises(SceneError, match="has 3 bands"):
        pick_bands(header, parse_composite("b4"))


def test_without_wavelengths_only_numbers_name_bands(tmp_path: Path) -> None:
    header = open_cube(write_envi(tmp_path, "a", make_encoded_cube(4, 2, 2))).header
    with pytest.raises(SceneError, match="name bands by number"):
        pick_bands(header, parse_composite("cir"))
    assert pick_bands(header, parse_composite("b1,b2,b3")) == (0, 1, 2)
