"""What CSV files may make a spreadsheet do: nothing."""

import pytest

from hsigeo.spreadsheets import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_would_be_run_as_a_formula_stands_behind_an_apostrophe(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("cell", ["水 = water", "forest", "", None, -1.5, 3])
def test_other_cells_are_left_as_they_are(cell: object) -> None:
    assert harmless(cell) is cell
