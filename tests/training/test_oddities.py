"""Odd training sets train without failing, and what is odd about them is said."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from labelled_spectra import make_labelled_spectra

from hsigeo.bands import BandTable
from hsigeo.labels import LabelReport
from hsigeo.model import predict_probabilities
from hsigeo.training.learning import train_on_spectra
from hsigeo.training.oddities import find_oddities
from hsigeo.training.samples import SampleReport


def take(samples, index):
    return samples.take(np.asarray(index, dtype=np.intp))


def imbalanced():
    samples = make_labelled_spectra(300)
    index = np.concatenate([np.flatnonzero(samples.class_id == 1), np.flatnonzero(samples.class_id == 2)[:3]])
    rest = np.flatnonzero(samples.class_id == 3)[:4]
    return take(samples, [*index, *rest])


def duplicated():
    return take(make_labelled_spectra(30), np.repeat(np.arange(30), 4))


def contradicting():
    samples = make_labelled_spectra(60)
    spectra = samples.spectra.copy()
    spectra[1] = spectra[0]  # classes 0 and 1
    return replace(samples, spectra=spectra)


def all_contradicting():
    samples = make_labelled_spectra(60)
    return replace(samples, spectra=samples.spectra[np.arange(60) // 3 * 3])


def with_constant_bands():
    samples = make_labelled_spectra(60)
    spectra = samples.spectra.copy()
    spectra[:, [2, 7]] = [0.0, 0.3]
    return replace(samples, spectra=spectra)


def all_equal():
    samples = make_labelled_spectra(60)
    return replace(samples, spectra=np.full_like(samples.spectra, 0.25))


def one_pixel_a_class():
    return take(make_labelled_spectra(30), [0, 1, 2])


ODD = {
    "imbalanced": (imbalanced, "class 0 has 100 labelled pixels, class 1 has 3"),
    "three pixels": (imbalanced, r"fewer than 10 labelled pixels: class 1 \(3\), class 2 \(4\)"),
    "duplicates": (duplicated, "90 of 120 labelled spectra are exact copies"),
    "contradictions": (contradicting, r"2 labelled spectra are identical to one of another class \(class 0, class 1\)"),
    "all contradict": (all_contradicting, "60 labelled spectra are identical to one of another class"),
    "constant bands": (with_constant_bands, "2 bands have one value in all labelled spectra"),
    "all equal": (all_equal, "all 60 labelled spectra are the same"),
    "one pixel each": (one_pixel_a_class, r"class 0 \(1\), class 1 \(1\), class 2 \(1\)"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_said(name):
    make, expected = ODD[name]

    notes = find_oddities(make())

    assert any(re.search(expected, note) for note in notes), notes
    assert all("\n" not in note for note in notes)


@pytest.mark.parametrize("name", ODD)
def test_odd_training_sets_train(name):
    samples = ODD[name][0]()

    model = train_on_spectra(samples, curve=True)

    assert np.isfinite(predict_probabilities(model, samples.spectra)).all()
    assert list(find_oddities(samples)) == model.card.provenance["notes"][-len(find_oddities(samples)) :]


def test_an_ordinary_training_set_gets_no_remark():
    assert find_oddities(make_labelled_spectra(120)) == ()


def test_bands_without_wavelengths_are_named_by_number():
    samples = replace(with_constant_bands(), bands=BandTable(count=12))

    assert "band 3, band 8" in find_oddities(samples)[0]


@pytest.mark.parametrize(("factor", "odd"), [(1, False), (20, False), (100, True), (0.01, True), (10_000, True)])
def test_scenes_in_different_units_are_told_of(factor, odd):
    samples = make_labelled_spectra(120)
    scene = (np.arange(120) >= 60).astype(np.int32)
    spectra = np.where(scene[:, None] == 1, samples.spectra * np.float32(factor), samples.spectra)
    reports = tuple(
        SampleReport(scene=name, pixels=60, pixels_on_nodata=0, labels=LabelReport(features=1))
        for name in ("a.hdr", "b.hdr")
    )
    found = find_oddities(replace(samples, scene=scene, spectra=spectra, reports=reports))
    assert any(text.startswith("98 % of the labelled values of ") for text in found) == odd
