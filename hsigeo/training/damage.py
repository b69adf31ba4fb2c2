"""Damages that a sensor, or its calibration, does to spectra: what a model trained on sound spectra may meet.

Each pixel is damaged on its own, as seeded; reflectance stays 0-1 or about that. Used to measure what parts of the
model are for, never to train.

Shape legend: P pixels, B bands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable

__all__ = ["DAMAGES", "Damage", "damage_spectra"]

RUN_SHARE = 0.12
"""Share of the bands, next to each other, that die together."""

SCATTER_SHARE = 0.05
"""Share of the bands that die one by one."""

DRIFT = 0.05
"""Root mean square over bands of the gain's departure from 1."""

DRIFT_WAVES = 4
"""Cosines over the spectrum that make a drift, the constant one among them: it bends a few times, no more."""

Spectra = NDArray[np.float32]
Inflict = Callable[[Spectra, BandTable, np.random.Generator], Spectra]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One way of being damaged.

    Parameters
    ----------
    what
        In words.
    inflict
        From sound spectra (P, B), their bands and a source of randomness to damaged spectra (P, B).
    """

    what: str
    inflict: Inflict


def damage_spectra(name: str, spectra: Spectra, bands: BandTable, *, seed: int) -> Spectra:
    """A damaged copy of spectra (P, B); the same seed gives the same damage.

    Raises
    ------
    KeyError
        There is no such damage in `DAMAGES`.
    """
    return DAMAGES[name].inflict(spectra, bands, np.random.default_rng((seed, list(DAMAGES).index(name))))


def _kill_run(spectra: Spectra, _: BandTable, generator: np.random.Generator) -> Spectra:
    return np.where(_run(spectra, generator), np.float32(0.0), spectra)


def _misread_run(spectra: Spectra, _: BandTable, generator: np.random.Generator) -> Spectra:
    inside = _run(spectra, generator)
    level = generator.random((len(spectra), 1), dtype=np.float32)  # anywhere in the range of reflectance
    return np.where(inside, level, spectra)


def _kill_scattered(spectra: Spectra, _: BandTable, generator: np.random.Generator) -> Spectra:
    pixels, bands = spectra.shape
    dead = max(1, round(SCATTER_SHARE * bands))
    rank = generator.random((pixels, bands)).argsort(axis=1).argsort(axis=1)
    return np.where(rank < dead, np.float32(0.0), spectra)


def _drift(spectra: Spectra, _: BandTable, generator: np.random.Generator) -> Spectra:
    pixels, bands = spectra.shape
    place = (np.arange(bands) + 0.5) / bands
    waves = np.cos(np.pi * np.arange(DRIFT_WAVES)[:, None] * place)  # (waves, B)
    bent = generator.normal(size=(pixels, DRIFT_WAVES)) @ waves  # (P, B)
    bent *= DRIFT / np.sqrt(np.mean(bent**2, axis=1, keepdims=True))
    return np.asarray(spectra * (1.0 + bent), dtype=np.float32)


def _shift(spectra: Spectra, bands: BandTable, generator: np.random.Generator) -> Spectra:
    """Half the usual distance between bands, up or down, read off the straight line between neighbours."""
    centres = np.arange(bands.count, dtype=np.float64) if bands.wavelength is None else bands.wavelength
    order = np.argsort(centres, kind="stable")
    ascending = centres[order]
    half = 0.5 * float(np.median(np.diff(ascending))) if len(ascending) > 1 else 0.0
    up, down = (_interpolate(spectra[:, order], ascending, ascending + step) for step in (half, -half))
    shifted = np.empty_like(spectra)
    shifted[:, order] = np.where(generator.random((len(spectra), 1)) < 0.5, up, down)
    return shifted


def _interpolate(spectra: Spectra, at: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, B) spectra known at ascending places, at others; constant beyond the ends."""
    right = np.clip(np.searchsorted(at, wanted), 1, max(1, len(at) - 1)).clip(max=len(at) - 1)
    left = np.maximum(right - 1, 0)
    gap = at[right] - at[left]
    share = np.clip(np.divide(wanted - at[left], gap, out=np.zeros_like(gap), where=gap > 0), 0.0, 1.0)
    return np.asarray((1 - share) * spectra[:, left] + share * spectra[:, right])


def _run(spectra: Spectra, generator: np.random.Generator) -> NDArray[np.bool_]:
    """(P, B) a run of neighbouring bands in each pixel."""
    pixels, bands = spectra.shape
    length = max(1, round(RUN_SHARE * bands))
    start = generator.integers(0, bands - length + 1, size=(pixels, 1))
    place = np.arange(bands)
    return np.asarray((place >= start) & (place < start + length))


DAMAGES: dict[str, Damage] = {
    "dead": Damage(what="12 % of the bands, next to each other, read 0", inflict=_kill_run),
    "level": Damage(what="12 % of the bands, next to each other, read one random level", inflict=_misread_run),
    "scatter": Damage(what="5 % of the bands, here and there, read 0", inflict=_kill_scattered),
    "drift": Damage(what="a gain that drifts smoothly along the spectrum, by 5 %", inflict=_drift),
    "shift": Damage(what="wavelengths off by half a band, up or down", inflict=_shift),
}
"""Name → damage. The order is part of the seeds."""
