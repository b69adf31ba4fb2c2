"""The accuracy benchmark: splits that divide what they should, and one cheap run through the whole of it."""

from __future__ import annotations

import functools
import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

for _needed in ("sklearn", "scipy", "threadpoolctl"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed; pip install '.[benchmark]' to run the benchmark")

from benchmarks.accuracy import digests  # noqa: E402
from benchmarks.accuracy.__main__ import main  # noqa: E402
from benchmarks.accuracy.margins import count_by_luck, find_lead  # noqa: E402
from benchmarks.accuracy.methods import METHODS  # noqa: E402
from benchmarks.accuracy.results import Result as Measurement  # noqa: E402
from benchmarks.accuracy.splits import DEVELOPMENT, REPORTING, Division, make_split  # noqa: E402
from benchmarks.accuracy.table import Measured, make_markdown  # noqa: E402

COUNTS = {
    "potsdam_validation": (5012, 218, 6, 16),
    "potsdam": (3806, 218, 6, 14),
    "berlin": (606, 177, 4, 22),
    "santa_barbara_level_2": (1275, 224, 6, 131),
    "santa_barbara_level_3": (1099, 224, 10, 113),
    "indian_pines": (695, 200, 16, 695),
    "jasper_ridge_development": (8149, 198, 4, None),
}
"""Pixels, bands, classes, groups."""

SOURCES = REPORTING | DEVELOPMENT


@functools.cache
def division(name: str, data: Path) -> Division:
    return SOURCES[name](data)


@pytest.mark.parametrize("name", COUNTS)
def test_each_source_has_the_documented_pixels_all_finite(name: str, real_data: Path) -> None:
    pixels = division(name, real_data).pixels
    count, bands, classes, groups = COUNTS[name]

    assert pixels.spectra.shape == (count, bands)
    assert pixels.spectra.dtype == np.float32
    assert np.isfinite(pixels.spectra).all()
    assert np.array_equal(np.unique(pixels.labels), np.arange(classes))
    assert pixels.wavelengths.shape == (bands,)
    assert pixels.wavelengths.min() > 350
    assert pixels.wavelengths.max() < 2600
    assert groups is None or len(np.unique(pixels.groups)) == groups


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", SOURCES)
def test_no_group_and_no_spectrum_is_on_both_sides(name: str, seed: int, real_data: Path) -> None:
    whole = division(name, real_data)
    train, test = whole.divide(seed)
    split = make_split(name, whole, per_class=None, seed=seed)

    assert train.any()
    assert test.any()
    assert not np.isin(whole.pixels.groups[train], whole.pixels.groups[test]).any()
    assert not set(map(bytes, split.train_spectra)) & set(map(bytes, split.test_spectra))


@pytest.mark.parametrize(
    ("developed", "reported"),
    [(a, b) for a in DEVELOPMENT for b in REPORTING if a.split("_")[0] == b.split("_")[0]],
)
def test_no_pixel_of_development_is_tested_in_a_report(developed: str, reported: str, real_data: Path) -> None:
    def spectra(name: str, *, train: bool) -> set[bytes]:
        whole = division(name, real_data)
        sides = [whole.divide(seed) for seed in (0, 1)]
        used = np.any([(a | b) if train else b for a, b in sides], axis=0)
        return set(map(bytes, whole.pixels.spectra[used]))

    assert not spectra(developed, train=True) & spectra(reported, train=False)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", SOURCES)
def test_pixels_without_labels_lie_on_no_ground_that_is_tested(name: str, seed: int, real_data: Path) -> None:
    whole = division(name, real_data)
    split = make_split(name, whole, per_class=5, seed=seed)
    has_scene = name.startswith(("potsdam", "berlin", "jasper_ridge"))
    assert (split.unlabelled is not None) == has_scene
    if split.unlabelled is None:
        assert split.digest_with_scene == split.digest
        return
    assert split.unlabelled.shape[1] == split.train_spectra.shape[1]
    assert 2000 < len(split.unlabelled) <= 4000
    assert np.isfinite(split.unlabelled).all()
    assert split.digest_with_scene != split.digest
    train, _ = whole.divide(seed)
    others = set(map(bytes, whole.pixels.spectra[~train]))  # tested here or in another split
    others.discard(bytes(4 * split.unlabelled.shape[1]))  # some tiles of Potsdam hold pixels of zeros
    assert not others & set(map(bytes, split.unlabelled))


def test_few_pixels_are_the_same_for_a_seed_and_others_for_another(real_data: Path) -> None:
    whole = division("potsdam_validation", real_data)
    first, again, other = (make_split("potsdam_validation", whole, per_class=5, seed=seed) for seed in (0, 0, 1))

    assert first.task == "potsdam_validation/5"
    assert np.bincount(first.train_labels).tolist() == [5] * 6
    assert first.digest == again.digest != other.digest
    assert np.array_equal(first.test_labels, other.test_labels)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_run_fills_the_cache_and_the_table_is_made_from_it(real_data: Path, tmp_path: Path) -> None:
    cache = tmp_path / "results.json"
    common = ("--data", real_data, "--tasks", "indian_pines/5", "--seeds", "2", "--cache", cache)

    measured = run("--methods", "lda,lda+channels", *common)
    shown = run("--methods", "lda+channels,lda", "--no-run", "--markdown", *common)

    assert measured.exit_code == 0, measured.output
    assert len(json.loads(cache.read_text())["results"]) == 4
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "| Overall accuracy, % | lda+channels | lda |"
    assert lines[2].startswith("| indian_pines/5 | **")
    assert "the 1 of 1 tasks that every method finished" in shown.stdout


def test_a_table_tells_what_was_not_measured(real_data: Path, tmp_path: Path) -> None:
    common = ("--data", real_data, "--tasks", "indian_pines/5", "--cache", tmp_path / "results.json")

    run("--methods", "lda", "--seeds", "1", *common)
    shown = run("--methods", "lda,hsigeo", "--seeds", "2", "--no-run", "--markdown", *common)

    row = shown.stdout.splitlines()[2]
    assert row.startswith("| indian_pines/5 | **")
    assert row.endswith("(1) |  |")
    assert "the 0 of 1 tasks that every method finished" in shown.stdout
    assert "so there are no margins" in shown.stdout
    assert "mean over tasks**" not in shown.stdout


def test_a_scene_of_ones_own_is_a_task(sample_scenes: Path) -> None:
    result = run(
        *("--scene", sample_scenes / "line_1.hdr", "--labels", sample_scenes / "training.gpkg"),
        *("--methods", "lda", "--sizes", "5", "--seeds", "1"),
    )

    assert result.exit_code == 0, result.output
    accuracy = float(result.stdout.splitlines()[-1].split()[1])
    assert accuracy > 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "cnn"], "there is no method 'cnn'; there are hsigeo, "),
        (["--tasks", "paris/*"], "no task fits 'paris/*'; there are potsdam_validation, "),
        (["--sizes", "all,0"], "'0' is not a number of pixels per class"),
        (["--scene", "."], "--scene and --labels go together"),
        (["--cache", "pyproject.toml"], "does not hold results of this benchmark"),
    ],
)
def test_wrong_usage_says_what_would_be_right(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])

    result = run(*arguments)

    assert result.exit_code != 0
    assert message in " ".join(result.stderr.split())


