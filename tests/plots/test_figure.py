"""Figures: the house style, any language, files that never half-exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.io.georeference import open_quietly
from hsigeo.plots import check_figure, class_color, drawing, shorten, undrawable
from hsigeo.plots.fonts import BASE, families_for, spell_out

STARTS = {".png": b"\x89PNG\r\n", ".svg": b"<?xml", ".pdf": b"%PDF-"}
WORDS = ("forest", "Wälder", "дерево", "δάσος", "شجرة", "森林", "जंगल", "🌲", "$5 crops_{x")


def draw_bars(path: Path, names: tuple[str, ...], *, overwrite: bool = False) -> None:
    with drawing(path, size=(7, 3), texts=names, overwrite=overwrite) as figure:
        axes = figure.add_subplot()
        axes.bar(range(len(names)), range(len(names)), label=names[0])
        axes.set_xticks(range(len(names)), names)
        axes.set_title(" ".join(names)[:60])
        axes.legend()


@pytest.mark.parametrize("ending", sorted(STARTS))
def test_the_ending_decides_what_is_written(ending: str, tmp_path: Path) -> None:
    draw_bars(tmp_path / f"bars{ending}", ("a", "b"))

    assert (tmp_path / f"bars{ending}").read_bytes().startswith(STARTS[ending])
    assert [path.name for path in tmp_path.iterdir()] == [f"bars{ending}"]


@pytest.mark.parametrize("ending", sorted(STARTS))
def test_the_same_figure_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw_bars(tmp_path / f"{name}{ending}", ("a", "b"))

    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


@pytest.mark.parametrize("ending", sorted(STARTS))
def test_names_in_any_language_neither_warn_nor_fail(ending: str, tmp_path: Path) -> None:
    draw_bars(tmp_path / f"bars{ending}", WORDS)  # warnings are errors here

    assert (tmp_path / f"bars{ending}").stat().st_size > 1000


def test_characters_without_a_font_are_spelt_as_numbers_on_ticks_too(tmp_path: Path) -> None:
    with drawing(tmp_path / "bars.svg") as figure:  # the name is not announced, so no font is looked for
        axes = figure.add_subplot()
        axes.set_yticks([0, 1], ["水 b", "a"])
        axes.set_title("水")

    assert [label.get_text() for label in axes.get_yticklabels()] == ["[U+6C34] b", "a"]
    assert axes.get_title(loc="left") == "[U+6C34]"


def test_what_no_font_has_is_spelt_in_runs_and_the_rest_stays() -> None:
    assert spell_out("open 水域 2", [BASE]) == "open [U+6C34 U+57DF] 2"
    assert spell_out("plain", [BASE]) == "plain"
    assert spell_out("two\nlines\t\x07", [BASE]) == "two\nlines  "


def test_latin_names_need_no_search_for_fonts() -> None:
    assert families_for(["forest", "Wälder"]) == [BASE]


def test_undrawable_names_are_those_that_are_spelt() -> None:
    names = ["forest", "水"]
    spelt = [name for name in names if spell_out(name, families_for(names)) != name]

    assert undrawable(names) == spelt
    assert "forest" not in undrawable(names)


def test_settings_backend_and_pyplot_are_left_alone(tmp_path: Path) -> None:
    code = (
        "import sys, matplotlib as mpl\n"
        "mpl.rcParams['font.size'] = 31\n"
        "before = mpl.rcParams.copy()\n"
        "from hsigeo.plots import drawing\n"
        f"with drawing({str(tmp_path / 'a.png')!r}) as figure: figure.add_subplot().plot([1, 2])\n"
        "print(before == mpl.rcParams.copy(), 'matplotlib.pyplot' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["True", "False"]


def test_a_users_style_does_not_change_the_figure(tmp_path: Path) -> None:
    draw_bars(tmp_path / "plain.svg", ("a", "b"))
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "axes.grid": False}):
        draw_bars(tmp_path / "styled.svg", ("a", "b"))

    assert (tmp_path / "plain.svg").read_bytes() == (tmp_path / "styled.svg").read_bytes()


def test_an_existing_figure_is_refused_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "bars.png"
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match=re.escape(str(path))):
        draw_bars(path, ("a",))
    assert path.read_text() == "mine"

    draw_bars(path, ("a",), overwrite=True)

    assert path.read_bytes().startswith(STARTS[".png"])


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"PNG, SVG or PDF"):
        check_figure(tmp_path / "figure.jpeg")


def test_a_figure_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no"), drawing(tmp_path / "bars.png"):
        raise RuntimeError("no")

    assert list(tmp_path.iterdir()) == []


def test_a_class_keeps_its_colour() -> None:
    table = ClassTable.from_names(["a"], [(255, 0, 51)])

    assert class_color(table.entries[0]) == (1.0, 0.0, 0.2)


def test_only_long_names_are_cut() -> None:
    assert shorten("forest") == "forest"
    assert shorten("two\nlines") == "two lines"
    assert shorten("a" * 40) == "a" * 23 + "…"
    assert shorten("a" * 24) == "a" * 24
    assert shorten("水" * 12) == "水" * 12
    assert shorten("水" * 13) == "水" * 11 + "…"
    assert shorten("أشجار") == "\u200e{}\u200e".format("أشجار")


def test_a_title_that_begins_with_an_arabic_name_still_runs_from_left_to_right(tmp_path):
    ink = {}
    for name in ("أشجار", shorten("أشجار"), "Baum"):
        with drawing(tmp_path / f"{len(ink)}.png", size=(4, 1), texts=[name]) as figure:
            figure.text(0.05, 0.5, f"{name} (12 px)")
            figure.text(0.5, 0.5, "(12 px)")
        with open_quietly(tmp_path / f"{len(ink)}.png") as dataset:
            dark = (dataset.read()[:3].min(axis=0) < 128).any(axis=0)
        starts = np.flatnonzero(dark[1:] & ~dark[:-1])
        ink[name] = starts
    # The last six strokes before the middle are "(12 px)" as it is drawn alone, for every name but the bare one.
    for name in (shorten("أشجار"), "Baum"):
        left, alone = np.split(ink[name], [-6])
        np.testing.assert_allclose(np.diff(left[-6:]), np.diff(alone), atol=1)
    left, alone = np.split(ink["أشجار"], [-6])
    assert not np.allclose(np.diff(left[-6:]), np.diff(alone), atol=1)


def test_a_file_that_cannot_grow_is_said_in_one_line_whatever_its_kind(tmp_path):
    code = (
        "import resource, signal, sys\n"
        "from hsigeo.errors import OutputError\n"
        "from hsigeo.plots import drawing\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        with drawing(path) as figure:\n"
        "            figure.text(0.5, 0.5, 'forest')\n"
        "    except OutputError as error:\n"
        "        assert str(error).startswith(path), error\n"
        "    else:\n"
        "        raise SystemExit(path)\n"
    )
    paths = [str(tmp_path / f"figure{ending}") for ending in STARTS]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.iterdir())
