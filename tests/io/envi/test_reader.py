from __future__ import annotations

import gzip
import itertools
import math
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from envi_files import DATA_TYPES, header_text, make_encoded_cube, write_envi
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.cube import CubeHeader
from hsigeo.io.envi import open_envi

REAL_TYPES = [name for name in DATA_TYPES if not name.startswith("complex")]
EVERYTHING = slice(None)


def read_with_gdal(path: Path) -> np.ndarray[Any, Any]:
    with warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning), rasterio.open(path) as dataset:
        values: np.ndarray[Any, Any] = dataset.read()
    return values


def header_of(folder: Path, bands: int = 3, dtype: str = "int16", **extra: Any) -> CubeHeader:
    fields = {key.replace("_", " "): value for key, value in extra.items()}
    return open_envi(write_envi(folder, "scene", make_encoded_cube(bands, 2, 2, dtype), header_extra=fields)).header


@pytest.mark.parametrize(
    ("interleave", "dtype", "byte_order", "offset"),
    list(itertools.product(["bsq", "bil", "bip", "BIL"], REAL_TYPES, [0, 1], [0, 128])),
)
def test_every_layout_reads_as_gdal_reads_it(
    interleave: str, dtype: str, byte_order: Any, offset: int, tmp_path: Path
) -> None:
    encoded = make_encoded_cube(4, 5, 3, dtype)
    path = write_envi(tmp_path, "scene", encoded, interleave=interleave, byte_order=byte_order, offset=offset)
    values = open_envi(path).read(EVERYTHING, EVERYTHING)
    assert values.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(values, encoded)
    np.testing.assert_array_equal(values, read_with_gdal(path.with_suffix(".img")))


@given(
    interleave=st.sampled_from(["bsq", "bil", "bip"]),
    compressed=st.booleans(),
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    data=st.data(),
)
def test_every_window_is_that_slice_of_the_scene(
    interleave: str, compressed: bool, shape: tuple[int, int, int], data: st.DataObject, tmp_path_factory: Any
) -> None:
    window = []
    for size in shape:
        start = data.draw(st.integers(0, size))
        window.append(slice(start, data.draw(st.integers(start, size))))
    encoded = make_encoded_cube(*shape)
    folder = tmp_path_factory.mktemp("window")
    path = write_envi(folder, "scene", encoded, interleave=interleave, compressed=compressed, byte_order=1, offset=7)
    bands, rows, cols = window
    cube = open_envi(path)
    np.testing.assert_array_equal(cube.read(rows, cols, bands), encoded[bands, rows, cols])
    memory = np.zeros(encoded[bands, rows, cols].nbytes + 5, dtype=np.uint8)
    values = cube.read_into(memory, rows, cols, bands)
    np.testing.assert_array_equal(values, encoded[bands, rows, cols])
    assert not values.size or np.shares_memory(values, memory)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_the_parts_of_a_window_are_announced_as_they_will_be_read(
    interleave: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_envi(tmp_path, "scene", make_encoded_cube(3, 8, 5), interleave=interleave, offset=16)
    cube = open_envi(path)
    announced, read = [], []
    original = os.preadv
    monkeypatch.setattr(os, "posix_fadvise", lambda _, position, length, advice: announced.append((position, length)))
    monkeypatch.setattr(
        os, "preadv", lambda file, into, at: read.append((at, len(into[0]))) or original(file, into, at)
    )
    window = slice(2, 5), slice(1, 5), slice(1, 3)
    cube.announce(*window)
    cube.read_into(np.empty(200, dtype=np.uint8), *window)
    assert announced == read
    path.with_suffix(".img").unlink()
    cube.announce(*window)  # whoever reads it hears that it is gone


def test_cube_can_be_pickled_and_holds_no_open_file(tmp_path: Path) -> None:
    encoded = make_encoded_cube(3, 4, 5)
    path = write_envi(tmp_path, "scene", encoded)
    open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    cube = open_envi(path)
    packed = pickle.dumps(cube)
    assert len(packed) < 4000
    np.testing.assert_array_equal(pickle.loads(packed).read(slice(1, 3), EVERYTHING), encoded[:, 1:3])
    assert len(os.listdir("/proc/self/fd")) == open_files  # noqa: PTH208


def test_window_with_a_step_is_refused(tmp_path: Path) -> None:
    cube = open_envi(write_envi(tmp_path, "scene", make_encoded_cube(1, 4, 4)))
    with pytest.raises(IndexError, match="no steps"):
        cube.read(slice(0, 4, 2), EVERYTHING)


def test_file_that_shrinks_after_opening_is_an_error_not_zeros(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "scene", make_encoded_cube(3, 4, 5))
    cube = open_envi(path)
    with path.with_suffix(".img").open("r+b") as file:
        file.truncate(50)
    with pytest.raises(SceneError, match="shortened after it was opened"):
        cube.read(EVERYTHING, EVERYTHING)
    path.with_suffix(".img").unlink()
    with pytest.raises(SceneError, match="cannot be read"):
        cube.read(EVERYTHING, EVERYTHING)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_scene_of_one_pixel_row_or_column_is_read(interleave: str, tmp_path: Path) -> None:
    for lines, samples in ((1, 1), (1, 6), (6, 1)):
        encoded = make_encoded_cube(2, lines, samples)
        path = write_envi(tmp_path, f"s{lines}{samples}", encoded, interleave=interleave)
        np.testing.assert_array_equal(open_envi(path).read(EVERYTHING, EVERYTHING), encoded)


# --- the data file and its size ---


@pytest.mark.parametrize("name", ["a", "a.img", "a.dat", "a.bsq", "a.BIL", "a.bip", "a.raw", "a.bin", "a.rfl", "a.xyz"])
def test_data_file_is_found_whatever_its_ending(name: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2))
    (tmp_path / "a.img").rename(tmp_path / name)
    assert open_envi(path).header.data_path == str(tmp_path / name)
    assert open_envi(tmp_path / name).header.path == str(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "header"),
    [("f.v2.rfl", "f.v2.hdr"), ("f.v2.rfl", "f.v2.rfl.hdr"), ("S.IMG", "S.HDR"), ("s.img", "s.HDR"), ("s", "s.hdr")],
)
def test_header_and_data_find_each_other(data: str, header: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2))
    (tmp_path / "a.img").rename(tmp_path / data)
    path.rename(tmp_path / header)
    for name in (data, header):
        assert open_envi(tmp_path / name).read(EVERYTHING, EVERYTHING).shape == (2, 2, 2)


