"""The first pixels of a scene are fetched before torch is loaded; a hint that never fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from envi_files import make_encoded_cube, write_envi

from hsigeo.cli.classify_choices import fetch_start
from hsigeo.io.envi.raw import RawCube


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    heard: list[Any] = []
    monkeypatch.setattr(RawCube, "announce", lambda self, rows, cols, bands: heard.append((rows, cols, bands)))
    return heard


def test_the_header_or_the_data_file_will_do(tmp_path: Path, heard: list[Any]) -> None:
    header = write_envi(tmp_path, "a", make_encoded_cube(30, 9, 17))

    fetch_start(str(header), None)
    fetch_start(str(next(path for path in tmp_path.iterdir() if path != header)), None)

    assert heard == 2 * [(slice(0, 9), slice(0, 17), slice(0, 30))]


@pytest.mark.parametrize("reader", [None, "envi", "no such reader"])
def test_what_cannot_be_opened_is_left_to_whoever_opens_it(
    reader: str | None, tmp_path: Path, heard: list[Any]
) -> None:
    (tmp_path / "broken.hdr").write_text("ENVI\nlines = many\n")
    (tmp_path / "scene.tif").write_bytes(b"II*\0")

    for name in ("broken.hdr", "scene.tif", "missing.img", "no folder/missing.img", "."):
        fetch_start(str(tmp_path / name), reader)

    assert heard == []
