"""A scene carries its grid and its spectral axis through xarray."""

from __future__ import annotations

import numpy as np
import pytest
import rioxarray  # noqa: F401 - registers `.rio`
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.grid import Grid, GroundControlPoint
from hsigeo.scene import check_scene, grid_of, make_scene, spectral_axis

UTM = CRS.from_epsg(32633).to_wkt()
NORTH_UP = Affine(30, 0, 366015, 0, -30, 5809965)
SOUTH_UP = Affine(30, 0, 366015, 0, 30, 5800000)
ROTATED = Affine.translation(500000, 4200000) @ Affine.rotation(30) @ Affine.scale(5, -5)


def scene_on(transform, lines=4, samples=3, **grid):
    bands = BandTable(count=2, wavelength=np.array([500.0, 600.0]), good=np.array([True, False]))
    data = np.arange(2 * lines * samples, dtype=np.float32).reshape(2, lines, samples)
    return make_scene(
        data, grid=Grid(lines=lines, samples=samples, transform=transform, crs=UTM, **grid), bands=bands, attrs={}
    )


@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP, ROTATED])
@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (1, 3), (4, 1)])
def test_the_grid_comes_back_exactly(transform, shape):
    grid = grid_of(scene_on(transform, *shape))
    assert grid.transform == transform
    assert grid.crs == UTM
    assert grid.shape == shape


@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP, ROTATED])
def test_rioxarray_sees_the_same_georeference(transform):
    scene = scene_on(transform)
    assert scene.rio.crs == CRS.from_epsg(32633)
    assert scene.rio.transform(recalc=False).almost_equals(transform)


def test_a_rotated_scene_has_no_misleading_coordinates():
    assert "x" not in scene_on(ROTATED).coords
    assert "x" in scene_on(NORTH_UP).coords


@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP])
def test_cutting_an_unrotated_scene_moves_its_grid(transform):
    part = scene_on(transform).isel(y=slice(2, 4), x=slice(1, 3))
    assert grid_of(part).transform.almost_equals(transform @ Affine.translation(1, 2), 1e-6)


@pytest.mark.filterwarnings("ignore:Transform that is non-rectilinear")
def test_cutting_a_rotated_scene_with_isel_window_moves_its_grid():
    from rasterio.windows import Window

    part = scene_on(ROTATED).rio.isel_window(Window(1, 2, 2, 2))
    assert grid_of(part).transform.almost_equals(ROTATED @ Affine.translation(1, 2), 1e-6)


CUTS = {
    "slices": {"y": slice(2, 9), "x": slice(1, 5)},
    "every third": {"y": slice(1, None, 3), "x": slice(None, None, 3)},
    "upside down": {"y": slice(None, None, -1)},
    "one row": {"y": [4]},
    "one pixel": {"y": [4], "x": [6]},
}


def place_of_pixels(scene):
    """Map position of every pixel centre, by the number that the pixel holds."""
    row, col = np.indices(scene.shape[1:])
    x, y = grid_of(scene).transform @ (col + 0.5, row + 0.5)
    return dict(zip(scene.values[0].ravel().tolist(), zip(x.ravel(), y.ravel(), strict=True), strict=True))


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP, ROTATED])
def test_the_pixels_of_a_cut_stay_where_they_were(transform, cut):
    whole = scene_on(transform, 10, 8)
    before = place_of_pixels(whole)
    for number, place in place_of_pixels(whole.isel(cut)).items():
        assert place == pytest.approx(before[number], abs=1e-6)


@pytest.mark.filterwarnings("ignore:Transform that is non-rectilinear")
def test_a_cut_of_a_window_of_a_rotated_scene_lies_where_it_was():
    from rasterio.windows import Window

    whole = scene_on(ROTATED, 10, 8)
    before = place_of_pixels(whole)
    part = whole.rio.isel_window(Window(2, 3, 5, 6)).isel(y=slice(1, 4), x=slice(2, None))
    for number, place in place_of_pixels(part).items():
        assert place == pytest.approx(before[number], abs=1e-6)


@pytest.mark.parametrize("degrees", [90, -90])
def test_a_window_of_a_scene_at_a_right_angle_lies_where_it_was(degrees):
    from rasterio.windows import Window

    quarter = {90: Affine(0, 4, 500000, 5, 0, 4200000), -90: Affine(0, -4, 500000, -5, 0, 4200000)}[degrees]
    part = scene_on(quarter, 10, 8).rio.isel_window(Window(2, 3, 5, 6))  # rioxarray: pixels of no size
    assert grid_of(part).transform == quarter @ Affine.translation(2, 3)


