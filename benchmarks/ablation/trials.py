"""A split of the accuracy benchmark as a trial of an ablation."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.accuracy.default import as_labelled_spectra
from benchmarks.accuracy.splits import Split
from hsigeo.training.ablation import Trial

__all__ = ["make_trial"]


def make_trial(split: Split) -> Trial:
    """Train and test pixels, with the class table of the training half."""
    turned = replace(
        split,
        train_spectra=split.test_spectra,
        train_labels=split.test_labels,
        train_groups=split.test_labels,
        unlabelled=None,
    )
    train = as_labelled_spectra(split)
    test = replace(as_labelled_spectra(turned), classes=train.classes)
    return Trial(task=split.task, seed=split.seed, fold=0, train=train, test=test)
