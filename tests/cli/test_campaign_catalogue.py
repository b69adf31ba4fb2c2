"""What `hsigeo classify --output-dir` does for a campaign as a whole."""

from __future__ import annotations

import pystac
import pytest
from flight_lines import write_line
from labelled_spectra import make_model

from hsigeo.model import write_model

CAMPAIGN = ("classify", "lines", "--model", "model.safetensors", "--output-dir", "maps")


@pytest.fixture
def lines(tmp_path):
    write_model(make_model(), tmp_path / "model.safetensors")
    folder = tmp_path / "lines"
    folder.mkdir()
    for name in ("ang20200712t201415_rfl", "ang20200712t203011_rfl"):
        write_line(folder, name)
    return folder


def items(folder):
    return {item.id: item for item in pystac.Collection.from_file(folder / "maps" / "collection.json").get_items()}


def test_a_campaign_ends_with_a_catalogue_that_grows_with_it(hsigeo, lines, tmp_path):
    done = hsigeo(*CAMPAIGN)
    assert done.returncode == 0, done.stderr
    first = items(tmp_path)
    assert set(first) == {"ang20200712t201415_map", "ang20200712t203011_map"}
    assert set(first["ang20200712t201415_map"].assets) == {"map", "quicklook", "style", "names", "log"}

    write_line(lines, "ang20200712t210000_rfl")
    done = hsigeo(*CAMPAIGN)

    assert done.returncode == 0, done.stderr
    assert len(items(tmp_path)) == 3
    assert "caution" not in done.stderr


def test_lines_that_were_processed_in_another_way_are_named_before_the_work(hsigeo, lines):
    write_line(lines, "ang20200712t210000_rfl_brdf")

    done = hsigeo(*CAMPAIGN)

    assert done.returncode == 0, done.stderr
    (caution,) = [line for line in done.stderr.splitlines() if line.startswith("caution: ")]
    assert "ang20200712t210000 say that they are BRDF-corrected" in caution


def test_maps_are_done_though_the_catalogue_cannot_be_written(hsigeo, lines, tmp_path):
    (tmp_path / "maps" / "collection.json").mkdir(parents=True)

    done = hsigeo(*CAMPAIGN)

    assert done.returncode == 0, done.stderr
    assert "note: the maps are there, but their catalogue is not" in done.stderr
    assert "2 done" in done.stderr