@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP, ROTATED])
def test_coarse_pixels_that_are_cut_off_lie_on_no_grid(transform):
    scene = scene_on(transform, 40, 30)
    whole = grid_of(scene.coarsen(y=4, x=3).mean())
    assert whole.transform.almost_equals(grid_of(scene).transform @ Affine.scale(3, 4), 1e-6)
    with pytest.raises(SceneError, match="not evenly spaced"):
        grid_of(scene.coarsen(y=7, x=3, boundary="pad").mean())


def test_longitudes_in_single_precision_are_even_enough():
    fine = Affine(4.5e-5, 0, 117.0, 0, -4.5e-5, 40.0)
    scene = scene_on(fine, 40, 30)
    scene = scene.assign_coords(x=scene.x.astype("f4"), y=scene.y.astype("f4")).isel(x=slice(2, None))
    assert grid_of(scene).transform.almost_equals(fine @ Affine.translation(2, 0), 1e-5)


def test_a_transform_given_by_the_caller_counts():
    corrected = ROTATED @ Affine.translation(-1, 0.5)
    assert grid_of(scene_on(ROTATED).rio.write_transform(corrected)).transform.almost_equals(corrected, 1e-6)


def test_ground_control_points_move_with_a_cut():
    points = (GroundControlPoint(row=0, col=0, x=13.0, y=52.5), GroundControlPoint(row=8, col=6, x=13.1, y=52.4))
    part = scene_on(Affine.identity(), 10, 8, ground_control_points=points).isel(y=slice(2, None, 2), x=slice(3, None))
    moved = grid_of(part).ground_control_points
    # Row 2 of the scene is row 0 of the cut, and its centre stays there: half a row of the scene lies above the cut.
    assert [(point.row, point.col) for point in moved] == [(-0.75, -3), (3.25, 3)]
    assert [(point.x, point.y) for point in moved] == [(13.0, 52.5), (13.1, 52.4)]


def test_ground_control_points_come_back():
    points = (GroundControlPoint(row=0, col=0, x=13.0, y=52.5), GroundControlPoint(row=3, col=2, x=13.1, y=52.4, z=30))
    scene = scene_on(Affine.identity(), ground_control_points=points)
    assert grid_of(scene).ground_control_points == points
    assert [point.x for point in scene.rio.get_gcps()] == [13.0, 13.1]


def test_the_spectral_axis_comes_back():
    bands = spectral_axis(scene_on(NORTH_UP))
    np.testing.assert_array_equal(bands.wavelength, [500, 600])
    np.testing.assert_array_equal(bands.good, [True, False])
    assert bands.fwhm is None


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 2)), xr.DataArray(np.zeros((2, 2)), dims=("y", "x"))])
def test_what_is_no_scene_is_refused(wrong):
    with pytest.raises(SceneError, match=r"dims \('band', 'y', 'x'\)"):
        check_scene(wrong)


def test_data_of_another_shape_than_the_grid_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 4, 3\)"):
        make_scene(np.zeros((2, 4, 3)), grid=Grid(lines=3, samples=3), bands=BandTable(count=2), attrs={})


@pytest.mark.parametrize(("transform", "degrees"), [(NORTH_UP, 0), (SOUTH_UP, 0), (ROTATED, 30)])
def test_rotation_is_told_in_degrees(transform, degrees):
    assert Grid(lines=1, samples=1, transform=transform).rotation == pytest.approx(degrees)


@pytest.mark.parametrize("transform", [NORTH_UP, SOUTH_UP, ROTATED])
def test_rows_that_are_picked_unevenly_lie_on_no_grid(transform):
    scene = scene_on(transform, lines=9)
    assert grid_of(scene.isel(y=[1, 3, 5])) == grid_of(scene.isel(y=slice(1, 6, 2)))
    with pytest.raises(SceneError, match="not evenly spaced"):
        grid_of(scene.isel(y=[1, 5, 6]))


def test_a_scene_without_pixels_is_refused():
    with pytest.raises(SceneError, match=r"has the shape \(2, 0, 3\)"):
        check_scene(scene_on(NORTH_UP).isel(y=slice(0, 0)))
