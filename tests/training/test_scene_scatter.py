"""What unlabelled pixels say of how spectra vary, and what training makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra, make_unlabelled

from hsigeo.model import encode_model, load_model, predict_probabilities, write_model
from hsigeo.training import train_on_spectra
from hsigeo.training.consensus import ConsensusPlan, train_consensus
from hsigeo.training.scene_scatter import PIXELS_PER_CLUSTER, ScatterPlan, learn_scatter, whitening_for

TWO = ScatterPlan(clusters=2, percent=80)


def generator():
    return torch.Generator().manual_seed(0)


def two_lumps(count=400, width=5):
    """Points around two centres that lie far apart, and the covariance around these centres."""
    rng = np.random.default_rng(1)
    stretch = rng.normal(size=(width, width))
    lump = np.arange(count) % 2
    points = 60.0 * lump[:, None] + rng.normal(size=(count, width)) @ stretch
    around = points - np.stack([points[lump == k].mean(axis=0) for k in (0, 1)])[lump]
    return torch.from_numpy(points).float(), around.T @ around / count


def test_scatter_is_the_covariance_within_clusters_at_the_level_of_the_identity():
    points, within = two_lumps()
    found = learn_scatter(points, 3 * points[:, :2], plan=TWO, generator=generator())
    expected = 0.8 * within / (np.trace(within) / 5) + 0.2 * np.eye(5)
    np.testing.assert_allclose(found.of_bands, expected, rtol=1e-4, atol=1e-4)
    two = within[:2, :2]  # of other units, which the level takes away
    np.testing.assert_allclose(found.of_points, 0.8 * two / (np.trace(two) / 2) + 0.2 * np.eye(2), rtol=1e-4, atol=1e-4)


def test_whitened_coordinates_vary_alike_in_all_directions():
    _, within = two_lumps()
    covariance = torch.from_numpy(within)
    whitening = whitening_for(covariance)
    np.testing.assert_allclose(whitening @ covariance @ whitening, np.eye(5), atol=1e-9)
    np.testing.assert_allclose(whitening, whitening.T, atol=1e-12)


@pytest.mark.parametrize(
    ("count", "plan"),
    [(2 * PIXELS_PER_CLUSTER - 1, TWO), (400, replace(TWO, percent=0))],
    ids=["too few pixels", "not asked"],
)
def test_nothing_is_learnt_from_too_few_pixels_and_nothing_unasked(count, plan):
    points, _ = two_lumps(count)
    assert learn_scatter(points, points, plan=plan, generator=generator()) is None


def test_a_scene_of_one_value_says_nothing():
    constant = torch.full((400, 5), 0.3)
    assert learn_scatter(constant, constant, plan=TWO, generator=generator()) is None
    samples = make_labelled_spectra(60)
    flat = replace(samples, unlabelled=make_unlabelled(np.full((2000, 12), 0.3)))
    assert encode_model(train_on_spectra(flat, check=False)) == encode_model(train_on_spectra(samples, check=False))


def test_with_a_weight_of_0_and_with_too_few_pixels_the_network_is_the_one_without():
    samples = make_labelled_spectra(90)
    scene = replace(samples, unlabelled=make_unlabelled(make_labelled_spectra(2000, seed=5).spectra))
    few = replace(samples, unlabelled=make_unlabelled(make_labelled_spectra(300, seed=5).spectra))
    expected = train_consensus(samples, seed=0).network.state_dict()
    for found in (
        train_consensus(scene, seed=0, plan=ConsensusPlan(scatter=ScatterPlan(percent=0))),
        train_consensus(few, seed=0),
    ):
        assert found.network.state_dict().keys() == expected.keys()
        assert all(torch.equal(found.network.state_dict()[name], value) for name, value in expected.items())
    assert "consensus.whitening" in train_consensus(scene, seed=0).network.state_dict()


def make_hard(pixels, *, seed, bands=40, classes=3):
    """Classes that differ by little, in a scene where strong shapes vary within every class alike."""
    rng = np.random.default_rng(seed)
    place = np.linspace(0, 1, bands)
    strong = np.stack([np.ones(bands), place, np.sin(5 * place), np.cos(9 * place)])
    feature = np.stack([np.exp(-(((place - centre) / 0.05) ** 2)) for centre in (0.2, 0.5, 0.8)])
    index = np.arange(pixels) % classes
    spectra = 0.4 + 0.06 * rng.normal(size=(pixels, 4)) @ strong + 0.02 * feature[index]
    spectra += 0.004 * rng.normal(size=(pixels, bands))
    return spectra.astype(np.float32), index


def test_where_labels_are_few_the_scene_helps():
    right = {True: [], False: []}
    test, expected = make_hard(600, seed=99)
    scene, _ = make_hard(3000, seed=7)
    for seed in range(4):
        spectra, index = make_hard(12, seed=seed)
        samples = make_labelled_spectra(12, bands=40)
        samples = replace(samples, spectra=spectra, class_id=(index + 1).astype(np.int32))
        for asked in right:
            given = replace(samples, unlabelled=make_unlabelled(scene) if asked else None)
            model = train_on_spectra(given, check=False)
            right[asked].append((predict_probabilities(model, test).argmax(axis=1) == expected).mean())
    assert np.mean(right[True]) > np.mean(right[False]) + 0.05


def test_the_same_pixels_and_seed_give_the_same_file_and_it_says_what_it_learnt_from(tmp_path):
    samples = replace(
        make_labelled_spectra(120), unlabelled=make_unlabelled(make_labelled_spectra(1500, seed=5).spectra, scene=1)
    )
    model = train_on_spectra(samples, seed=2)
    assert encode_model(model) == encode_model(train_on_spectra(samples, seed=2))
    assert model.card.provenance["unlabelled_pixels_per_scene"] == [0, 1500]
    assert model.card.format_version == 3
    write_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        predict_probabilities(loaded, samples.spectra), predict_probabilities(model, samples.spectra)
    )
    without = train_on_spectra(make_labelled_spectra(120), seed=2)
    assert "unlabelled_pixels_per_scene" not in without.card.provenance
    assert without.card.format_version == 2
