"""Figures that cannot be written are refused before the work that they are to show."""

from __future__ import annotations

import pytest

from hsigeo.cli.figures import plan_figures
from hsigeo.errors import OutputError


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    wanted = str(tmp_path / "new" / "plots")
    assert list(plan_figures(wanted, ["spectra"], "png", overwrite=False)) == ["spectra"]
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(OutputError, match=f"cannot be made: {tmp_path} is not writable"):
        plan_figures(wanted, ["spectra"], "png", overwrite=False)
    assert list(tmp_path.iterdir()) == []