def test_missing_data_file_is_reported_with_the_names_that_were_tried(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "flight3", make_encoded_cube(2, 2, 2))
    path.with_suffix(".img").unlink()
    with pytest.raises(SceneNotFoundError, match=r"tried flight3, and flight3 \+ \.img \.dat .*16 bytes"):
        open_envi(path)


def test_two_data_files_are_an_error_that_names_both(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2))
    (tmp_path / "a.dat").write_bytes((tmp_path / "a.img").read_bytes())
    with pytest.raises(SceneError, match=r"a\.dat, a\.img; name the data file"):
        open_envi(path)
    assert open_envi(tmp_path / "a.img").header.data_path.endswith("a.img")


def test_file_of_the_same_stem_and_another_size_is_no_candidate(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2))
    (tmp_path / "a.dat").write_bytes(b"short")
    assert open_envi(path).header.data_path.endswith("a.img")


@pytest.mark.parametrize(("change", "message"), [(-3, "3 bytes too short"), (5, "5 bytes too long")])
def test_file_of_the_wrong_length_is_refused(change: int, message: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2))
    with (tmp_path / "a.img").open("r+b") as file:
        file.truncate(16 + change)
    for name in ("a.hdr", "a.img"):
        with pytest.raises(SceneError, match=f"a.hdr describes 16, so it is {message}"):
            open_envi(tmp_path / name)
    assert path.is_file()


def test_compressed_file_without_the_flag_is_recognised(tmp_path: Path) -> None:
    path = write_envi(
        tmp_path, "a", make_encoded_cube(2, 2, 2), compressed=True, header_extra={"file compression": None}
    )
    with pytest.raises(SceneError, match="add 'file compression = 1'"):
        open_envi(path)


def test_flag_without_compression_is_refused(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2), header_extra={"file compression": 1})
    with pytest.raises(SceneError, match="not compressed with gzip"):
        open_envi(path)


