"""What is odd about a training set, in plain sentences: it trains all the same, but whoever uses it must know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hsigeo.messages import name_some
from hsigeo.training.samples import LabelledSpectra

__all__ = ["find_oddities"]

FEW_PIXELS = 10
"""With fewer pixels of a class, the share of them that is recognised is known to no better than ± 25 points."""

HIGH = 98
"""Percentile by which scenes are compared: single bright pixels say nothing."""

TIMES_BRIGHTER = 50
"""Percent is a hundred times reflectance; labels on water alone are twenty times darker than those on roofs."""

LOPSIDED = 20
"""The largest class has so many times the pixels of the smallest."""


def find_oddities(samples: LabelledSpectra) -> tuple[str, ...]:
    """One sentence for each thing that is odd; none for an ordinary training set."""
    return (*_about_scenes(samples), *_about_spectra(samples), *_about_bands(samples), *_about_counts(samples))


def _about_scenes(samples: LabelledSpectra) -> Iterator[str]:
    """Scenes in percent and in reflectance teach one model two kinds of number for the same ground."""
    high = {}
    for number, report in enumerate(samples.reports):
        spectra = samples.spectra[samples.scene == number]
        if len(spectra) and (level := float(np.percentile(spectra, HIGH))) > 0:
            high[report.scene] = level
    if len(high) < 2:
        return
    least, most = min(high, key=high.__getitem__), max(high, key=high.__getitem__)
    if high[most] >= TIMES_BRIGHTER * high[least]:
        yield (
            f"{HIGH} % of the labelled values of {most} lie below {high[most]:.3g}, of {least} below "
            f"{high[least]:.3g}; is it in another unit or scale? (see `hsigeo info`)"
        )


def _about_spectra(samples: LabelledSpectra) -> Iterator[str]:
    count = len(samples)
    which = _same(samples.spectra)
    kinds = int(which.max()) + 1
    if kinds == 1 and count > 1:
        yield f"all {count} labelled spectra are the same: only the frequency of the classes can be learnt"
        return
    pairs = np.unique(np.stack([which, samples.class_index]), axis=1)  # (2, pair) of spectrum and class
    classes_of_kind = np.bincount(pairs[0], minlength=kinds)
    contradicting = classes_of_kind[which] > 1
    if contradicting.any():
        names = [samples.classes.names[k] for k in np.unique(samples.class_index[contradicting])]
        yield (
            f"{int(contradicting.sum())} labelled spectra are identical to one of another class "
            f"({name_some(names, 6)}): no classifier can get both right; check the labels"
        )
    copies = count - pairs.shape[1]
    if copies:
        yield (
            f"{copies} of {count} labelled spectra are exact copies of another of their class; they teach nothing new, "
            "and where copies lie in different folds the expected accuracy is too high"
        )


def _about_bands(samples: LabelledSpectra) -> Iterator[str]:
    constant = np.flatnonzero(np.ptp(samples.spectra, axis=0) == 0)
    if len(samples) > 1 and len(constant) and len(constant) < samples.bands.count:
        wavelength = samples.bands.wavelength
        names = [f"band {k + 1}" if wavelength is None else f"{wavelength[k]:.0f} nm" for k in constant]
        yield f"{len(constant)} bands have one value in all labelled spectra and carry nothing: {name_some(names, 6)}"


def _about_counts(samples: LabelledSpectra) -> Iterator[str]:
    counts = samples.counts
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW_PIXELS]
    if few:
        named = name_some(few, 6)
        yield f"classes with fewer than {FEW_PIXELS} labelled pixels: {named}; their accuracy is very uncertain"
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[most] >= LOPSIDED * counts[least]:
        yield (
            f"{most} has {counts[most]} labelled pixels, {least} has {counts[least]}: overall accuracy is mostly about "
            "the large classes; look at average accuracy and at each class"
        )


def _same(spectra: NDArray[np.float32]) -> NDArray[np.intp]:
    """(pixel,) number of the distinct spectrum, from 0."""
    rows = np.ascontiguousarray(spectra + np.float32(0))  # so that -0 equals 0, bit for bit
    keys = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    return np.unique(keys, return_inverse=True)[1].ravel()
