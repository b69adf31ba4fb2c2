"""Every contestant by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC

from benchmarks.accuracy.rivals import fit_svm
from benchmarks.classifiers.contest import Contest, Contestant
from benchmarks.classifiers.lazy_arrays import by_dask
from benchmarks.classifiers.own import by_hsigeo
from benchmarks.classifiers.rasterio_windows import by_windows
from benchmarks.classifiers.spectral_python import by_spectral
from hsigeo.model import DEFAULT_VARIANT

__all__ = ["CONTESTANTS", "HSIGEO"]

TREES = 200

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


def _svc(features: Features, labels: Labels, contest: Contest) -> tuple[Any, str]:
    """C and gamma are searched as in the accuracy benchmark, inside the training pixels, and kept for the next run."""
    known = contest.folder / f"svc-{contest.split.digest}.json"
    if known.exists():
        chosen = json.loads(known.read_text())
    else:
        search: Any = fit_svm(features, labels, contest.split.seed)
        chosen = search.best_params_ if hasattr(search, "best_params_") else {"C": search.C, "gamma": search.gamma}
        known.write_text(json.dumps(chosen))
    model = SVC(kernel="rbf", **chosen).fit(features, labels)
    return model, f"{model.n_support_.sum()} support vectors"


def _forest(features: Features, labels: Labels, contest: Contest) -> tuple[Any, str]:
    # One thread for each prediction: the windows are what is shared among the cores.
    model = RandomForestClassifier(TREES, random_state=contest.split.seed, n_jobs=1).fit(features, labels)
    return model, f"{TREES} trees"


def _lda(features: Features, labels: Labels, contest: Contest) -> tuple[Any, str]:
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, labels), "shrinkage"


HSIGEO = "hsigeo"

CONTESTANTS: dict[str, Contestant] = {
    HSIGEO: by_hsigeo(DEFAULT_VARIANT),
    "hsigeo-plain-kernel": by_hsigeo(DEFAULT_VARIANT, kernel="plain"),
    "plain": by_hsigeo("plain", kernel="plain"),
    "plain-compiled": by_hsigeo("plain", kernel="cpu"),
    "svc": by_windows(_svc),
    "svc-dask": by_dask(_svc),
    "forest": by_windows(_forest),
    "forest-dask": by_dask(_forest),
    "lda": by_windows(_lda),
    "spectral-gaussian": by_spectral("GaussianClassifier"),
    "spectral-mahalanobis": by_spectral("MahalanobisDistanceClassifier", fewest=2),
}
"""``plain`` is the seed architecture, in plain torch and compiled; ``-dask`` are the same estimators as
``ParallelPostFit`` runs them."""
