"""Distances from what was learnt: their formula, their threshold, and what a file may claim."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from labelled_spectra import make_labelled_spectra, make_model

from hsigeo.errors import ModelError
from hsigeo.model import VARIANTS, encode_model, load_model, measure_distance, write_model
from hsigeo.model.novelty import MOST_ANCHORS, PREFIX, Novelty, decode_novelty, describe, encode_novelty, learn_novelty
from hsigeo.training.fit import FitPlan
from hsigeo.training.learning import train_on_spectra
from hsigeo.training.recipes import RECIPES


def draw(pixels=3000, width=5, classes=3, seed=0):
    """Classes that scatter alike, along axes of different length."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(pixels) % classes
    turn, _ = torch.linalg.qr(torch.randn(width, width, generator=generator))
    mix = turn * torch.tensor([4.0, 3.0, 2.0, 1.5, 1.0])
    centres = 40 * torch.randn(classes, width, generator=generator)
    return centres[target] + torch.randn(pixels, width, generator=generator) @ mix.T, target


def novelty_with(held_out, count=None) -> Novelty:
    values = np.sort(np.asarray(held_out, dtype=np.float32))
    return Novelty(
        anchors=torch.zeros(1, 2),
        usual=torch.ones(1),
        held_out=values,
        held_out_count=len(values) if count is None else count,
    )


def test_distances_are_those_to_the_nearest_labelled_pixel_of_its_class() -> None:
    points, target = draw(pixels=300)
    strangers = draw(pixels=40, seed=1)[0]
    novelty = learn_novelty(points, target, 3)

    apart = torch.cdist(points, points).square().fill_diagonal_(torch.inf).amin(dim=1)
    usual = torch.stack([(apart[target == k].sum() + 20 * apart.mean()) / (100 + 20) for k in range(3)])
    expected = (torch.cdist(strangers, points).square() / usual[target]).amin(dim=1).sqrt()

    assert torch.allclose(novelty.distance(strangers), expected, rtol=2e-3)


def test_new_pixels_of_known_classes_lie_about_one_away_and_strangers_far() -> None:
    points, target = draw()
    novelty = learn_novelty(points[:900], target[:900], 3)

    assert float(novelty.distance(points[900:]).square().mean()) == pytest.approx(1, abs=0.2)
    assert float(novelty.distance(points[:1] + 500).item()) > 10


def test_a_class_that_scatters_more_is_given_more_room() -> None:
    generator = torch.Generator().manual_seed(1)
    target = torch.arange(2000) % 2
    points = torch.randn(2000, 3, generator=generator) * torch.tensor([1.0, 4.0])[target][:, None]
    points[target == 1] += 100
    novelty = learn_novelty(points, target, 2)

    narrow, wide = novelty.distance(torch.tensor([[6.0, 0, 0], [106.0, 100, 100]]))

    assert narrow > 2 * wide


def test_few_pixels_copies_and_an_absent_class_are_no_obstacle() -> None:
    points = torch.randn(4, 300, generator=torch.Generator().manual_seed(0))
    points[1] = points[0]
    lonely = learn_novelty(points[:1], torch.tensor([0]), 3)
    novelty = learn_novelty(points, torch.tensor([0, 0, 2, 2]), 3)

    distance = novelty.distance(torch.cat([points, points + 50]))

    assert torch.isfinite(distance).all()
    assert distance[4:].min() > distance[:4].max()
    assert float(lonely.distance(points[:1]).item()) == pytest.approx(0, abs=0.1)
    assert float(lonely.distance(points[2:3]).item()) > 1


