"""From scenes and labels to a model: sampling labelled spectra, fitting, validating."""

from hsigeo.train.samples import LabelledSpectra, SampleReport, read_labelled_spectra
from hsigeo.train.training import train

__all__ = ["LabelledSpectra", "SampleReport", "read_labelled_spectra", "train"]
