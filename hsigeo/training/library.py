"""Labelled spectra from a spectral library, resampled to a scene's bands where a scene is given."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hsigeo.band_matching import match_bands
from hsigeo.classes import UNCLASSIFIED
from hsigeo.errors import LabelError, TrainingError
from hsigeo.io.fill import find_fill
from hsigeo.io.labels.library import SpectralLibrary
from hsigeo.labels import LabelReport
from hsigeo.scene import spectral_axis
from hsigeo.training.samples import LabelledSpectra, SampleReport, classes_present

__all__ = ["spectra_of_library"]


def spectra_of_library(library: SpectralLibrary, scene: xr.DataArray | None = None) -> LabelledSpectra:
    """Training material from a spectral library.

    Parameters
    ----------
    library
        See `hsigeo.io.open_spectral_library`.
    scene
        The scene the model is meant for: the library is resampled to its good bands, so that a field spectrometer
        can teach a sensor. `None` learns on the library's own bands.

    Raises
    ------
    BandMismatchError
        The library does not cover the scene's good bands.
    LabelError
        No spectrum has both a class and values in all bands.
    TrainingError
        Fewer than two classes are left.
    """
    axis = library.bands if scene is None else spectral_axis(scene)
    index = np.flatnonzero(axis.good)
    bands = axis.take(index)
    match = match_bands(bands, library.bands, trained_on_count=library.bands.count, trained_on_index=index)
    spectra = match.apply(library.spectra[:, match.used])
    labelled = library.class_id != UNCLASSIFIED
    filled = labelled & find_fill(library.spectra.T)
    usable = labelled & np.isfinite(spectra).all(axis=1) & ~filled
    if not usable.any():
        raise LabelError(f"{library.path}: none of the {len(library)} spectra has both a class and values in all bands")
    classes = classes_present(library.classes, library.class_id[usable])
    if len(classes) < 2:
        raise TrainingError(f"{library.path}: only one class ({classes.names[0]!r}) has usable spectra; two are needed")
    count = int(usable.sum())
    report = SampleReport(
        scene=library.path,
        pixels=count,
        pixels_on_nodata=int((labelled & ~usable & ~filled).sum()),
        pixels_on_fill=int(filled.sum()),
        labels=LabelReport(features=len(library), features_without_class=int((~labelled).sum())),
    )
    return LabelledSpectra(
        spectra=np.ascontiguousarray(spectra[usable], dtype=np.float32),
        class_id=library.class_id[usable],
        group=library.group[usable],
        scene=np.zeros(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int64),
        col=np.zeros(count, dtype=np.int64),
        classes=classes,
        bands=bands,
        scene_band_count=axis.count,
        scene_band_index=index,
        reports=(report,),
        notes=(*library.notes, *([match.note] if match.note else [])),
    )