def test_every_class_has_anchors_however_many_pixels_there_are() -> None:
    target = torch.cat([torch.zeros(9000, dtype=torch.long), torch.ones(20, dtype=torch.long), torch.full((3,), 2)])
    points = torch.randn(len(target), 2) + 100 * target[:, None]

    novelty = learn_novelty(points, target, 3)

    nearest = (novelty.anchors[:, 0] / 100).round().long()
    assert len(novelty.anchors) <= MOST_ANCHORS
    assert torch.bincount(nearest, minlength=3)[1:].tolist() == [16, 3]


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_a_rate_of_new_known_pixels_is_rejected(rate: float) -> None:
    generator = np.random.default_rng(0)
    rejected = [
        (generator.gamma(3, size=500) > novelty_with(generator.gamma(3, size=400)).threshold(rate)).mean()
        for _ in range(200)
    ]

    assert np.mean(rejected) == pytest.approx(rate, abs=0.006)
    assert np.mean(rejected) <= rate + 0.002


def test_quantiles_serve_where_there_are_too_many_pixels() -> None:
    held_out = np.random.default_rng(0).gamma(3, size=50_000)
    points, target = draw(pixels=30)

    novelty = learn_novelty(points, target, 3, held_out)

    assert (len(novelty.held_out), novelty.held_out_count) == (4096, 50_000)
    assert (held_out > novelty.threshold(0.05)).mean() == pytest.approx(0.05, abs=5e-4)


def test_a_rate_that_the_held_out_pixels_cannot_show_is_refused() -> None:
    with pytest.raises(ModelError, match=r"rate of 0.001 cannot be met: only 99 known pixels.*least is 0.01"):
        novelty_with(np.arange(99)).threshold(0.001)
    with pytest.raises(ModelError, match="--no-validation"):
        novelty_with([]).threshold(0.1)


def test_every_variant_describes_pixels() -> None:
    samples = make_labelled_spectra(30)
    for variant in VARIANTS:
        with pytest.MonkeyPatch.context() as patch:
            recipe = sys.modules[RECIPES[variant].__module__]
            if hasattr(recipe, "STEPS"):
                patch.setattr(recipe, "STEPS", 1)
            if hasattr(recipe, "FitPlan"):
                patch.setattr(recipe, "FitPlan", lambda: FitPlan(steps=1))
            network = RECIPES[variant](samples, seed=0).network
        description = describe(network, torch.from_numpy(samples.spectra))
        assert description is not None, f"register hsigeo.model.novelty.describe for {variant}"
        assert len(description) == 30


def test_a_model_keeps_its_distances_in_its_file(tmp_path) -> None:
    samples = make_labelled_spectra(120)
    model = train_on_spectra(samples)
    write_model(model, tmp_path / "m.safetensors")

    loaded = load_model(tmp_path / "m.safetensors")

    assert np.array_equal(measure_distance(loaded, samples.spectra), measure_distance(model, samples.spectra))
    assert loaded.novelty.held_out_count == 120
    assert loaded.novelty.threshold(0.1) == model.novelty.threshold(0.1)
    assert encode_model(loaded) == encode_model(model)


def test_a_model_without_distances_says_so_in_one_line() -> None:
    with pytest.raises(ModelError, match="train it again") as caught:
        measure_distance(make_model(), np.zeros((1, 12), dtype=np.float32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("anchors", lambda a: a[:, :-1]),
        ("anchors", lambda a: a[:0]),
        ("anchors", lambda a: np.zeros((2000, 5), dtype=np.float32)),
        ("anchors", lambda a: a.astype(np.float64)),
        ("anchors", lambda a: np.full_like(a, np.nan)),
        ("usual", lambda a: -a),
        ("held_out", lambda a: a[::-1].copy()),
        ("held_out", lambda a: np.full(5000, 1, dtype=np.float32)),
        ("held_out_count", lambda a: a - 1),
        ("held_out_count", lambda a: a.astype(np.int32)),
        ("usual", None),
    ],
)
def test_what_a_file_claims_is_checked(name, change) -> None:
    points, target = draw(pixels=60)
    arrays = encode_novelty(learn_novelty(points, target, 3, np.arange(40.0)))
    assert decode_novelty(arrays, width=5) is not None
    if change is None:
        del arrays[PREFIX + name]
    else:
        arrays[PREFIX + name] = change(arrays[PREFIX + name])

    with pytest.raises(ModelError, match="the model's distance is broken"):
        decode_novelty(arrays, width=5)
