from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import hsigeo
from hsigeo.errors import SceneError


@pytest.fixture
def scene(sample_scenes) -> xr.DataArray:
    return hsigeo.open_scene(sample_scenes / "line_1.hdr")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_opening_a_scene_is_enough(sample_scenes):
    code = f"import hsigeo; print(hsigeo.open_scene({str(sample_scenes / 'line_1.hdr')!r}).hsi.bands.count)"

    assert run(code) == "112"


def test_it_loads_no_torch_until_something_is_classified():
    assert (
        run("import sys, hsigeo.accessor; print('torch' in sys.modules, 'matplotlib' in sys.modules)") == "False False"
    )


def test_the_engine_of_xarray_gives_the_same_scene(sample_scenes, scene):
    import hsigeo.accessor

    assert hsigeo.accessor.HsiAccessor
    other = xr.open_dataarray(sample_scenes / "line_1.hdr", engine="hsigeo", chunks={})

    np.testing.assert_array_equal(other.hsi.wavelengths, scene.hsi.wavelengths)
    assert other.hsi.grid == scene.hsi.grid


def test_classify_is_the_function_of_that_name_on_a_cut_too(sample_scenes, scene):
    cut = scene.isel(y=slice(40, 60), x=slice(10, 50))
    model = hsigeo.load_model(sample_scenes / "line_1.safetensors")

    by_method = cut.hsi.classify(sample_scenes / "line_1.safetensors")

    assert by_method.class_id.chunks is not None  # lazy
    xr.testing.assert_equal(by_method.compute(), hsigeo.classify(cut, model).compute())


def test_rgb_shows_the_bands_by_wavelength_between_the_percentiles(scene):
    picture = scene.hsi.rgb("true-colour", percent=(2, 98))

    nm = picture.wavelength.values
    np.testing.assert_allclose(nm, [640, 550, 460], atol=20)
    red = scene.sel(band=picture.band[0]).values
    low, high = np.nanpercentile(red, [2, 98])
    np.testing.assert_allclose(picture.values[0], np.clip((red - low) / (high - low), 0, 1), atol=1e-5)
    assert np.array_equal(np.isnan(picture.values[0]), np.isnan(red))


def test_plot_rgb_draws_on_the_axes_given(scene):
    figure_module = pytest.importorskip("matplotlib.figure")
    axes = figure_module.Figure().add_subplot()

    image = scene.isel(x=slice(0, 40)).hsi.plot_rgb("cir", ax=axes)

    assert image.axes is axes
    assert image.get_array().shape[:2] == (scene.sizes["y"], 40)
    assert "y" not in scene.coords  # it is rotated,
    assert axes.yaxis_inverted()  # so the first row is on top
    assert axes.get_title() == ""


def test_what_the_scene_cannot_show_is_one_line(scene):
    with pytest.raises(SceneError, match="nearest to 9000 nm"):
        scene.hsi.rgb("9000,650,550")


def test_an_array_that_is_no_scene_has_no_hsi():
    import hsigeo.accessor  # noqa: F401

    with pytest.raises((AttributeError, RuntimeError), match="hsi"):
        _ = xr.DataArray(np.zeros((2, 3)), dims=("a", "b")).hsi
