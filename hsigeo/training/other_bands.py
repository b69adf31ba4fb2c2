"""Training spectra as another, known sensor would have measured them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hsigeo.band_weights import Kind, weigh_bands
from hsigeo.bands import BandTable
from hsigeo.errors import BandMismatchError
from hsigeo.training.samples import LabelledSpectra

__all__ = ["on_bands_of"]


def on_bands_of(samples: LabelledSpectra, bands: BandTable) -> LabelledSpectra:
    """The same pixels on another sensor's good bands, as far as they can be made; the others are left out.

    A model trained so reads what that sensor has, and nothing needs to be expected when it is used.

    Raises
    ------
    BandMismatchError
        A side has no wavelengths, or the two sensors have none in common.
    """
    if samples.bands.wavelength is None or bands.wavelength is None:
        raise BandMismatchError("training for another sensor's bands needs wavelengths on both sides")
    found = weigh_bands(bands, samples.bands)
    index = np.flatnonzero(bands.good & (found.kind != Kind.MISSING))
    if not len(index):
        raise BandMismatchError(
            f"none of the {bands.count} bands can be derived from those of training, which cover "
            f"{samples.bands.wavelength.min():.0f}-{samples.bands.wavelength.max():.0f} nm"
        )
    weights = found.weights[index].T.astype(np.float32)
    spectra = samples.spectra @ weights
    unlabelled = samples.unlabelled
    if unlabelled is not None:
        unlabelled = replace(unlabelled, spectra=np.ascontiguousarray(unlabelled.spectra @ weights, dtype=np.float32))
    left_out = int(bands.good.sum()) - len(index)
    note = f"trained for other bands: {len(index)} made from the {samples.bands.count} of the training scenes" + (
        f", {left_out} left out because training does not cover them" if left_out else ""
    )
    return replace(
        samples,
        spectra=np.ascontiguousarray(spectra, dtype=np.float32),
        unlabelled=unlabelled,
        bands=bands.take(index),
        scene_band_count=bands.count,
        scene_band_index=index.astype(np.intp),
        notes=(*samples.notes, note),
    )
