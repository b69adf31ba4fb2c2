"""The accuracy table as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.margins import BEHIND, Lead, count_by_luck, find_lead
from benchmarks.accuracy.methods import BAR, HSIGEO
from benchmarks.accuracy.results import Result

__all__ = ["Measured", "make_markdown", "make_summary"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was asked for, and what of it was measured.

    Parameters
    ----------
    methods, tasks, seeds
        Asked for, in the order of columns and rows.
    results
        (method, task, seed) → result; what is not there was not measured.
    """

    methods: Sequence[str]
    tasks: Sequence[str]
    seeds: Sequence[int]
    results: Mapping[tuple[str, str, int], Result]

    @property
    def complete(self) -> list[str]:
        """Tasks that every method finished with every seed."""
        return [
            task
            for task in self.tasks
            if all((method, task, seed) in self.results for method in self.methods for seed in self.seeds)
        ]


@dataclass(frozen=True, kw_only=True)
class _Figure:
    """What a table shows: its title, one number of a result, and how many decimals of it mean something."""

    title: str
    of: Callable[[Result], float]
    decimals: int = 1
    higher_is_better: bool = True

    @property
    def short(self) -> str:
        """The title without unit and explanation."""
        return self.title.partition(",")[0].partition(" (")[0]


OVERALL = _Figure(title="Overall accuracy, %", of=lambda result: result.overall)
AVERAGE = _Figure(title="Average accuracy (mean recall of the classes), %", of=lambda result: result.average)
SECONDS = _Figure(
    title="Training, CPU seconds on one thread",
    of=lambda result: result.train_seconds,
    decimals=2,
    higher_is_better=False,
)


def make_markdown(measured: Measured) -> str:
    """Three tables (overall and average accuracy, training time), the margins, and when and where it was measured."""
    methods, tasks, seeds = measured.methods, measured.tasks, measured.seeds
    parts = [_table(measured, figure) for figure in (OVERALL, AVERAGE, SECONDS)]
    if HSIGEO in methods and any(name in methods for name in BAR):
        parts.append(_margins(measured))
    dates = sorted(result.date[:10] for result in measured.results.values())
    machines = sorted({result.machine for result in measured.results.values()})
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts.append(
        f"Mean ± standard deviation over {len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'}, (n) where only n of "
        f"them were measured. Mean over tasks: the {len(measured.complete)} of {len(tasks)} tasks that every method "
        f"finished. Measured {when} on {'; '.join(machines)}."
    )
    return "\n\n".join(parts) + "\n"


def make_summary(measured: Measured) -> str:
    """One line for each method: overall and average accuracy and training time, means over the tasks all finished."""
    complete = measured.complete
    if not complete:
        return "no task was finished by every method"
    lines = [f"means over {len(complete)} of {len(measured.tasks)} tasks: OA %, AA %, CPU seconds of training"]
    for method in measured.methods:
        oa, aa, seconds = (_over_tasks(measured, figure, method, complete)[0] for figure in (OVERALL, AVERAGE, SECONDS))
        lines.append(f"{method:14s} {oa:6.2f} {aa:6.2f} {seconds:8.2f}")
    return "\n".join(lines)


def _table(measured: Measured, figure: _Figure) -> str:
    methods, seeds = measured.methods, measured.seeds
    rows = [[figure.title, *methods], ["---", *("---:" for _ in methods)]]
    for task in measured.tasks:
        values = [_values(measured, figure, method, task) for method in methods]
        rows.append([task, *_cells(values, len(seeds), figure)])
    if complete := measured.complete:
        over = [_over_seeds(measured, figure, method, complete) for method in methods]
        rows.append(["**mean over tasks**", *_cells(over, len(seeds), figure)])
    return _rows(rows)


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(values: Sequence[Sequence[float]], seeds: int, figure: _Figure) -> list[str]:
    """Mean ± standard deviation of each; the best mean in bold."""
    means = [float(np.mean(found)) if found else -np.inf for found in values]
    cells = []
    for found, mean in zip(values, means, strict=True):
        if not found:
            cells.append("")
            continue
        number = f"{mean:.{figure.decimals}f}"
        if figure.higher_is_better and mean == max(means):
            number = f"**{number}**"
        spread = f" ± {np.std(found, ddof=1):.{figure.decimals}f}" if len(found) > 1 else ""
        cells.append(number + spread + (f" ({len(found)})" if len(found) < seeds else ""))
    return cells


