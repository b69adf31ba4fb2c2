"""Each kind of figure: drawn from odd values without a warning, and showing what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.metrics import Accuracy
from hsigeo.plots.confusion import draw_confusion
from hsigeo.plots.learning_curve import draw_learning_curve
from hsigeo.plots.reliability import draw_reliability
from hsigeo.plots.spectra import draw_spectra

NAMES = ("roof", "a very long class name that would leave no room at all", "Wälder 森林", "$x_{")


@pytest.mark.parametrize("count", [1, 4, 30])
def test_a_confusion_matrix_of_any_size_is_drawn(count: int, tmp_path: Path) -> None:
    names = tuple(NAMES[k % 4] + " " * (k // 4) + str(k) for k in range(count))
    confusion = np.random.default_rng(0).integers(0, 2000, (count, count + 1))
    confusion[0] = 0  # a class without any reference pixel

    draw_confusion(Accuracy(names=names, confusion=confusion), tmp_path / "confusion.png", title="held out")

    assert (tmp_path / "confusion.png").stat().st_size > 5000


def test_the_unclassified_column_is_shown_only_where_it_counts(tmp_path: Path) -> None:
    full = Accuracy(names=("a", "b"), confusion=np.array([[3, 1, 0], [0, 4, 0]]))
    some = Accuracy(names=("a", "b"), confusion=np.array([[3, 1, 2], [0, 4, 0]]))
    draw_confusion(full, tmp_path / "full.svg")
    draw_confusion(some, tmp_path / "some.svg")

    assert "(unclassified)" not in (tmp_path / "full.svg").read_text()
    assert "(unclassified)" in (tmp_path / "some.svg").read_text()


def test_reliability_is_drawn_before_and_after(tmp_path: Path) -> None:
    tables = {"before": ([(0.5, 0.4, 10), (0.9, 0.7, 90)], 0.2), "after": ([(0.6, 0.6, 100)], 0.0)}

    draw_reliability(tables, tmp_path / "reliability.svg")

    text = (tmp_path / "reliability.svg").read_text()
    assert "before: off by 20.0%" in text
    assert "after: off by 0.0%" in text


@pytest.mark.parametrize("classes", [1, 2, 5])
@pytest.mark.parametrize("wavelengths", [True, False])
def test_spectra_of_each_class_are_drawn(classes: int, wavelengths: bool, tmp_path: Path) -> None:
    place = np.r_[np.linspace(400, 1300, 30), np.linspace(1450, 1800, 12), np.linspace(1950, 2450, 18)]
    bands = BandTable(count=60, wavelength=place if wavelengths else None)
    spectra = np.random.default_rng(0).uniform(0, 1, (9, 60)).astype(np.float32)
    table = ClassTable.from_names([f"class {k}" for k in range(classes)])

    # The last of several classes has no pixel, as after a split.
    index = np.arange(9) % max(1, classes - 1)
    draw_spectra(spectra, index, table, bands, tmp_path / "spectra.svg")

    text = (tmp_path / "spectra.svg").read_text()
    assert ("wavelength (nm)" in text) == wavelengths
    assert all(name in text for name in table.names)


def test_one_band_is_enough_for_a_figure(tmp_path: Path) -> None:
    table = ClassTable.from_names(["a"])

    draw_spectra(
        np.ones((2, 1), dtype=np.float32), np.zeros(2, dtype=int), table, BandTable(count=1), tmp_path / "s.png"
    )

    assert (tmp_path / "s.png").exists()


def test_a_learning_curve_is_drawn_from_one_point_or_several(tmp_path: Path) -> None:
    draw_learning_curve([(30, [0.5], [0.4])], tmp_path / "one.png")
    draw_learning_curve([(30, [0.5, 0.6], [0.4, 0.5]), (120, [0.7, 0.8], [0.6, 0.6])], tmp_path / "two.png")

    assert (tmp_path / "two.png").stat().st_size > 5000


def test_the_counts_below_a_learning_curve_do_not_touch(tmp_path: Path) -> None:
    curve = [(count, [0.5, 0.6], [0.4, 0.5]) for count in (20, 21, 45, 146)]

    draw_learning_curve(curve, tmp_path / "curve.svg")

    text = (tmp_path / "curve.svg").read_text()
    assert "<!-- 20 -->" not in text
    assert all(f"<!-- {count} -->" in text for count in (21, 45, 146))
