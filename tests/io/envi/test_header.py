from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.errors import SceneError, SceneNotFoundError
from hsigeo.io.envi.header import MAX_HEADER_BYTES, parse_header, read_header
from hsigeo.io.numerals import parse_number


def test_keys_are_found_whatever_their_case_and_blanks() -> None:
    header = parse_header("ENVI\nSamples=3\n  DATA   Type  =  4\nData_Ignore_Value = -9999\n", "x.hdr")
    assert header.integer("samples") == 3
    assert header.integer("data type") == 4
    assert header.text("data ignore value") == "-9999"


def test_braces_may_span_lines_and_hold_comments() -> None:
    header = parse_header("ENVI\nwavelength = { 1.0,\n; not a value\n 2.0 ,\r\n3.0, }\nbands = 3\n", "x.hdr")
    assert header.numbers("wavelength") == [1.0, 2.0, 3.0]
    assert header.integer("bands") == 3


def test_comments_blank_lines_and_byte_order_mark_are_skipped() -> None:
    header = parse_header("\ufeffENVI\n\n; samples = 9\nsamples = 3\n", "x.hdr")
    assert header.integer("samples") == 3
    assert header.repairs == ()


def test_values_may_contain_equals_signs() -> None:
    header = parse_header("ENVI\nmap info = {UTM, units=Meters, rotation = 30}\n", "x.hdr")
    assert header.items("map info") == ["UTM", "units=Meters", "rotation = 30"]


def test_text_after_the_closing_brace_is_not_part_of_the_value() -> None:
    assert parse_header("ENVI\na = {1, 2} ; two\nb = 3\n", "x.hdr").numbers("a") == [1, 2]


def test_unclosed_brace_is_reported_with_its_line() -> None:
    with pytest.raises(SceneError, match=r"x\.hdr, line 3: the brace opened here is never closed"):
        parse_header("ENVI\nsamples = 1\nwavelength = {1,\n2,\n", "x.hdr")


def test_file_of_another_kind_is_refused() -> None:
    with pytest.raises(SceneError, match="not an ENVI header"):
        parse_header("BYTEORDER I\nNROWS 5\n", "x.hdr")
    with pytest.raises(SceneError, match="not an ENVI header"):
        parse_header("", "x.hdr")


def test_repeated_key_takes_the_last_value_and_says_so() -> None:
    header = parse_header("ENVI\nbands = 1\nbands = 2\nlines = 4\nlines = 4\n", "x.hdr")
    assert header.integer("bands") == 2
    assert header.repairs == ("the header has 'bands' twice; the one in line 3 was used",)


def test_line_without_equals_sign_is_ignored_and_said() -> None:
    assert "line 2" in parse_header("ENVI\nwhatever\nbands = 2\n", "x.hdr").repairs[0]


@pytest.mark.parametrize("text", ["-1", "1.5", "three", "1_0", "9" * 40, "1e3", ""])
def test_bad_whole_number_is_refused_with_its_line_and_value(text: str) -> None:
    with pytest.raises(SceneError, match=r"x\.hdr"):
        parse_header(f"ENVI\nbands = {text}\n", "x.hdr").integer("bands")


def test_whole_number_may_be_written_with_decimals() -> None:
    assert parse_header("ENVI\nbands = 10.00\n", "x.hdr").integer("bands") == 10


def test_word_among_numbers_is_refused_with_its_place() -> None:
    with pytest.raises(SceneError, match=r"line 2: value 2 of 'fwhm' is 'wide'"):
        parse_header("ENVI\nfwhm = {1, wide}\n", "x.hdr").numbers("fwhm")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5d+03", 1500.0),
        ("1e30", 1e30),
        (" -99 ", -99.0),
        ("1.#INF", math.inf),
        ("-1.#INF", -math.inf),
        ("5D2", 500.0),
    ],
)
def test_numbers_of_many_languages_are_understood(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["nan", "NaN", "-1.#IND", "1.#QNAN"])
def test_nan_of_many_languages_is_understood(text: str) -> None:
    value = parse_number(text)
    assert value is not None
    assert math.isnan(value)


@pytest.mark.parametrize("text", ["", "12 nm", "1_000", "0x10", "--1", "d"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None


def test_header_in_latin_1_keeps_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "x.hdr"
    path.write_bytes("ENVI\nclass names = {Dießen, Höhe}\n".encode("latin-1"))
    assert read_header(path).items("class names") == ["Dießen", "Höhe"]
    path.write_bytes("ENVI\nclass names = {Dießen, 森林}\n".encode())
    assert read_header(path).items("class names") == ["Dießen", "森林"]


def test_missing_and_oversized_headers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneNotFoundError, match="no such file"):
        read_header(tmp_path / "none.hdr")
    path = tmp_path / "big.hdr"
    with path.open("wb") as file:
        file.write(b"ENVI\n")
        file.truncate(MAX_HEADER_BYTES + 1)
    with pytest.raises(SceneError, match="larger than 16 MiB"):
        read_header(path)


@given(st.text())
def test_any_text_parses_or_is_a_scene_error(text: str) -> None:
    try:
        header = parse_header("ENVI\n" + text, "x.hdr")
        for key in header.fields:
            header.items(key)
            header.integer(key, 0)
            header.numbers(key)
    except SceneError:
        pass


_KEYS = ["samples", "map info", "wavelength", "band names", "description", "coordinate system string"]
_PIECES = st.sampled_from(["{", "}", "=", ",", ";", "\n", "\r", " ", "1", "nan", "1e999", "UTM", "\ufeff", "é", "\0"])


@given(st.lists(st.tuples(st.sampled_from(_KEYS), st.lists(_PIECES).map("".join))))
def test_broken_headers_parse_or_are_scene_errors(fields: list[tuple[str, str]]) -> None:
    text = "ENVI\n" + "\n".join(f"{key} = {value}" for key, value in fields)
    message = ""
    try:
        header = parse_header(text, "x.hdr")
        for key in header.fields:
            header.numbers(key)
    except SceneError as error:
        message = str(error)
    assert "\n" not in message
