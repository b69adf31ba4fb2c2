"""Whatever a header says, the doctor answers, or says in one error why it cannot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spectral_scenes import SOUND, make_image, write_scene

from hsigeo.errors import HsigeoError
from hsigeo.io import open_cube
from hsigeo.io.doctor.examination import examine, examine_unreadable
from hsigeo.io.doctor.repair import plan_repair

KEYS = [
    *SOUND,
    *("samples", "lines", "bands", "header offset", "data type", "interleave", "byte order", "file compression"),
    *("bbl", "fwhm", "band names", "data gain values", "default bands", "class names", "class lookup", "pixel size"),
    *(
        "hsigeo trailing bytes",
        "hsigeo ignore values",
        "hsigeo data file",
        "hsigeo repairs",
        "coordinate system string",
    ),
]
NUMBERS = st.sampled_from(
    ["0", "-1", "1", "2", "4", "6", "12", "1e30", "nan", "inf", "999999999999999999", "1.5", "40"]
)
LISTS = st.lists(NUMBERS, max_size=45).map(lambda items: "{" + ", ".join(items) + "}")
VALUES = st.one_of(NUMBERS, LISTS, st.text(max_size=20), st.sampled_from(["bsq", "bip", "{", "}", "{a, b", ""]))


@given(changes=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), cut=st.integers(0, 400))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_but_one_error_comes_out_of_any_header(changes: Any, cut: int, tmp_path: Path) -> None:
    path = write_scene(tmp_path, make_image(24, 10, 8))
    content = (tmp_path / "scene.img").read_bytes()
    (tmp_path / "scene.img").write_bytes(content[: len(content) - cut])
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{key} = {value}\n" for key, value in changes.items())
    try:
        examine(open_cube(path))
    except HsigeoError:
        with suppress(HsigeoError):
            examine_unreadable(path)
    with suppress(HsigeoError):
        assert plan_repair(path).text.startswith("ENVI\n")


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x1f\x8b"])
def test_data_files_of_no_length_are_explained(content: bytes, tmp_path: Path) -> None:
    path = write_scene(tmp_path)
    (tmp_path / "scene.img").write_bytes(content)
    assert examine_unreadable(path).findings[0].severity == "error"