def test_digests_follow_code_and_not_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def code(name: str, text: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "sample.py").write_text(text)
        with monkeypatch.context() as patched:
            patched.syspath_prepend(folder)
            importlib.invalidate_caches()
            digests._code.cache_clear()
            return digests.digest_of_code(["sample"])

    plain = code("plain", "def double(x):\n    return 2 * x\n")
    explained = code("explained", 'def double(x):\n    """Twice."""\n    return 2 * x  # exact\n')
    changed = code("changed", "def double(x):\n    return 3 * x\n")

    assert plain == explained != changed


def test_every_method_has_a_digest_and_variants_differ() -> None:
    found = {name: method.digest for name, method in METHODS.items()}

    assert found["hsigeo"] != found["plain"]
    assert found["svm"] == found["rf"] != found["svm+channels"]


def test_a_lead_is_over_the_rival_that_is_best_on_the_mean_and_knows_its_luck() -> None:
    lead = find_lead([70.0, 64.0, 61.0], {"lda": [60.0, 60.0, 60.0], "svm": [71.0, 68.0, 68.0]})

    assert lead.rival == "svm"
    assert lead.points == pytest.approx(-4.0)  # of -1, -4 and -7
    assert lead.error == pytest.approx(3.0 / 3**0.5)
    assert lead.lost
    assert not lead.lost_beyond_luck  # 4 is 2.3 standard errors, and with three seeds 4.3 are needed
    assert replace(lead, points=-8.0).lost_beyond_luck


def test_luck_loses_a_task_as_often_as_the_spread_of_its_seeds_says() -> None:
    same = [find_lead([1.0, 1.0], {"lda": [2.0, 2.0]})] * 2
    wide = find_lead([-1.0, 1.0], {"lda": [0.0, 0.0]})  # a standard error of one point, with one degree of freedom

    assert count_by_luck(same) == 0.0
    assert count_by_luck([wide, *same]) == pytest.approx(0.25)  # Cauchy's distribution: a quarter lies below -1


def test_the_table_says_how_many_tasks_luck_alone_would_lose() -> None:
    def result(overall: float) -> Measurement:
        return Measurement(
            overall=overall, average=overall, train_seconds=1.0, wall_seconds=1.0, date="2026-01-01", machine="m"
        )

    accuracies = {"hsigeo": (50.0, 52.0), "lda": (60.0, 62.5), "svm": (40.0, 40.0)}
    measured = Measured(
        methods=list(accuracies),
        tasks=["t/5"],
        seeds=range(2),
        results={(name, "t/5", seed): result(found[seed]) for name, found in accuracies.items() for seed in range(2)},
    )

    table = make_markdown(measured)

    assert "| t/5 | **-10.2 ± 0.2** (lda) | **-10.2 ± 0.2** (lda) |" in table
    assert "behind by more than 1 point on 1 of 1 tasks, where 0.1 would be so" in table
    assert "by more than luck on t/5." in table
