"""From scenes and labels to a model: sampling labelled spectra, fitting, validating."""

from hsigeo.training.learning import provenance_of, train, train_on_spectra
from hsigeo.training.library import spectra_of_library
from hsigeo.training.other_bands import on_bands_of
from hsigeo.training.samples import LabelledSpectra, SampleReport, read_labelled_spectra

__all__ = [
    "LabelledSpectra",
    "SampleReport",
    "on_bands_of",
    "provenance_of",
    "read_labelled_spectra",
    "spectra_of_library",
    "train",
    "train_on_spectra",
]
