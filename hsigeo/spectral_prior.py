"""What spectra like those of training look like, and what that says about bands a scene does not have.

The bands of a spectrum are strongly correlated: twenty shapes and a little noise describe hundreds of them. So bands
that a sensor lacks can be expected from those it has, and the same algebra says how far that expectation can be
trusted. This is linear regression on a Gaussian prior (Rasmussen & Williams 2006, equations 2.25 and 2.26), with the
training spectra as the prior; the constants were chosen on development splits (docs/sensors.md).

Shape legend: B bands of the model, R shapes, N observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_BANDS", "Expectation", "SpectralPrior"]

RANK = 20
"""Shapes kept: more gained nothing, with many labels or with few."""

LOCAL_NM = 30.0
"""How far what the shapes leave over reaches along the spectrum: neighbouring bands deviate together."""

LOCAL_SHARE = 0.5
"""The share of it that does; the rest is each band's own."""

LEAST_LEFT = 0.01
"""What the shapes leave over is at least this share of a band's variance: a few labels do not show all there is."""

NOISE = 3e-4
"""Variance of the noise of an observed band, in shares of the median variance of a band."""

MAX_BANDS = 4096
"""More bands than this make no covariance matrix; there is no prior for them then."""

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """How the bands of the model follow from observations.

    Parameters
    ----------
    weights, offset
        (band, observation) and (band,): bands are ``weights @ observed + offset``.
    unexplained
        (band,) share of a band's variance that the observations do not explain, 0 to 1.
    """

    weights: Array
    offset: Array
    unexplained: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralPrior:
    """The training spectra as a Gaussian: a mean, a few shapes, and what they leave over.

    Parameters
    ----------
    mean
        (band,) float32, reflectance.
    shapes
        (band, shape) float32, principal components times the standard deviation along them.
    left_over
        (band,) float32, variance that the shapes do not hold.
    """

    mean: NDArray[np.float32]
    shapes: NDArray[np.float32]
    left_over: NDArray[np.float32]

    def covariance(self, wavelength: Array) -> Array:
        """(band, band) covariance of the bands, whose centres (band,) are in nm."""
        shapes = self.shapes.astype(np.float64)
        own = shapes @ shapes.T
        left_over = np.maximum(self.left_over, LEAST_LEFT * (own.diagonal() + self.left_over))
        distance = (wavelength[:, None] - wavelength) / LOCAL_NM
        together = LOCAL_SHARE * np.exp(-0.5 * distance**2) + (1 - LOCAL_SHARE) * np.eye(len(wavelength))
        spread = np.sqrt(left_over)
        return np.asarray(own + spread[:, None] * together * spread)

    def expect(self, wavelength: Array, observed: Array) -> Expectation:
        """What to expect of every band, given some combinations of bands.

        Parameters
        ----------
        wavelength : (B,)
            Band centres, nm.
        observed : (N, B)
            Weights over the bands that make each observation.
        """
        covariance = self.covariance(wavelength)  # (B, B)
        variance = covariance.diagonal().clip(min=1e-12)
        across = observed @ covariance  # (N, B)
        noise = NOISE * float(np.median(variance)) * np.eye(len(observed))
        weights = np.asarray(np.linalg.solve(across @ observed.T + noise, across).T, dtype=np.float64)  # (B, N)
        mean = self.mean.astype(np.float64)
        explained = (weights * across.T).sum(axis=1)
        return Expectation(
            weights=weights,
            offset=mean - weights @ (observed @ mean),
            unexplained=(1 - explained / variance).clip(0.0, 1.0),
        )