@pytest.mark.parametrize(("lines", "size"), [(3, "16 bytes"), (1, "more than 8 bytes")])
def test_compressed_file_of_the_wrong_length_is_refused(lines: int, size: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2), compressed=True, header_extra={"lines": lines})
    with pytest.raises(SceneError, match=f"decompresses to {size}"):
        open_envi(path)


def test_compressed_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = write_envi(
        tmp_path, "a", np.random.default_rng(0).integers(0, 999, (3, 50, 50)), dtype="int16", compressed=True
    )
    with (tmp_path / "a.img").open("r+b") as file:
        file.truncate(4000)
    with pytest.raises(SceneError, match="decompresses to"):
        open_envi(path)


def test_decompression_bomb_is_refused_early(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 2, 2), compressed=True)
    (tmp_path / "a.img").write_bytes(gzip.compress(bytes(200 << 20), compresslevel=1))
    with pytest.raises(SceneError, match="more than 16 bytes"):
        open_envi(path)


def test_compressed_file_of_several_streams_and_padding_is_read(tmp_path: Path) -> None:
    encoded = make_encoded_cube(2, 3, 4)
    path = write_envi(tmp_path, "a", encoded, interleave="bsq", compressed=True)
    content = gzip.decompress((tmp_path / "a.img").read_bytes())
    (tmp_path / "a.img").write_bytes(gzip.compress(content[:11]) + gzip.compress(content[11:]) + bytes(512))
    np.testing.assert_array_equal(open_envi(path).read(EVERYTHING, EVERYTHING), encoded)


def test_reading_a_compressed_file_writes_nothing_beside_it(tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(2, 3, 4), compressed=True)
    open_envi(path).read(EVERYTHING, EVERYTHING)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.hdr", "a.img"]


# --- what the header says ---


@pytest.mark.parametrize("number", [0, 6, 7, 9, 16, 99])
def test_other_data_types_are_refused_with_line_and_list(number: int, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "flight3", make_encoded_cube(1, 2, 2), header_extra={"data type": number})
    with pytest.raises(
        SceneError, match=rf"flight3\.hdr, line 7: data type {number} is .*1, 2, 3, 4, 5, 12, 13, 14 and 15"
    ):
        open_envi(path)


@pytest.mark.parametrize("key", ["samples", "lines", "bands", "data type"])
def test_missing_key_without_which_nothing_can_be_read_is_named(key: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(1, 2, 2), header_extra={key: None})
    with pytest.raises(SceneError, match=f"no '{key}'"):
        open_envi(path)


def test_missing_keys_with_a_usual_value_are_taken_so_and_said(tmp_path: Path) -> None:
    encoded = make_encoded_cube(2, 2, 2)
    missing = {"byte order": None, "interleave": None, "header offset": None, "file type": None}
    path = write_envi(tmp_path, "a", encoded, interleave="bsq", header_extra=missing)
    cube = open_envi(path)
    np.testing.assert_array_equal(cube.read(EVERYTHING, EVERYTHING), encoded)
    assert any("byte order" in repair for repair in cube.header.repairs)
    assert any("interleave" in repair for repair in cube.header.repairs)


def test_ending_stands_in_for_a_missing_interleave(tmp_path: Path) -> None:
    encoded = make_encoded_cube(2, 3, 2)
    write_envi(tmp_path, "a", encoded, interleave="bil", suffix=".bil", header_extra={"interleave": None})
    np.testing.assert_array_equal(open_envi(tmp_path / "a.bil").read(EVERYTHING, EVERYTHING), encoded)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("interleave", "bbq", "'bbq' is not one of bsq, bil, bip"),
        ("byte order", 2, "0 is little-endian"),
        ("bands", 70_000, "at most 65535"),
        ("bands", 0, "at least 1"),
        ("lines", -5, "at least 1"),
        ("file type", "ENVI Spectral Library", "spectral library, not a scene"),
        ("file type", "ENVI Meta File", "list of other files"),
        ("reflectance scale factor", 0, "factor to divide by"),
        ("reflectance scale factor", "many", "factor to divide by"),
    ],
)
def test_value_that_cannot_be_is_refused_with_its_line(key: str, value: Any, message: str, tmp_path: Path) -> None:
    path = write_envi(tmp_path, "a", make_encoded_cube(1, 2, 2), header_extra={key: value})
    with pytest.raises(SceneError, match=rf"a\.hdr, line \d+: .*{message}"):
        open_envi(path)


