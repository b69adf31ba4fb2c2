"""Small labelled spectra and models for tests that are not about accuracy."""

from __future__ import annotations

import numpy as np
import torch

from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import Model, ModelCard, with_digest
from hsigeo.model.plain import PlainNetwork
from hsigeo.training.samples import LabelledSpectra
from hsigeo.training.unlabelled import UnlabelledSpectra


def make_labelled_spectra(pixels=120, bands=12, classes=3, *, seed=0) -> LabelledSpectra:
    """Classes whose spectra differ in level and slope, with a little noise: easy to learn."""
    rng = np.random.default_rng(seed)
    index = np.arange(pixels) % classes
    ramp = np.linspace(-1, 1, bands)
    level = 0.2 + 0.5 * index / classes
    slope = 0.1 * (index % 2)
    spectra = level[:, None] + slope[:, None] * ramp + 0.01 * rng.normal(size=(pixels, bands))
    return LabelledSpectra(
        spectra=spectra.astype(np.float32),
        class_id=(index + 1).astype(np.int32),
        group=np.arange(pixels) // 6,
        scene=np.zeros(pixels, dtype=np.int32),
        row=np.arange(pixels),
        col=np.zeros(pixels, dtype=np.int64),
        classes=ClassTable.from_names([f"class {k}" for k in range(classes)]),
        bands=BandTable(count=bands, wavelength=np.linspace(450, 2350, bands)),
        scene_band_count=bands,
        scene_band_index=np.arange(bands),
    )


def make_unlabelled(spectra, scene=0) -> UnlabelledSpectra:
    """Spectra (pixel, band) of one scene, far from those of `make_labelled_spectra`."""
    count = len(spectra)
    return UnlabelledSpectra(
        spectra=np.asarray(spectra, dtype=np.float32),
        scene=np.full(count, scene, dtype=np.int32),
        row=1000 + np.arange(count),
        col=np.zeros(count, dtype=np.int64),
    )


def make_model(bands=12, classes=3, *, seed=0, names=None) -> Model:
    """An untrained plain model: it says something definite about every spectrum, and that is all tests need."""
    sizes = {"width": 8, "heads": 2, "prototypes": 5}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlainNetwork(bands=bands, classes=classes, **sizes)
        torch.nn.init.normal_(network.head.weight, std=3.0)
        network.standardise.mean.fill_(0.3)
        network.standardise.scale.fill_(0.2)
    card = ModelCard(
        variant="plain",
        hyperparameters=sizes,
        bands=BandTable(count=bands, wavelength=np.linspace(450.0, 2350.0, bands)),
        trained_on_count=bands,
        trained_on_index=np.arange(bands),
        classes=ClassTable.from_names(names or [f"class {k}" for k in range(classes)]),
        provenance={"scenes": [{"name": "scene.hdr"}]},
    )
    return with_digest(Model(card=card, network=network.eval().requires_grad_(False)))
