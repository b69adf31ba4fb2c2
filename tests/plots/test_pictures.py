from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError
from hsigeo.plots.pictures import Panel, draw_pictures, nice_length


def panel(title: str = "scene", **options: object) -> Panel:
    rgba = np.full((4, 30, 20), 255, dtype=np.uint8)
    rgba[0] = np.arange(20)
    return Panel(title=title, rgba=rgba, **options)  # type: ignore[arg-type]


PLACED = {"extent": (5e5, 5e5 + 80, 4.2e6, 4.2e6 + 120), "metres": (1.0, 1.0), "crs": "utm"}


def texts_in(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_placed_pictures_have_a_scale_bar_and_an_arrow(tmp_path: Path) -> None:
    draw_pictures([panel(**PLACED)], tmp_path / "a.svg")
    draw_pictures([panel()], tmp_path / "b.svg")
    assert "<!-- 20 m -->" in texts_in(tmp_path / "a.svg")
    assert "<!-- N -->" in texts_in(tmp_path / "a.svg")
    assert " m -->" not in texts_in(tmp_path / "b.svg")
    assert "<!-- N -->" not in texts_in(tmp_path / "b.svg")


def test_kilometres_are_written_as_such(tmp_path: Path) -> None:
    wide = PLACED | {"extent": (5e5, 5e5 + 30_000, 4.2e6, 4.2e6 + 45_000)}
    draw_pictures([panel(**wide)], tmp_path / "a.svg")
    assert "<!-- 5 km -->" in texts_in(tmp_path / "a.svg")


def test_the_legend_names_classes_in_any_language(tmp_path: Path) -> None:
    classes = ClassTable.from_names(["Wald (Laubbäume)", "水", "$5 crops"])
    draw_pictures([panel(**PLACED), panel("map", **PLACED)], tmp_path / "a.svg", classes=classes.entries)
    content = texts_in(tmp_path / "a.svg")
    assert "Wald (Laubbäume)" in content
    assert "$5 crops" in content
    draw_pictures([panel("map")], tmp_path / "a.png", classes=ClassTable.from_names(f"c{i}" for i in range(60)).entries)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_different_places_are_drawn_each_for_itself(tmp_path: Path) -> None:
    elsewhere = PLACED | {"extent": (6e5, 6e5 + 80, 4.2e6, 4.2e6 + 120)}
    draw_pictures([panel(**PLACED), panel(**elsewhere), panel(**PLACED | {"crs": "other"})], tmp_path / "a.png")


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        draw_pictures([panel()], tmp_path / "a.gif")


@pytest.mark.parametrize(
    ("longest", "nice"), [(1, 1), (1.99, 1), (2, 2), (4.9, 2), (730, 500), (0.03, 0.02), (1e4, 1e4)]
)
def test_scale_bars_have_round_lengths(longest: float, nice: float) -> None:
    assert nice_length(longest) == pytest.approx(nice)
