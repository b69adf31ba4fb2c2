"""From scenes and labels to a model: labelled spectra, training, validation.

Read in this order: `samples` (labelled spectra), `recipes` (how each variant is trained; the default in `consensus`),
`folds` and `validation` (the accuracy to expect), `learning` (all of it: `train`). `ablation`, `components`, `damage`
and `claims` measure what the parts of the model are worth.
"""

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