def test_huge_dimensions_are_refused_without_allocating(tmp_path: Path) -> None:
    huge = {"samples": 10**15, "lines": 10**15, "bands": 65_535}
    path = write_envi(tmp_path, "a", make_encoded_cube(1, 2, 2), header_extra=huge)
    with pytest.raises(SceneError, match="too short"):
        open_envi(path)


def test_header_beside_no_data_and_data_without_header_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.img").write_bytes(b"0123")
    with pytest.raises(SceneError, match=r"neither a\.img\.hdr nor a\.hdr is there"):
        open_envi(tmp_path / "a.img")
    with pytest.raises(SceneNotFoundError, match="no such file"):
        open_envi(tmp_path / "b.hdr")


@pytest.mark.parametrize(
    ("extra", "gain", "said"),
    [
        ({"reflectance scale factor": "10000.0"}, 1e-4, ""),
        ({"reflectance scale factor": 1, "wavelength": [400, 500, 600]}, 1, ""),
        ({"data gain values": [0.5, 0.5, 0.5]}, 0.5, ""),
        ({"data gain values": [1e-4] * 3, "reflectance scale factor": 10000}, 1e-4, ""),
        ({"data gain values": [0.5] * 3, "reflectance scale factor": 10000}, 0.5, "only the gains"),
        ({"data gain values": [0.5]}, 1, "ignored"),
        ({"z plot titles": "{wavelength, reflectance [* 10000]}"}, 1e-4, "x 10000"),
        ({"description": "{subset, scaled between 0 and 10000}"}, 1e-4, "x 10000"),
        ({"description": "{Reflectance x 10,000.}"}, 1e-4, "x 10000"),
        ({"description": "{100000 of them}"}, 1, ""),
        ({"wavelength": [400, 500, 600], "wavelength units": "nm"}, 1e-4, "16-bit integers"),
        ({}, 1, ""),
        ({"file type": "ENVI Classification", "class names": "{a, b}"}, 1, ""),
    ],
)
def test_scale_is_taken_or_guessed_in_order(extra: dict[str, Any], gain: float, said: str, tmp_path: Path) -> None:
    header = header_of(tmp_path, **extra)
    np.testing.assert_allclose(header.scaling.gain, gain)
    assert any(said in repair for repair in header.repairs) if said else not any("scale" in r for r in header.repairs)


def test_float_data_are_not_rescaled_by_a_guess(tmp_path: Path) -> None:
    assert header_of(tmp_path, dtype="float32", wavelength=[400, 500, 600]).scaling.is_identity


@pytest.mark.parametrize(
    ("dtype", "text", "value"),
    [
        ("int16", "-9999", -9999),
        ("int16", "-9999.000", -9999),
        ("uint8", "0", 0),
        ("float32", "1e30", float(np.float32(1e30))),
        ("float32", "-3.40282346639e+38", -float(np.finfo(np.float32).max)),
        ("float64", "-0.9999", -0.9999),
        ("int64", "-9223372036854775808", -(2**63)),
        ("uint64", "18446744073709551615", 2**64 - 1),
        ("int16", "-99999", None),
        ("uint16", "-1", None),
        ("int16", "nan", None),
        ("int16", "0.5", None),
        ("float32", "none", None),
    ],
)
def test_data_ignore_value_is_held_in_the_stored_type(dtype: str, text: str, value: Any, tmp_path: Path) -> None:
    header = header_of(tmp_path, dtype=dtype, data_ignore_value=text)
    assert header.nodata == value
    assert any("data ignore value" in repair for repair in header.repairs) == (value is None)


@pytest.mark.parametrize("text", ["NaN", "-1.#IND"])
def test_data_ignore_value_may_be_nan(text: str, tmp_path: Path) -> None:
    nodata = header_of(tmp_path, dtype="float32", data_ignore_value=text).nodata
    assert nodata is not None
    assert math.isnan(nodata)


def test_classes_and_their_colours_are_read(tmp_path: Path) -> None:
    header = header_of(
        tmp_path,
        bands=1,
        dtype="uint8",
        class_names="{Unclassified, Dießen, water}",
        class_lookup="{0, 0, 0, 148, 105, 66,\n 24, 12, 198}",
    )
    assert header.is_classification
    assert header.class_names == ("Unclassified", "Dießen", "water")
    assert header.class_colors == ((0, 0, 0), (148, 105, 66), (24, 12, 198))


