from __future__ import annotations

import shutil

import numpy as np
import pytest
import rasterio
from affine import Affine
from campaigns import CLASSES, UTM32, UTM33, make_ids, make_line_grid, read, write_line

from hsigeo.classes import ClassTable
from hsigeo.errors import OutputError, OutputExistsError
from hsigeo.grid import Grid
from hsigeo.lines.mapped_line import open_lines
from hsigeo.mosaic import Rule, write_mosaic, write_vrt


def grid_at(east: float, north: float, lines: int = 40, samples: int = 30) -> Grid:
    return Grid(lines=lines, samples=samples, transform=Affine(4, 0, east, 0, -4, north), crs=UTM33)


@pytest.fixture
def campaign(tmp_path):
    (tmp_path / "maps").mkdir()
    grids = [grid_at(380_000, 5_820_000), grid_at(380_060, 5_820_020), grid_at(380_200, 5_819_900)]
    return [write_line(tmp_path / "maps" / f"{n}_map.tif", grid, make_ids(grid, n)) for n, grid in enumerate(grids)]


def test_gdal_sees_in_the_vrt_what_the_mosaic_by_order_holds(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_mosaic(lines, tmp_path / "copy.tif", rule=Rule.ORDER)

    write_vrt(lines, tmp_path / "campaign.vrt")

    assert np.array_equal(read(tmp_path / "campaign.vrt"), read(tmp_path / "copy.tif"))
    with rasterio.open(tmp_path / "campaign.vrt") as vrt, rasterio.open(tmp_path / "copy.tif") as copy:
        assert vrt.transform == copy.transform
        assert vrt.crs == copy.crs
        assert vrt.nodata == 0
        assert vrt.colormap(1)[3] == (*CLASSES.entries[2].color, 255)
    assert (tmp_path / "campaign.qml").is_file()


def test_the_folder_can_be_moved(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_vrt(lines, tmp_path / "maps" / "campaign.vrt")
    before = read(tmp_path / "maps" / "campaign.vrt")

    shutil.move(tmp_path / "maps", tmp_path / "elsewhere")

    assert np.array_equal(read(tmp_path / "elsewhere" / "campaign.vrt"), before)
    assert str(tmp_path) not in (tmp_path / "elsewhere" / "campaign.vrt").read_text()


def test_smaller_views_hold_only_classes_that_are_there(campaign, tmp_path):
    write_vrt(open_lines(campaign)[0], tmp_path / "campaign.vrt")

    with rasterio.open(tmp_path / "campaign.vrt") as vrt:
        small = vrt.read(1, out_shape=(7, 9))

    assert set(np.unique(small)) <= {0, *CLASSES.ids}


def test_ids_that_differ_are_translated(tmp_path):
    other = ClassTable.from_names(["soil", "Oak & elm"])
    a, b = grid_at(380_000, 5_820_000), grid_at(380_200, 5_820_000)
    maps = [
        write_line(tmp_path / "a_map.tif", a, make_ids(a)),
        write_line(tmp_path / "b_map.tif", b, make_ids(b, 1, classes=2), classes=other),
    ]
    lines, _ = open_lines(maps)
    write_mosaic(lines, tmp_path / "copy.tif", rule=Rule.ORDER)

    notes = write_vrt(lines, tmp_path / "campaign.vrt")

    assert np.array_equal(read(tmp_path / "campaign.vrt"), read(tmp_path / "copy.tif"))
    assert any("ids differ" in note for note in notes)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (make_line_grid(20, 10), "turned by 23.0 degrees"),
        (Grid(lines=20, samples=10, transform=Affine(4, 0, 380000, 0, 4, 5820000), crs=UTM33), "not north-up"),
        (Grid(lines=20, samples=10, transform=Affine(4, 0, 780000, 0, -4, 5820000), crs=UTM32), "another CRS"),
    ],
)
def test_what_a_vrt_cannot_do_is_refused_with_the_way_out(campaign, tmp_path, grid, words):
    odd = write_line(tmp_path / "odd_map.tif", grid, make_ids(grid))
    lines, _ = open_lines([*campaign, odd])

    with pytest.raises(OutputError, match=f"{words}.*leave out --vrt"):
        write_vrt(lines, tmp_path / "campaign.vrt")
    assert not (tmp_path / "campaign.vrt").exists()


def test_nothing_is_overwritten_unasked(campaign, tmp_path):
    lines, _ = open_lines(campaign)
    write_vrt(lines, tmp_path / "campaign.vrt")

    with pytest.raises(OutputExistsError):
        write_vrt(lines, tmp_path / "campaign.vrt")
    write_vrt(lines, tmp_path / "campaign.vrt", overwrite=True)
    with pytest.raises(OutputError, match=r"ends in \.vrt"):
        write_vrt(lines, tmp_path / "campaign.tif")


def test_another_nodata_than_0_is_refused(campaign, tmp_path):
    with rasterio.open(campaign[0]) as dataset:
        profile, values = dataset.profile, dataset.read()
    with rasterio.open(tmp_path / "foreign.tif", "w", **(profile | {"nodata": 255})) as dataset:
        dataset.write(values)
    lines, _ = open_lines([tmp_path / "foreign.tif"])

    with pytest.raises(OutputError, match="255 as nodata"):
        write_vrt(lines, tmp_path / "campaign.vrt")
