"""The command line of the explanations benchmark."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.accuracy.default import as_labelled_spectra
from benchmarks.accuracy.splits import DEVELOPMENT, REPORTING, Split, make_split
from benchmarks.explain.removal import METHODS, REMOVALS, WINDOW, choose_bands
from benchmarks.options import data_option
from hsigeo.explanation import explain_model
from hsigeo.model import DEFAULT_VARIANT, Model, predict_probabilities
from hsigeo.training.learning import train_on_spectra

REPORTED = ("potsdam_validation", "santa_barbara_level_2", "berlin")
DEVELOPED = ("potsdam_development", "santa_barbara_level_2_development", "berlin_development")
DRAWS = 5
"""Times that random bands are drawn for a class."""

Floats = NDArray[np.float32]
Key = tuple[str, str, str]


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="How many seeds, from 0.")
@click.option("--pixels", type=click.IntRange(10), default=300, show_default=True, help="Test pixels of each split.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=0.2, show_default=True, help="Removed.")
@click.option("--variant", help="Architecture. [default: that of hsigeo train]")
@data_option
@click.option("--development", is_flag=True, help="The splits that choices are made on, instead of those reported.")
def main(seeds: int, pixels: int, share: float, variant: str | None, data: Path, *, development: bool) -> None:
    """Remove the wavelengths that an explanation names, and as many others, and see what becomes of the decision."""
    sources, names = (DEVELOPMENT, DEVELOPED) if development else (REPORTING, REPORTED)
    found: dict[Key, list[tuple[float, float]]] = defaultdict(list)
    divisions = {name: sources[name](data) for name in names}
    for seed, name in tqdm([(seed, name) for seed in range(seeds) for name in names], unit="split"):
        split = make_split(name, divisions[name], per_class=None, seed=seed)
        model = train_on_spectra(as_labelled_spectra(split), variant=variant or DEFAULT_VARIANT, seed=seed, check=False)
        for removal, method, lost in _measure(model, split, pixels, share):
            found[name, removal, method].append(lost)
    click.echo(f"removed: {share:.0%} of the bands, in windows of {WINDOW}; points lost, mean ± deviation over seeds\n")
    for name in names:
        click.echo(_table({key[1:]: values for key, values in found.items() if key[0] == name}, name))


def _measure(model: Model, split: Split, most: int, share: float) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """(removal, method, (points of probability, points of accuracy) lost)."""
    random = np.random.default_rng(split.seed)
    chosen = np.sort(random.permutation(len(split.test_labels))[:most])
    spectra, labels = np.ascontiguousarray(split.test_spectra[chosen]), split.test_labels[chosen]
    before = predict_probabilities(model, spectra)
    given = before.argmax(axis=1)
    for method, rank in METHODS.items():
        removed = choose_bands(rank(model, spectra, given, random), share)
        for removal, remove in REMOVALS.items():
            after = predict_probabilities(model, remove(model, spectra, removed).astype(np.float32))
            yield f"pixels, {removal}", method, _lost(before, after, given, labels)
    explained = {entry.entry.id - 1: entry.evidence for entry in explain_model(model).classes}
    named = choose_bands(np.stack([explained[label] for label in given.tolist()]), share)
    for removal, remove in REMOVALS.items():
        after = predict_probabilities(model, remove(model, spectra, named).astype(np.float32))
        yield f"classes, {removal}", "evidence", _lost(before, after, given, labels)
        drawn = []
        for _ in range(DRAWS):
            of_class = random.random((before.shape[1], spectra.shape[1]), dtype=np.float32)
            without = remove(model, spectra, choose_bands(of_class[given], share)).astype(np.float32)
            drawn.append(_lost(before, predict_probabilities(model, without), given, labels))
        probability, accuracy = np.mean(drawn, axis=0)
        yield f"classes, {removal}", "random", (float(probability), float(accuracy))


def _lost(before: Floats, after: Floats, given: NDArray[np.int64], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Points of the given class's probability, and of accuracy, that are gone."""
    at = np.arange(len(given))
    probability = float((before[at, given] - after[at, given]).mean())
    accuracy = float((given == labels).mean() - (after.argmax(axis=1) == labels).mean())
    return 100 * probability, 100 * accuracy


def _table(found: dict[tuple[str, str], list[tuple[float, float]]], name: str) -> str:
    lines = [f"| {name} | {' | '.join(METHODS)} |", "|---" * (len(METHODS) + 1) + "|"]
    for row in dict.fromkeys(key[0] for key in found):
        for place, figure in enumerate(("probability", "accuracy")):
            cells = []
            for method in METHODS:
                values = [lost[place] for lost in found.get((row, method), [])]
                spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.1f}{spread}" if values else "")
            lines.append(f"| {row}: {figure} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
