"""What is compared: hsigeo as users train it, and its rivals on the bands and on hsigeo's inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sklearn
import torch

from benchmarks.accuracy.default import fit_hsigeo
from benchmarks.accuracy.digests import digest_of_code
from benchmarks.accuracy.fits import Predict, View, bands_view, channels_view, fit_rival
from benchmarks.accuracy.rivals import RIVALS
from benchmarks.accuracy.splits import Split
from hsigeo.model import DEFAULT_VARIANT
from hsigeo.training.recipes import RECIPES

__all__ = ["BAR", "HSIGEO", "METHODS", "USUAL", "Method"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One column of the table.

    Parameters
    ----------
    fit
        Trains on the training half of a split, and sees nothing else of it.
    modules
        The modules whose code decides what it does: a result counts until one of them changes.
    roots
        The same for modules that spread their code over others, which count as well.
    reads_scene
        Whether unlabelled pixels of the training scenes count as well.
    """

    fit: Callable[[Split], Predict]
    modules: tuple[str, ...]
    roots: tuple[str, ...] = ()
    reads_scene: bool = False

    @property
    def digest(self) -> str:
        """Short name of the code and of the libraries it calls."""
        versions = f"numpy {np.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}"
        return digest_of_code(self.modules, roots=self.roots, versions=versions)


def _hsigeo(variant: str) -> Method:
    return Method(
        fit=functools.partial(fit_hsigeo, variant),
        modules=("benchmarks.accuracy.default", "hsigeo.model.model"),
        roots=(RECIPES[variant].__module__,),
        reads_scene=variant == DEFAULT_VARIANT,
    )


def _rival(name: str, view: View) -> Method:
    inputs = ("hsigeo.model.spectrum",) if view is channels_view else ()
    return Method(
        fit=functools.partial(fit_rival, name, view),
        modules=("benchmarks.accuracy.fits", "benchmarks.accuracy.rivals", *inputs),
    )


HSIGEO = "hsigeo"

BAR = ("svm", "lda", "rf", "mlp")
"""The rivals that the default model is held against, on the bands, as other tools would run them."""

METHODS: dict[str, Method] = {
    HSIGEO: _hsigeo(DEFAULT_VARIANT),
    "gated": _hsigeo("gated"),
    "plain": _hsigeo("plain"),
    **{name: _rival(name, bands_view) for name in RIVALS},
    **{f"{name}+channels": _rival(name, channels_view) for name in RIVALS},
}
"""Name → method; ``+channels`` is a rival on hsigeo's inputs, which tells what the inputs alone are worth."""

USUAL = (HSIGEO, *RIVALS, "svm+channels", "lda+channels")
"""What is run unless asked otherwise: not `plain`, which takes minutes a fit."""
