"""The classifiers that hsigeo is compared with, each tuned inside the training set alone.

Settings come from grids as wide as a careful user of another tool would search, chosen by overall accuracy in three
stratified folds of the training pixels. The inputs are standardised already: see `benchmarks.accuracy.fits`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

__all__ = ["RIVALS", "Classifier", "Rival"]

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


class Classifier(Protocol):
    """What a rival gives: something that labels features."""

    def predict(self, features: Features) -> Labels:
        """(pixel,) class index of (pixel, feature)."""


Rival = Callable[[Features, Labels, int], Classifier]
"""From (pixel, feature) standardised features, (pixel,) class indices and a seed to a classifier."""

INNER_FOLDS = 3

SVM_C = (1, 10, 100, 1000)
SVM_GAMMA = (0.01, 0.1, 0.3, 1, 3)
"""Divided by the number of features: the squared distance of two standardised pixels grows with it."""

TREES = 500

HIDDEN, BATCH, MLP_STEPS = 256, 64, 1500
MLP_ALPHA = (1e-2, 1e-1, 1.0)

KNN_NEIGHBOURS = (1, 3, 5, 9)


def fit_svm(features: Features, labels: Labels, seed: int) -> Classifier:
    """RBF-SVM; C and gamma from the grid."""
    grid = {"C": SVM_C, "gamma": [value / features.shape[1] for value in SVM_GAMMA]}
    return _search(SVC(), grid, features, labels, seed)


def fit_lda(features: Features, labels: Labels, seed: int) -> Classifier:
    """Linear discriminant analysis with the shrinkage of Ledoit and Wolf (2004), which needs no search."""
    return _fitted(LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), features, labels)


def fit_forest(features: Features, labels: Labels, seed: int) -> Classifier:
    """Random forest; with this many trees there is nothing to tune that matters."""
    return _fitted(RandomForestClassifier(TREES, random_state=seed, n_jobs=1), features, labels)


def fit_mlp(features: Features, labels: Labels, seed: int) -> Classifier:
    """One hidden layer, Adam for about 1500 steps whatever the number of pixels; weight decay from the grid."""
    batch = min(BATCH, len(labels))
    steps_per_epoch = -(-len(labels) // batch)
    network = MLPClassifier(
        (HIDDEN,),
        batch_size=batch,
        max_iter=max(20, MLP_STEPS // steps_per_epoch),
        tol=0.0,
        n_iter_no_change=10**6,  # the budget ends training, not a plateau
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Inside the search a fold has fewer pixels than a batch; and the budget always ends before convergence.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        warnings.filterwarnings("ignore", message="Got `batch_size` less than 1 or larger than sample size")
        return _search(network, {"alpha": MLP_ALPHA}, features, labels, seed)


def fit_knn(features: Features, labels: Labels, seed: int) -> Classifier:
    """Nearest neighbours; how many, from the grid."""
    smallest_fold = len(labels) * (INNER_FOLDS - 1) // INNER_FOLDS
    grid = {"n_neighbors": [count for count in KNN_NEIGHBOURS if count < smallest_fold]}
    return _search(KNeighborsClassifier(), grid, features, labels, seed)


def _search(model: Any, grid: dict[str, Any], features: Features, labels: Labels, seed: int) -> Classifier:
    """The model with the best setting, trained on everything; the middle setting where a class has one pixel only."""
    folds = min(INNER_FOLDS, int(np.bincount(labels).min()))
    if folds < 2:
        middle = {name: values[len(values) // 2] for name, values in grid.items()}
        return _fitted(model.set_params(**middle), features, labels)
    inner = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return _fitted(GridSearchCV(model, grid, cv=inner, n_jobs=1), features, labels)


def _fitted(model: Any, features: Features, labels: Labels) -> Classifier:
    fitted: Classifier = model.fit(features, labels)
    return fitted


RIVALS: dict[str, Rival] = {"svm": fit_svm, "lda": fit_lda, "rf": fit_forest, "mlp": fit_mlp, "knn": fit_knn}
