from __future__ import annotations

import numpy as np
import pytest
import rasterio
from campaigns import make_ids, make_line_grid, read, write_line


@pytest.fixture
def maps(tmp_path):
    for number in range(3):
        grid = make_line_grid(60, 30, east=380_000 + 70 * number)
        write_line(tmp_path / f"line_{number}_map.tif", grid, make_ids(grid, number))
    return ["line_0_map.tif", "line_1_map.tif", "line_2_map.tif"]


def test_three_lines_become_one_map(hsigeo, maps, tmp_path):
    done = hsigeo("mosaic", *maps, "-o", "campaign.tif")

    assert done.returncode == 0, done.stderr
    assert "from 3 of 3 maps" in done.stderr
    assert "rule: centre" in done.stderr
    with rasterio.open(tmp_path / "campaign.tif") as dataset:
        assert dataset.crs.to_epsg() == 32633
        assert dataset.transform.b == 0
    assert set(np.unique(read(tmp_path / "campaign_lines.tif"))) == {0, 1, 2, 3}


def test_the_grid_can_be_given(hsigeo, maps, tmp_path):
    box = (380_000, 5_819_700, 380_300, 5_819_900)

    done = hsigeo("mosaic", *maps, "-o", "c.tif", "--resolution", 10, "--bounds", *box, "--crs", "EPSG:25833")

    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "c.tif") as dataset:
        assert dataset.crs.to_epsg() == 25833
        assert dataset.bounds == box
        assert dataset.shape == (20, 30)


def test_a_rule_without_its_layers_is_one_line(hsigeo, maps, tmp_path):
    done = hsigeo("mosaic", *maps, "-o", "campaign.tif", "--rule", "zenith")

    assert done.returncode == 1
    assert "3 of 3 have none" in done.stderr
    assert not (tmp_path / "campaign.tif").exists()


def test_a_vrt_takes_no_rule(hsigeo, maps):
    done = hsigeo("mosaic", *maps, "-o", "campaign.vrt", "--vrt", "--rule", "centre")

    assert done.returncode == 2
    assert "leave out --vrt" in done.stderr


def test_running_a_pattern_again_takes_the_mosaic_for_none_of_the_maps(hsigeo, maps):
    hsigeo("mosaic", *maps, "-o", "campaign.tif")

    done = hsigeo("mosaic", *maps, "campaign.tif", "campaign_lines.tif", "-o", "campaign.tif", "--overwrite")

    assert done.returncode == 0, done.stderr
    assert "from 3 of 3 maps" in done.stderr
