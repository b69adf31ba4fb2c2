"""The outcome of a campaign as a table for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsigeo.campaign.manifest import LineRecord

__all__ = ["format_summary"]

_HEAD = ("line", "status", "pixels", "classified", "seconds", "Mpx/min", "note")
_LONGEST_NOTE = 90


def format_summary(records: Iterable[LineRecord]) -> str:
    """A row for each line, then how many there are of each status."""
    records = list(records)
    rows = [_HEAD, *(_row(record) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_align(row, widths) for row in rows]
    counts = Counter(record.status for record in records)
    total = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return "\n".join([*lines, f"{len(records)} lines: {total}"])


def _row(record: LineRecord) -> tuple[str, ...]:
    made = record.seconds is not None and record.pixels is not None
    notes = [record.error] if record.error else []
    if record.resumed:
        notes.append(f"{record.resumed} of {record.tiles} tiles were there")
    if record.repairs and not record.error:
        repairs = len(record.repairs) - len(record.doubts)
        notes += [f"doubtful: {doubt}" for doubt in record.doubts]
        notes += [f"{repairs} repair{'s' * (repairs != 1)}"] if repairs else []
    return (
        "".join(character if character.isprintable() else " " for character in record.line),
        record.status,
        "-" if record.pixels is None else f"{record.pixels:,}",
        "-" if record.classified is None else f"{record.classified:.1%}",
        "-" if record.seconds is None else f"{record.seconds:.1f}",
        f"{(record.pixels or 0) * 60e-6 / max(record.seconds or 0, 1e-9):.2f}" if made else "-",
        "; ".join(notes)[:_LONGEST_NOTE],
    )


def _align(row: Sequence[str], widths: Sequence[int]) -> str:
    """Text to the left, numbers to the right."""
    cells = [
        cell.ljust(width) if index in (0, 1, len(row) - 1) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
