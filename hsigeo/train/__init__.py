"""From scenes and labels to a model: sampling labelled spectra, fitting, validating."""

from hsigeo.train.library import spectra_of_library
from hsigeo.train.samples import LabelledSpectra, SampleReport, read_labelled_spectra
from hsigeo.train.training import provenance_of, train, train_on_spectra

__all__ = [
    "LabelledSpectra",
    "SampleReport",
    "provenance_of",
    "read_labelled_spectra",
    "spectra_of_library",
    "train",
    "train_on_spectra",
]
