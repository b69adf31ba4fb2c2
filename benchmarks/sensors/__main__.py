"""The command line of the sensors benchmark."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.accuracy.splits import DEVELOPMENT, REPORTING, Split, make_split
from benchmarks.options import data_option
from benchmarks.sensors.simulation import Simulation
from benchmarks.sensors.targets import read_enmap, read_targets, with_dead_bands
from benchmarks.sensors.ways import HSIGEO, WAYS
from hsigeo.atomic import replaced_on_success
from hsigeo.bands import BandTable
from hsigeo.classes import ClassTable
from hsigeo.model import DEFAULT_VARIANT, predict_probabilities
from hsigeo.training import LabelledSpectra
from hsigeo.training.learning import train_on_spectra
from hsigeo.training.record import learn_prior

REPORTED, DEVELOPED = ("potsdam_validation", "potsdam"), ("potsdam_development",)
TARGET_OF_ITSELF, RUN = "EnMAP", 8

Score = tuple[float, float]
Key = tuple[str, str, str]
Predict = Callable[[NDArray[np.float32]], NDArray[np.int64]]


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="How many seeds, from 0.")
@click.option("--per-class", type=click.IntRange(1), help="Training pixels of each class. [default: all]")
@click.option("--variant", help="Architecture. [default: that of hsigeo train]")
@data_option
@click.option("--development", is_flag=True, help="The splits that choices are made on, instead of those reported.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Also write every score, seed by seed.")
def main(
    seeds: int, per_class: int | None, variant: str | None, data: Path, *, development: bool, json_path: str | None
) -> None:
    """Train on EnMAP Potsdam, test on what other sensors would have seen of ground that was not trained on."""
    sources = DEVELOPMENT if development else REPORTING
    scores: dict[Key, list[Score]] = defaultdict(list)
    names = DEVELOPED if development else REPORTED
    divisions = {name: sources[name](data) for name in names}
    # By seed first: whenever it is stopped, every split has nearly as many.
    for seed, name in tqdm([(seed, name) for seed in range(seeds) for name in names], unit="split"):
        split = make_split(name, divisions[name], per_class=per_class, seed=seed)
        for target, way, score in _measure(split, data, variant or DEFAULT_VARIANT):
            scores[name, target, way].append(score)
        if json_path is not None:
            with replaced_on_success(json_path, overwrite=True) as temporary:
                temporary.write_text(json.dumps({" | ".join(key): found for key, found in scores.items()}, indent=1))
    for name in names:
        click.echo(_table({key[1:]: found for key, found in scores.items() if key[0] == name}, name))


def _measure(split: Split, data: Path, variant: str) -> Iterator[tuple[str, str, Score]]:
    """(target, way, score) of one split."""
    enmap = read_enmap(data)
    model = _fit(split.train_spectra, split, enmap, variant)
    yield TARGET_OF_ITSELF, "native", _score(model(split.test_spectra), split)
    trained_with_dead = with_dead_bands(enmap, seed=split.seed + 50)
    left = np.flatnonzero(trained_with_dead.good)
    fewer = _fit(split.train_spectra[:, left], split, enmap.take(left), variant)
    yield "EnMAP, a tenth dead in training", HSIGEO, _score(fewer(split.test_spectra[:, left]), split)
    prior = learn_prior(split.train_spectra)
    if prior is None:
        raise ValueError("EnMAP has too many bands for a prior")
    train, test = Simulation(split.train_spectra, enmap), Simulation(split.test_spectra, enmap)
    dead = {
        "EnMAP, a tenth dead in test": with_dead_bands(enmap, seed=split.seed),
        "EnMAP, a tenth dead in runs of 8": with_dead_bands(enmap, seed=split.seed, run=RUN),
    }
    for name, bands in (read_targets(data, enmap) | dead).items():
        good = np.flatnonzero(bands.good)
        own = _own_bands(enmap, bands)
        seen, learnt = (
            (split.test_spectra[:, own], split.train_spectra[:, own])
            if own is not None
            else (test.through(bands), train.through(bands))
        )
        native = _fit(learnt[:, good], split, bands.take(good), variant)
        yield name, "native", _score(native(seen[:, good]), split)
        for way, match in WAYS.items():
            found = match(enmap, bands, prior, seen)
            if len(found):
                yield name, way, _score(model(found), split)


def _own_bands(enmap: BandTable, bands: BandTable) -> NDArray[np.intp] | None:
    """Which of EnMAP's bands these are; `None` if they are another sensor's."""
    own = np.flatnonzero(np.isin(np.asarray(enmap.wavelength), np.asarray(bands.wavelength)))
    return own if len(own) == bands.count else None


def _fit(spectra: NDArray[np.float32], split: Split, bands: BandTable, variant: str) -> Predict:
    count = len(spectra)
    samples = LabelledSpectra(
        spectra=np.ascontiguousarray(spectra),
        class_id=(split.train_labels + 1).astype(np.int32),
        group=split.train_groups,
        scene=np.zeros(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int64),
        col=np.zeros(count, dtype=np.int64),
        classes=ClassTable.from_names([f"class {index}" for index in range(int(split.train_labels.max()) + 1)]),
        bands=bands,
        scene_band_count=bands.count,
        scene_band_index=np.arange(bands.count),
    )
    model = train_on_spectra(samples, variant=variant, seed=split.seed, check=False)
    return lambda found: predict_probabilities(model, np.ascontiguousarray(found)).argmax(axis=1)


def _score(predicted: NDArray[np.int64], split: Split) -> Score:
    """Overall and average accuracy, per cent."""
    right, labels = predicted == split.test_labels, split.test_labels
    recalls = [float(right[labels == name].mean()) for name in np.unique(labels)]
    return 100 * float(right.mean()), 100 * float(np.mean(recalls))


def _table(scores: dict[tuple[str, str], list[Score]], name: str) -> str:
    """Overall / average accuracy ± standard deviation of the former over seeds, as Markdown."""
    ways = ["native", *WAYS]
    lines = [f"\n{name}: overall / average accuracy, %\n", f"| bands | {' | '.join(ways)} |", "|---" * 7 + "|---|"]
    for target in dict.fromkeys(key[0] for key in scores):
        cells = []
        for way in ways:
            found = np.array(scores.get((target, way), []))
            if not len(found):
                cells.append("")
                continue
            mean, spread = found.mean(axis=0), found[:, 0].std(ddof=1) if len(found) > 1 else 0.0
            cells.append(f"{mean[0]:.1f} ± {spread:.1f} / {mean[1]:.1f}")
        lines.append(f"| {target} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
