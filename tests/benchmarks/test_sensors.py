"""The simulation of other sensors is consistent with what was measured."""

from __future__ import annotations

import numpy as np

from benchmarks.sensors.simulation import Simulation
from benchmarks.sensors.targets import with_dead_bands
from benchmarks.sensors.ways import HSIGEO, WAYS
from hsigeo.bands import BandTable
from hsigeo.training.record import learn_prior

NM = np.linspace(450.0, 1000.0, 56)


def table(wavelength, fwhm):
    return BandTable(count=len(wavelength), wavelength=wavelength, fwhm=np.full(len(wavelength), fwhm))


def spectra(count=80):
    random = np.random.default_rng(0)
    share = random.dirichlet([1, 1, 1], size=count)
    shapes = np.stack([0.3 + 0.1 * np.sin(NM / scale) for scale in (30.0, 70.0, 200.0)])
    return (share @ shapes).astype(np.float32)


def test_what_was_measured_is_what_the_same_sensor_sees():
    measured = spectra()
    seen = Simulation(measured, table(NM, 10.0)).through(table(NM, 10.0))
    assert np.abs(seen - measured).max() < 1e-3


def test_a_broad_band_sees_the_mean_of_what_lies_under_it():
    measured = spectra()
    broad = Simulation(measured, table(NM, 10.0)).through(table(np.array([700.0]), 100.0))[:, 0]
    weights = np.exp(-0.5 * ((NM - 700.0) / (100.0 / 2.3548)) ** 2)
    np.testing.assert_allclose(broad, measured @ weights / weights.sum(), rtol=0.01)


def test_every_way_gives_the_models_bands_and_all_agree_where_nothing_is_to_be_done():
    measured, model = spectra(), table(NM, 10.0)
    prior = learn_prior(measured)
    for name, way in WAYS.items():
        np.testing.assert_allclose(way(model, model, prior, measured), measured, atol=1e-6, err_msg=name)
    dead = with_dead_bands(model, seed=0, run=8)
    assert 6 <= (~dead.good).sum() < 14
    error = {name: np.abs(way(model, dead, prior, measured) - measured).mean() for name, way in WAYS.items()}
    assert min(error, key=error.get) == HSIGEO
