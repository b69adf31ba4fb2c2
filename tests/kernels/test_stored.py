"""Stored numbers scaled by compiled loops are those that NumPy makes, bit by bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsigeo.io.scaling import Scaling
from hsigeo.io.spectra import StoredBlock

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # 3e38 times 3, by NumPy

LINES, SAMPLES = 5, 23
ORDERS = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
USED = {"all": np.arange(19), "run": np.arange(3, 17), "scattered": np.array([18, 2, 2, 7, 11]), "none": np.arange(0)}


def stored_numbers(dtype: str, order: tuple[int, ...]) -> NDArray[Any]:
    """(band, y, x) in this order of memory; every number that is hard to scale is among them."""
    random = np.random.default_rng(5)
    shape = (19, LINES, SAMPLES)
    values = random.integers(-20_000, 20_000, shape).astype(dtype)
    values[random.random(shape) < 0.1] = 0
    if dtype == "float32":
        values += random.random(shape).astype(dtype)
        for odd in (np.nan, np.inf, -np.inf, -0.0, 1e-42, 3e38):
            values[random.random(shape) < 0.05] = odd
    values[random.random(shape) < 0.1] = 77
    return np.ascontiguousarray(values.transpose(order)).transpose(np.argsort(order))


def same_bits(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return one.shape == other.shape and np.array_equal(
        np.where(np.isnan(one), np.float32(np.nan), one).view(np.int32),
        np.where(np.isnan(other), np.float32(np.nan), other).view(np.int32),
    )


@pytest.mark.parametrize("used", USED)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32"])
def test_compiled_loops_scale_to_the_same_bits(dtype: str, order: str, used: str) -> None:
    values, bands = stored_numbers(dtype, ORDERS[order]), USED[used]
    random = np.random.default_rng(6)
    scalings = [
        Scaling.constant(19),
        Scaling.constant(19, 1e-4),
        Scaling(gain=random.normal(size=19), offset=np.zeros(19)),
        Scaling(gain=np.full(19, 3.0), offset=np.where(np.arange(19) % 2, 0.1, 0.0)),
    ]
    for scaling in scalings:
        for nodata in (None, 77, 77.0 if dtype == "float32" else 0, float("nan") if dtype == "float32" else 1):
            plain = StoredBlock(values=values, used=bands, scaling=scaling.take(bands), nodata=nodata)
            fast = replace(plain, compiled=True)
            for pixels in (slice(None), slice(7, 8), slice(20, 71), slice(100, 999), slice(9, 9)):
                assert same_bits(fast.spectra(pixels), plain.spectra(pixels)), (scaling, nodata, pixels)
            part = slice(1, 4), slice(2, 20)
            assert same_bits(fast.part(*part).spectra(), plain.part(*part).spectra())


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_the_bands_of_a_pixel_lie_in_memory_as_without_compiled_loops(dtype: str) -> None:
    for order in ORDERS.values():
        values, used = stored_numbers(dtype, order), USED["run"]
        plain = StoredBlock(values=values, used=used, scaling=Scaling.constant(14, 2.0), nodata=None)

        assert replace(plain, compiled=True).spectra().strides == plain.spectra().strides


@pytest.mark.parametrize(
    "values",
    [
        stored_numbers("int16", ORDERS["bil"]).astype("int16").byteswap().view(">i2"),
        stored_numbers("int16", ORDERS["bil"]).astype("int32"),
        stored_numbers("int16", ORDERS["bsq"])[:, ::-1],
        stored_numbers("int16", ORDERS["bsq"])[:, :, ::2],
    ],
    ids=["other byte order", "other type", "turned over", "every other column"],
)
def test_numbers_that_compiled_loops_do_not_know_are_scaled_all_the_same(values: NDArray[Any]) -> None:
    plain = StoredBlock(values=values, used=USED["all"], scaling=Scaling.constant(19, 1e-4), nodata=77)

    assert same_bits(replace(plain, compiled=True).spectra(), plain.spectra())


def test_a_fill_of_its_own_in_each_band_is_heeded() -> None:
    values = stored_numbers("int16", ORDERS["bil"])
    scaling = replace(Scaling.constant(19, 1e-4), fill=values[:, 2, 3].copy())
    plain = StoredBlock(values=values, used=USED["all"], scaling=scaling, nodata=None)

    assert same_bits(replace(plain, compiled=True).spectra(), plain.spectra())
