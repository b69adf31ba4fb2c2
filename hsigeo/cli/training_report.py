"""What ``hsigeo train`` prints: the training data, the accuracy to expect, and figures of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsigeo.cli.accuracy_text import class_lines
from hsigeo.cli.columns import cells_of, pad, percent, shorten
from hsigeo.cli.figures import report_undrawable
from hsigeo.cli.options import say
from hsigeo.messages import in_words

if TYPE_CHECKING:
    from hsigeo.intervals import AccuracyIntervals
    from hsigeo.metrics import Accuracy
    from hsigeo.training import LabelledSpectra, SampleReport

__all__ = ["FIGURES", "draw_figures", "report_samples", "report_validation"]

FIGURES = ("held_out_confusion", "reliability", "learning_curve", "spectra")


def report_samples(samples: LabelledSpectra) -> None:
    """What will be learnt from, what was left out on the way, and what is odd about it."""
    from hsigeo.training.oddities import find_oddities

    for report in samples.reports:
        left_out = _left_out(report)
        say(
            f"{report.scene}: {report.pixels} labelled pixels"
            + (f"; not used: {', '.join(left_out)}" if left_out else "")
        )
    for note in dict.fromkeys(report.labels.about_invalid() for report in samples.reports):
        if note:
            say(f"note: {note}")
    for note in samples.notes:
        say(note)
    if samples.unlabelled is not None:
        say(f"{len(samples.unlabelled)} pixels of the scenes, labelled or not, show how spectra vary")
    counts = [(shorten(name), count) for name, count in samples.counts.items()]
    width = max(cells_of(name) for name, _ in counts)
    for name, count in counts:
        say(f"  {pad(name, width)}  {count:>7} px")
    for note in find_oddities(samples):
        say(f"note: {note}")


def report_validation(found: dict[str, Any]) -> None:
    """The figures to believe, and beside them the one that flatters."""
    if not found:
        say(
            "accuracy on unseen ground is not known: validation was not asked for, or there are too few labels to hold "
            "some out"
        )
        return
    disjoint, flattering = found["disjoint"], found["random_split_optimistic"]
    for note in found["notes"]:
        say(f"note: {note}")
    accuracy, intervals = _read_figures(found)
    say(f"on labelled ground, each part held out once ({found['split']}), in per cent and pixels:")
    for line in class_lines(accuracy, intervals):
        say(f"  {line}")
    low, high = found["confidence_intervals"]["overall_accuracy"]
    spread = "" if found["disjoint_spread"] is None else f" (± {found['disjoint_spread']:.1%} between folds)"
    only_halves = len(found["halved"]) == len(accuracy.names)
    where = "other halves of the same ground" if only_halves else "unseen ground like that of the labels"
    say(
        f"expected on {where}: overall accuracy {disjoint['overall_accuracy']:.1%}"
        f"{spread}, 95 % interval {percent(low)}-{percent(high)}, average {disjoint['average_accuracy']:.1%}, "
        f"macro F1 {disjoint['macro_f1']:.1%}, kappa {_kappa(disjoint['kappa'])}"
    )
    say(
        f"a random split gives {flattering['overall_accuracy']:.1%}, which is optimistic "
        f"by {100 * found['optimism_gap']:.1f} points"
    )
    error = found["expected_calibration_error"]
    say(
        f"probabilities are off by {error['after']:.1%} on average after calibration ({error['before']:.1%} before), "
        "measured on folds that the calibration was not fitted on"
        if error["after"] != error["before"]
        else f"probabilities are off by {error['before']:.1%} on average; a calibration fitted on some folds "
        "did not clearly help on the others, so none is applied"
    )


def draw_figures(samples: LabelledSpectra, found: dict[str, Any], files: dict[str, Path], *, overwrite: bool) -> None:
    """Draw what is known into the files of `FIGURES`; without validation that is the spectra alone."""
    from hsigeo.plots.confusion import draw_confusion
    from hsigeo.plots.learning_curve import draw_learning_curve
    from hsigeo.plots.reliability import draw_reliability
    from hsigeo.plots.spectra import draw_spectra

    if not files:
        return
    report_undrawable(samples.classes.names)
    draw_spectra(
        samples.spectra, samples.class_index, samples.classes, samples.bands, files["spectra"], overwrite=overwrite
    )
    if not found:
        return
    draw_confusion(_read_figures(found)[0], files["held_out_confusion"], title=found["split"], overwrite=overwrite)
    tables = {
        f"{name} calibration": ([tuple(line) for line in found["reliability"][name]], error)
        for name, error in ((name, found["expected_calibration_error"][name]) for name in ("before", "after"))
    }
    draw_reliability(tables, files["reliability"], title=found["split"], overwrite=overwrite)
    points = [
        (point["pixels"], point["overall_accuracy"], point["average_accuracy"])
        for point in found.get("learning_curve", [])
    ]
    if points:
        used = len(points[-1][1])
        title = found["split"] if found["split"].startswith(f"{used} folds") else f"{used} of {found['split']}"
        draw_learning_curve(points, files["learning_curve"], title=title, overwrite=overwrite)


def _read_figures(found: dict[str, Any]) -> tuple[Accuracy, AccuracyIntervals]:
    """The held-out accuracy and its intervals, out of the card's JSON."""
    import numpy as np

    from hsigeo.intervals import AccuracyIntervals
    from hsigeo.metrics import Accuracy

    matrix = found["disjoint"]["confusion_matrix"]
    about = found["confidence_intervals"]
    none = [float("nan"), float("nan")]
    intervals = AccuracyIntervals(
        overall=tuple(about["overall_accuracy"]),
        recall=np.array([line["recall"] or none for line in about["classes"]]),
        precision=np.array([line["precision"] or none for line in about["classes"]]),
        units=about["independent"]["what"],
        count=about["independent"]["count"],
    )
    return Accuracy(names=tuple(matrix["row_names"]), confusion=np.array(matrix["pixels"])), intervals


def _kappa(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _left_out(report: SampleReport) -> list[str]:
    own = {"pixels on nodata": report.pixels_on_nodata, "pixels on an undeclared fill value": report.pixels_on_fill}
    return [*report.labels.unused("the scene"), *in_words(own)]
