"""``hsigeo info`` of a model as a user runs it, and of models whose cards hold what no training writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hsigeo.cli.model_text import describe_model, model_rows
from hsigeo.model import load_model

Run = Callable[..., subprocess.CompletedProcess[str]]

MODEL = Path(__file__).parents[2] / "sample_scenes" / "line_1.safetensors"


def test_info_says_what_a_model_tells_apart_and_what_to_expect_of_it(hsigeo: Run) -> None:
    result = hsigeo("info", MODEL)
    assert result.returncode == 0, result.stderr
    card = load_model(MODEL).card
    for entry in card.classes:
        assert f"{entry.id} {entry.name}" in result.stdout
    for fact in (
        f"{card.bands.count} of the {card.trained_on_count} of its training scenes",
        "line_1.hdr, line_2.hdr",
        f"{sum(card.provenance['pixels_per_class'].values())} labelled",
        f"overall accuracy {100 * card.validation['disjoint']['overall_accuracy']:.1f} %",
        "disjoint by polygons",
        "a random split promised",
    ):
        assert fact in result.stdout


def test_json_of_a_model_is_its_card(hsigeo: Run) -> None:
    document = json.loads(hsigeo("info", MODEL, "--json").stdout)
    model = load_model(MODEL)
    assert document == describe_model(model)
    assert document["sha256"] == model.digest


@pytest.mark.parametrize("option", ["--fix=new.hdr", "--quicklook=new.png", "--reader=envi"])
def test_options_for_scenes_are_refused_for_a_model(hsigeo: Run, option: str) -> None:
    result = hsigeo("info", MODEL, option)
    assert result.returncode == 2
    assert "is a model" in result.stderr


@pytest.mark.parametrize("odd", [None, 3, "text", [], [3, "a"], {"a": []}, {"overall_accuracy": True}, float("nan")])
def test_cards_that_no_training_wrote_are_described_as_far_as_they_make_sense(odd: Any) -> None:
    model = load_model(MODEL)
    for fields in (
        {"provenance": dict.fromkeys(model.card.provenance, odd)},
        {"validation": dict.fromkeys(model.card.validation, odd)},
        {"provenance": {"scenes": [{"name": odd}], "pixels_per_class": {"Water": odd}}},
        {"validation": {"disjoint": {"overall_accuracy": 0.5}, "confidence_intervals": {"overall_accuracy": odd}}},
    ):
        rows = model_rows(replace(model, card=replace(model.card, **fields)))
        assert ("classes", "8") in rows
        assert all(text.isprintable() for _, text in rows)


def test_a_model_without_validation_says_so() -> None:
    model = load_model(MODEL)
    rows = dict(model_rows(replace(model, card=replace(model.card, validation={}))))
    assert rows["expected"].startswith("not known")


def test_a_name_with_control_characters_does_not_reach_the_terminal() -> None:
    model = load_model(MODEL)
    provenance = {"scenes": [{"name": "a\x1b[31m\nb"}], "software": "x\x07"}
    rows = dict(model_rows(replace(model, card=replace(model.card, provenance=provenance))))
    assert rows["trained on"] == "a [31m b"
    assert rows["trained by"] == "x"
