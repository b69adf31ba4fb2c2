"""A small spatial prior over class probabilities that stops at edges.

The model: neighbours tend to be of one class, the more so the more alike they look (a Potts model with
contrast-sensitive links: Boykov & Jolly 2001, ICCV). Exact inference needs the whole map at once, so a few rounds of
mean field stand in for it (Krähenbühl & Koltun 2011, NIPS), each of which looks one pixel further: what becomes of a
pixel depends on no pixel farther than the number of rounds, and windows that overlap by as much give the same map.

    Q(c) ∝ P(c) · exp(strength · Σ link · Q'(c))        over the eight neighbours, Q' of the round before

The links of a pixel sum to at most 1, so `strength` is what a unanimous neighbourhood without an edge adds to the
log-odds of its class. Schindler (2012, IEEE TGRS 50(11)) compares this family with filters on real land cover.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["link", "smooth", "squared_angles", "squared_differences", "tally_pairs"]

FloatArray = NDArray[np.float32]

NEIGHBOURS = ((0, 1), (1, -1), (1, 0), (1, 1))
"""Rows down and columns right to half of the eight neighbours; the others see the pixel as theirs."""

_SHARES = tuple(1 / (math.hypot(*step) * (4 + 4 / math.sqrt(2))) for step in NEIGHBOURS)
"""By the inverse of the distance; of a pixel and its eight neighbours they sum to 1."""

_LEAST = np.float32(1e-6)
"""A probability below this is taken for this: stored zeros are no certainty that neighbours could not outweigh."""

_FLAT = 1e-12


def smooth(probability: FloatArray, links: FloatArray, *, strength: float, rounds: int) -> FloatArray:
    """Probabilities under the spatial prior.

    Parameters
    ----------
    probability : (class, y, x)
        NaN where nothing is known; those pixels pull none of their neighbours and stay NaN.
    links : (neighbour, y, x)
        As `link` gives them.
    strength
        What neighbours that are all sure of one class add to its log-odds.
    rounds
        How often neighbours are asked, and how far in pixels the answer to one reaches.

    Returns
    -------
    (class, y, x) float32
        They sum to 1 where anything is known.
    """
    known: NDArray[np.bool_] = np.asarray(np.isfinite(probability).all(axis=0))
    evidence = np.log(np.maximum(np.where(known, probability, np.float32(1)), _LEAST), dtype=np.float32)
    links = _between_known(links, known)
    answer = np.where(known, probability, np.float32(0))
    for _ in range(rounds):
        pull = np.zeros_like(answer)
        for number, step in enumerate(NEIGHBOURS):
            here, there = _pair(step, known.shape)
            weight = links[number][here]
            pull[:, *here] += weight * answer[:, *there]
            pull[:, *there] += weight * answer[:, *here]
        answer = _normalised(evidence + np.float32(strength) * pull) * known
    answer[:, ~known] = np.nan
    return answer


def link(squared: FloatArray, usual: float) -> FloatArray:
    """How strongly neighbours are linked, from how much they differ.

    Parameters
    ----------
    squared : (neighbour, y, x)
        Squared differences; NaN where they are not known, which links as if there were no edge.
    usual
        Their mean over the image, which sets the scale (Boykov & Jolly 2001; Rother et al. 2004, GrabCut): neighbours
        that differ so much have a link of half the logarithm, e^-½.
    """
    shares = np.array(_SHARES, dtype=np.float32)[:, None, None]
    fall = np.exp(np.float32(-0.5 / max(usual, _FLAT)) * np.where(np.isnan(squared), np.float32(0), squared))
    return np.asarray(shares * fall, dtype=np.float32)


def squared_differences(values: FloatArray) -> FloatArray:
    """(neighbour, y, x) half the summed squared differences of (layer, y, x) values, such as class probabilities.

    Probabilities give 1 between pixels sure of different classes. 0 beyond the edge, NaN where either is NaN.
    """
    squared = np.zeros((len(NEIGHBOURS), *values.shape[1:]), dtype=np.float32)
    for number, step in enumerate(NEIGHBOURS):
        here, there = _pair(step, values.shape[1:])
        squared[number][here] = 0.5 * ((values[:, *here] - values[:, *there]) ** 2).sum(axis=0)
    return squared


def squared_angles(spectra: FloatArray) -> FloatArray:
    """(neighbour, y, x) squared spectral angles between neighbours of (band, y, x) spectra, in radians².

    A shadow or a slope that only darkens a spectrum is no edge (Kruse et al. 1993, Remote Sensing of Environment 44).
    Invalid bands count as black. 0 beyond the edge, NaN where either spectrum is black altogether.
    """
    squared = np.zeros((len(NEIGHBOURS), *spectra.shape[1:]), dtype=np.float32)
    seen = np.where(np.isfinite(spectra), spectra, np.float32(0))
    with np.errstate(invalid="ignore"):
        directions = seen / np.sqrt((seen**2).sum(axis=0))
    for number, step in enumerate(NEIGHBOURS):
        here, there = _pair(step, spectra.shape[1:])
        # From the chord: the arc cosine of float32 knows no angle below 0.02°, and noise is about that.
        chord = np.sqrt(((directions[:, *here] - directions[:, *there]) ** 2).sum(axis=0))
        squared[number][here] = (2 * np.arcsin(np.minimum(chord / 2, 1))) ** 2
    return squared


def tally_pairs(squared: FloatArray) -> tuple[float, int]:
    """Sum and number of the known squared differences, of which the ones beyond the edge are none."""
    total, count = 0.0, 0
    for number, step in enumerate(NEIGHBOURS):
        here, _ = _pair(step, squared.shape[1:])
        known = squared[number][here][np.isfinite(squared[number][here])]
        total, count = total + float(known.sum(dtype=np.float64)), count + known.size
    return total, count


def _between_known(links: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """No links to pixels of which nothing is known, nor beyond the edge."""
    kept = np.zeros_like(links)
    for number, step in enumerate(NEIGHBOURS):
        here, there = _pair(step, known.shape)
        kept[number][here] = links[number][here] * (known[here] & known[there])
    return kept


def _pair(step: tuple[int, int], shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The pixels that have a neighbour in this direction, and those neighbours."""
    down, right = step
    lines, samples = shape
    here = (slice(0, lines - down), slice(max(0, -right), samples - max(0, right)))
    there = (slice(down, lines), slice(max(0, right), samples - max(0, -right)))
    return here, there


def _normalised(logits: FloatArray) -> FloatArray:
    exponentials = np.exp(logits - logits.max(axis=0))
    return np.asarray(exponentials / exponentials.sum(axis=0))
