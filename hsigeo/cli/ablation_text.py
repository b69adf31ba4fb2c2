"""Results of ablations and claims as text for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hsigeo.training.ablation import Ablation
    from hsigeo.training.claims import Claims

__all__ = ["claim_lines", "component_lines", "sentence_lines"]

_WHOLE = "the default, complete"


def component_lines(ablation: Ablation) -> list[str]:
    """The default's accuracy, then a line for each component: what it contributes, in points."""
    from hsigeo.training.ablation import CLEAN
    from hsigeo.training.components import WHOLE

    damages = [name for name in ablation.conditions if name != CLEAN]
    width = max(len(_WHOLE), *(len(component.name) for component in ablation.components))
    whole = {condition: ablation.scores(WHOLE.name, condition) for condition in ablation.conditions}
    lines = [
        f"{'':<{width}}  {'overall':>13}  {'average':>13}  {'better':>6}  {'worse':>5}  {'seconds':>8}"
        + "".join(f"  {name:>13}" for name in damages),
        f"{_WHOLE:<{width}}  {_figure(whole[CLEAN][:, 0])}  {_figure(whole[CLEAN][:, 1])}  {'':>6}  {'':>5}  "
        f"{ablation.seconds(WHOLE.name):>8.2f}" + "".join(f"  {_figure(whole[name][:, 0])}" for name in damages),
        "contributed, in points:",
    ]
    for component in ablation.components:
        gain = {name: scores - ablation.scores(component.name, name) for name, scores in whole.items()}
        paired = ablation.contribution(component.name)
        cost = ablation.seconds(WHOLE.name) - ablation.seconds(component.name)
        lines.append(
            f"{component.name:<{width}}  {_figure(gain[CLEAN][:, 0], sign=True)}  "
            f"{_figure(gain[CLEAN][:, 1], sign=True)}  {paired.better:>6}  {paired.worse:>5}  {cost:>+8.2f}"
            + "".join(f"  {_figure(gain[name][:, 0], sign=True)}" for name in damages)
        )
    return lines


def sentence_lines(ablation: Ablation) -> list[str]:
    """What each component is there for, and what was trained instead."""
    return [
        f"{component.name}: {component.contributes} Without it: {component.instead}."
        for component in ablation.components
    ]


def claim_lines(claims: Claims) -> list[str]:
    """The three claims, and what was measured of each."""
    return [*_start_lines(claims), "", *_smoothing_lines(claims), "", *_dropout_lines(claims)]


def _start_lines(claims: Claims) -> list[str]:
    from hsigeo.training.claims import FIRST_PART, WITHIN

    found = claims.convergence()
    clustered, random = (
        np.array([getattr(each, f"steps_{name}") for each in found]) for name in ("clustered", "random")
    )
    climbs = [np.array([getattr(each, f"climb_{name}") for each in found]) for name in ("clustered", "random")]
    losses = [np.array([run.loss[-1] for run in claims.of(name)]) for name in ("plain", "random start")]
    return [
        "1. A k-means start of the prototypes halves the epochs to converge.",
        f"   steps until the held-out loss has but {WITHIN:.0%} of its way left: {_plain(clustered, 0)} with it, "
        f"{_plain(random, 0)} without; ratio {clustered.sum() / max(1, random.sum()):.2f} (0.5 would be half)",
        f"   rises of that loss in the first {FIRST_PART:.0%} of the steps, summed: {_plain(climbs[0], 3)} with it, "
        f"{_plain(climbs[1], 3)} without",
        f"   loss at the end: {_plain(losses[0], 3)} with it, {_plain(losses[1], 3)} without",
        f"   overall accuracy: {_percent(claims, 'plain')} with it, {_percent(claims, 'random start')} without",
    ]


def _smoothing_lines(claims: Claims) -> list[str]:
    smooth, sharp = claims.breadth("plain"), claims.breadth("no smoothing")
    return [
        "2. Label smoothing keeps the read weights broad.",
        f"   prototypes a pixel reads, of {claims.prototypes}: {_plain(smooth, 1)} with smoothing 0.1, "
        f"{_plain(sharp, 1)} with none",
        f"   overall accuracy: {_percent(claims, 'plain')} with it, {_percent(claims, 'no smoothing')} without",
    ]


def _dropout_lines(claims: Claims) -> list[str]:
    lines = [
        "3. Band dropout helps where test spectra are calibrated differently (overall accuracy, per cent).",
        f"   {'':<8}  {'none':>13}  {'2 %':>13}  {'10 %':>13}",
    ]
    for condition in claims.conditions:
        shares = (_figure(claims.overall(setting, condition)) for setting in ("no dropout", "dropout 2 %", "plain"))
        lines.append(f"   {condition:<8}  " + "  ".join(shares))
    return lines


def _percent(claims: Claims, setting: str) -> str:
    return _figure(claims.overall(setting)).strip() + " %"


def _figure(values: NDArray[np.float64], *, sign: bool = False) -> str:
    """Mean and standard deviation of shares, in per cent, 13 characters wide."""
    mean = f"{100 * values.mean():+.1f}" if sign else f"{100 * values.mean():.1f}"
    return f"{mean} ± {_spread(100 * values, 1)}".rjust(13)


def _plain(values: NDArray[np.float64], digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {_spread(values, digits)}"


def _spread(values: NDArray[np.float64], digits: int) -> str:
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    return "-" if math.isnan(spread) else f"{spread:.{digits}f}"
