from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from campaigns import UTM33, make_line_grid, write_line

from hsigeo.grid import Grid
from hsigeo.lines import sampling
from hsigeo.lines.handles import Handles
from hsigeo.lines.placement import PixelIndex, Placement
from hsigeo.lines.sampling import take_nearest


class Fake:
    """A raster whose pixels say where they are, and which counts what is read of it."""

    def __init__(self, lines: int, samples: int, bands: int = 1) -> None:
        self.values = np.arange(bands * lines * samples).reshape(bands, lines, samples)
        self.sizes: list[int] = []

    def __call__(self, rows: slice, cols: slice) -> np.ndarray:
        window = self.values[:, rows, cols]
        self.sizes.append(window.size)
        return window[0] if len(window) == 1 else window


@pytest.mark.parametrize("bands", [1, 3])
def test_a_coarse_block_over_a_fine_raster_is_read_in_windows_of_bounded_size(monkeypatch, bands):
    monkeypatch.setattr(sampling, "LARGEST_WINDOW", 1000)
    fake = Fake(120, 90, bands)
    fine = Grid(lines=120, samples=90, transform=Affine(1, 0, 0, 0, -1, 120), crs=UTM33)
    coarse = Grid(lines=12, samples=9, transform=Affine(10, 0, 0, 0, -10, 120), crs=UTM33)
    out = np.full((12, 9) if bands == 1 else (bands, 12, 9), -1)

    take_nearest(fake, Placement(fine, coarse).locate(slice(0, 12), slice(0, 9)), out)

    assert max(fake.sizes) <= 1000
    assert np.array_equal(out.reshape(bands, 12, 9), fake.values[:, 5::10, 5::10])


def test_what_lies_outside_keeps_what_was_there():
    out = np.full((1, 2), 7)

    take_nearest(Fake(3, 3), PixelIndex(rows=np.array([[-1, 2]]), cols=np.array([[-1, 1]])), out)

    assert out.tolist() == [[7, 7]]  # pixel (2, 1) of the raster is number 7


def test_nothing_is_read_where_nothing_lies():
    fake = Fake(3, 3)

    take_nearest(fake, PixelIndex(rows=np.full((2, 2), -1), cols=np.full((2, 2), -1)), np.zeros((2, 2)))

    assert fake.sizes == []


def test_no_more_files_are_open_than_allowed(tmp_path):
    paths = []
    for number in range(6):
        grid = make_line_grid(4, 3)
        paths.append(write_line(tmp_path / f"{number}_map.tif", grid, np.full((4, 3), number)))

    with Handles(limit=2) as handles:
        for number in (0, 1, 2, 3, 4, 5, 0, 3):
            values = handles.read(paths[number], 1, slice(0, 4), slice(0, 3), "GTiff")
            assert len(handles) <= 2
            assert (values == number).all()
    assert len(handles) == 0
