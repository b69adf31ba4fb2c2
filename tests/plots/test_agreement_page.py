from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from hsigeo.classes import ClassTable
from hsigeo.errors import OutputExistsError
from hsigeo.plots.agreement import AgreementPage, draw_agreement


def page(lines: int) -> AgreementPage:
    names = [f"Flüge/{number}" for number in range(lines)]
    return AgreementPage(
        lines=[(name, 0.9, math.nan if number == 1 else 0.01, number == 0) for number, name in enumerate(names)],
        pairs=[(first, second, 0.8) for first, second in pairwise(names)],
        curves=[([(0.1, 0.9), (0.2, 0.8)], False), ([(0.1, 0.5)], True), ([], False)],
        classes=tuple(ClassTable.from_names(["水", "$5 crops"])),
        position_edges=np.array([0.0, 0.5, 1.0]),
        positions=np.array([0.9, math.nan]),
        class_positions=np.array([[0.9, math.nan], [math.nan, math.nan]]),
        axis="zenith",
    )


@pytest.mark.parametrize("lines", [0, 1, 2, 150])
def test_any_number_of_lines_makes_a_page(tmp_path, lines):
    draw_agreement(tmp_path / "page.png", page(lines))

    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputExistsError):
        draw_agreement(tmp_path / "page.png", page(lines))