def _margins(measured: Measured) -> str:
    """What hsigeo leads by, against the one rival that is best on the mean and against the best rival of each task."""
    rivals = [name for name in BAR if name in measured.methods]
    complete = measured.complete
    if not complete:
        return "No task was finished by every method, so there are no margins."
    leads = {figure: _leads(measured, figure, rivals) for figure in (OVERALL, AVERAGE)}
    rows = [
        ["hsigeo less the best rival, points", "over the best on the mean", "over the best of each task", "least task"],
        ["---", "---:", "---:", "---"],
    ]
    for figure, found in leads.items():
        means = {name: _over_tasks(measured, figure, name, complete)[0] for name in (HSIGEO, *rivals)}
        single = max(rivals, key=means.__getitem__)
        least = min(found, key=lambda task: found[task].points)
        rows.append(
            [
                figure.short,
                f"{means[HSIGEO] - means[single]:+.1f} ({single})",
                f"{np.mean([lead.points for lead in found.values()]):+.1f}",
                f"{found[least].points:+.1f} ({least})",
            ]
        )
    parts = [_rows(rows), _lead_table(complete, leads), f"Rivals here: {', '.join(rivals)}, on the bands."]
    if len(measured.seeds) > 1:
        parts.append(" ".join(_luck(figure, found) for figure, found in leads.items()))
    return "\n\n".join(parts)


def _leads(measured: Measured, figure: _Figure, rivals: Sequence[str]) -> dict[str, Lead]:
    """The lead on each task that every method finished."""
    return {
        task: find_lead(
            _values(measured, figure, HSIGEO, task), {name: _values(measured, figure, name, task) for name in rivals}
        )
        for task in measured.complete
    }


def _lead_table(tasks: Sequence[str], leads: Mapping[_Figure, Mapping[str, Lead]]) -> str:
    """The lead on each task and its standard error; in bold where it is lost by more than luck."""
    rows = [
        ["hsigeo less the best of the task, ± standard error", *(figure.short for figure in leads)],
        ["---", *("---:" for _ in leads)],
        *([task, *(_lead_cell(found[task]) for found in leads.values())] for task in tasks),
    ]
    return _rows(rows)


def _lead_cell(lead: Lead) -> str:
    number = f"{lead.points:+.1f}" + (f" ± {lead.error:.1f}" if lead.seeds > 1 else "")
    return f"{f'**{number}**' if lead.lost_beyond_luck else number} ({lead.rival})"


def _luck(figure: _Figure, leads: Mapping[str, Lead]) -> str:
    """How many tasks are lost, how many luck alone would lose, and which luck does not explain."""
    lost = sum(lead.lost for lead in leads.values())
    beyond = [task for task, lead in leads.items() if lead.lost_beyond_luck]
    return (
        f"{figure.short}: behind by more than {BEHIND:g} point on {lost} of {len(leads)} tasks, where "
        f"{count_by_luck(list(leads.values())):.1f} would be so by the luck of the draws were it level with the best "
        f"everywhere; by more than luck on {', '.join(beyond) or 'none'}."
    )


def _values(measured: Measured, figure: _Figure, method: str, task: str) -> list[float]:
    return [figure.of(result) for key, result in measured.results.items() if key[:2] == (method, task)]


def _over_tasks(measured: Measured, figure: _Figure, method: str, tasks: Sequence[str]) -> list[float]:
    """The mean over tasks, then the mean of each."""
    each = [float(np.mean(_values(measured, figure, method, task))) for task in tasks]
    return [float(np.mean(each)), *each]


def _over_seeds(measured: Measured, figure: _Figure, method: str, tasks: Sequence[str]) -> list[float]:
    """The mean over tasks by each seed."""
    return [
        float(np.mean([figure.of(measured.results[method, task, seed]) for task in tasks])) for seed in measured.seeds
    ]