@pytest.mark.parametrize("lookup", [[0, 0, 0], [0, 0, 0, 1, 1, 256], [0.5] * 6])
def test_broken_class_colours_are_ignored_and_said(lookup: list[float], tmp_path: Path) -> None:
    header = header_of(tmp_path, bands=1, dtype="uint8", class_names="{a, b}", class_lookup=lookup)
    assert header.class_colors == ()
    assert "class lookup" in header.repairs[-1]


def test_band_names_with_commas_are_told_apart_by_line(tmp_path: Path) -> None:
    header = header_of(tmp_path, band_names="{\nred, old,\ngreen,\nblue}")
    assert header.band_names == ("red, old", "green", "blue")
    assert header_of(tmp_path, band_names="{a, b}").band_names == ()


@pytest.mark.parametrize(
    ("text", "expected"), [("{3, 2, 1}", (3, 2, 1)), ("{2.0}", (2,)), ("{4, 1, 1}", ()), ("{1, 2}", ())]
)
def test_default_bands_are_those_that_exist(text: str, expected: tuple[int, ...], tmp_path: Path) -> None:
    assert header_of(tmp_path, default_bands=text).default_bands == expected


FUZZED_KEYS = [
    "samples", "lines", "bands", "header offset", "data type", "interleave", "byte order", "file compression",
    "file type", "map info", "coordinate system string", "wavelength", "wavelength units", "fwhm", "bbl",
    "data ignore value", "data gain values", "data offset values", "reflectance scale factor", "band names",
    "default bands", "class names", "class lookup", "description", "z plot titles", "sensor type", "geo points",
    "projection info",
]  # fmt: skip
FUZZED_VALUES = st.one_of(
    st.text(max_size=20),
    st.integers().map(str),
    st.floats().map(repr),
    st.lists(
        st.one_of(st.floats().map(repr), st.sampled_from(["UTM", "33", "North", "WGS-84", "units=Feet"])), max_size=9
    ).map(lambda items: "{" + ", ".join(items) + "}"),
    st.sampled_from(["{2, 1, 1}", "{400.0, 500.0}", "nm", "Wavenumber", "bip", "2", "1"]),
)


@settings(deadline=None, max_examples=150)
@given(fields=st.dictionaries(st.sampled_from(FUZZED_KEYS), FUZZED_VALUES, max_size=5))
def test_any_header_is_read_or_refused_in_one_line(fields: dict[str, str], tmp_path_factory: Any) -> None:
    path = write_envi(tmp_path_factory.mktemp("fuzz"), "a", make_encoded_cube(2, 2, 2), header_extra=fields)
    message = ""
    try:
        open_envi(path).read(EVERYTHING, EVERYTHING)
    except (SceneError, SceneNotFoundError) as error:
        message = str(error)
    assert "\n" not in message


def test_tiff_with_an_envi_header_takes_the_wavelengths_from_it(tmp_path: Path) -> None:
    profile = {"driver": "GTiff", "count": 3, "height": 2, "width": 2, "dtype": "int16", "nodata": -7}
    encoded = make_encoded_cube(3, 2, 2)
    with (
        warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
        rasterio.open(tmp_path / "a.tif", "w", **profile) as dataset,
    ):
        dataset.write(encoded)
    fields: dict[str, Any] = {
        "samples": 2,
        "lines": 2,
        "bands": 3,
        "data type": 2,
        "interleave": "bsq",
        "byte order": 0,
    }
    fields |= {"file type": "TIFF", "wavelength": [400, 500, 600], "wavelength units": "nm"}
    (tmp_path / "a.hdr").write_text(header_text(fields))
    cube = open_envi(tmp_path / "a.hdr")
    np.testing.assert_array_equal(cube.read(EVERYTHING, EVERYTHING), encoded)
    assert cube.header.nodata == -7
    assert cube.header.bands.wavelength is not None
    (tmp_path / "a.hdr").write_text(header_text(fields | {"lines": 3}))
    with pytest.raises(SceneError, match="describes"):
        open_envi(tmp_path / "a.hdr")
