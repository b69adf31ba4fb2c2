"""hsigeo, as ``hsigeo classify`` runs it: journal, overviews and sidecars included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.default import as_labelled_spectra
from benchmarks.classifiers.contest import Contest, Contestant, Entry
from benchmarks.throughput.stages import Run
from hsigeo.kernels.choice import VARIABLE
from hsigeo.model import DEFAULT_VARIANT, load_model, predict_probabilities, write_model
from hsigeo.training.learning import train_on_spectra

__all__ = ["by_hsigeo"]


def by_hsigeo(variant: str, *, kernel: str | None = None) -> Contestant:
    """A contestant with this architecture; others than the default take minutes to train, and are kept.

    Parameters
    ----------
    kernel
        What `HSIGEO_KERNEL` is set to; by default it is left as it is.
    """

    def enter(contest: Contest) -> Entry:
        path = contest.folder / f"{variant}-{contest.split.digest}.safetensors"
        if variant == DEFAULT_VARIANT or not path.exists():
            _train(contest, variant, path)
        model = load_model(path)

        def make_map(output: Path) -> None:
            with _kernel(kernel):
                Run(scene=contest.scene, model=path, output=output).classify()

        def predict(spectra: NDArray[np.float32]) -> NDArray[np.int64]:
            with _kernel(kernel):
                probability = predict_probabilities(model, np.ascontiguousarray(spectra))
            return np.asarray(probability.argmax(axis=1), dtype=np.int64)

        return Entry(make_map=make_map, predict=predict)

    return enter


def _train(contest: Contest, variant: str, path: Path) -> None:
    samples = as_labelled_spectra(contest.split)
    write_model(train_on_spectra(samples, variant=variant, seed=contest.split.seed, check=False), path, overwrite=True)


@contextmanager
def _kernel(name: str | None) -> Iterator[None]:
    before = os.environ.get(VARIABLE)
    if name is not None:
        os.environ[VARIABLE] = name
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
