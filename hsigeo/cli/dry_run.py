"""What ``hsigeo classify --dry-run`` prints: a plan for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsigeo.tiling import format_size

if TYPE_CHECKING:
    from hsigeo.campaign.forecast import Rates
    from hsigeo.campaign.preparation import PreparedLine
    from hsigeo.campaign.roles import Engine

__all__ = ["describe_campaign", "describe_plan"]


def describe_plan(line: PreparedLine, engine: Engine, rates: Rates | None) -> str:
    """The plan of one scene, a line for each of its parts.

    Parameters
    ----------
    rates
        As measured; `None` where others compute.
    """
    from hsigeo.campaign.forecast import forecast

    header, work, ahead = line.work.cube.header, line.work, forecast(line)
    rows, columns = min(work.window.rows, work.plan.lines), work.window.columns
    again = ""
    if line.memory.repeats > 1:
        again = f", each block of the file {line.memory.repeats} times"
        again += "" if line.memory.once is None else f"; --max-memory {-(-line.memory.once >> 20)}M would avoid that"
    rasters = ", ".join(map(str, line.job.rasters)) + (" takes" if len(line.job.rasters) == 1 else " take")
    parts = {
        "scene": f"{line.job.scene}: {work.plan.lines} x {work.plan.samples} pixels, {header.bands.count} bands, "
        f"{header.dtype.name}, {header.format} {header.interleave}, {format_size(header.size_bytes)}",
        "model": f"{line.job.model}: {len(work.model.card.classes)} classes, {work.model.card.variant}, "
        f"{len(work.match.used)} bands used",
        "tiles": f"{ahead.tiles} of {work.plan.rows} x {work.plan.samples} pixels",
        "read": f"{format_size(ahead.read_bytes)}, in windows of {rows} x {columns} pixels{again}",
        "write": f"{format_size(ahead.write_bytes)} of intermediate files; {rasters} less",
        **_describe_memory(line),
        "compute": f"{engine.device_kind}, {engine.threads} {'thread' if engine.threads == 1 else 'threads'}, "
        f"kernel {line.identity['kernel']}",
        "time": _describe_time(line, rates),
    }
    return "\n".join(f"{name:<9} {text}" for name, text in parts.items())


def describe_campaign(lines: Sequence[PreparedLine], rates: Rates | None) -> str:
    """The plans of many scenes, one line for each, and what they come to together."""
    from hsigeo.campaign.forecast import forecast

    plans = [forecast(line) for line in lines]
    rows = [("scene", "pixels", "tiles", "read", "write", "memory", "time")]
    for line, ahead in zip(lines, plans, strict=True):
        rows.append(
            (
                line.job.name,
                f"{line.work.plan.lines} x {line.work.plan.samples}",
                str(ahead.tiles),
                format_size(ahead.read_bytes),
                format_size(ahead.write_bytes),
                format_size(line.memory.total),
                "" if rates is None else _format_seconds(_seconds(line, rates)),
            )
        )
    rows.append(
        (
            f"{len(lines)} scenes",
            f"{sum(line.pixels for line in lines)}",
            str(sum(ahead.tiles for ahead in plans)),
            format_size(sum(ahead.read_bytes for ahead in plans)),
            format_size(sum(ahead.write_bytes for ahead in plans)),
            format_size(max((line.memory.total for line in lines), default=0)),
            "" if rates is None else _format_seconds(sum(_seconds(line, rates) for line in lines)),
        )
    )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in rows]
    table = "\n".join("  ".join(row).rstrip() for row in padded)
    if rates is None:
        return table
    return f"{table}\ntime: of the tiles alone; opening each scene and writing its map, picture and log comes on top"


def _format_seconds(seconds: float) -> str:
    """``under 1 s``, ``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _describe_memory(line: PreparedLine) -> dict[str, str]:
    plan = line.memory
    parts = {
        "the process at start": plan.base,
        "windows in flight": plan.in_flight,
        "batches": plan.batches,
        "blocks of the file": plan.cache,
    }
    listed = ", ".join(f"{name} {format_size(size)}" for name, size in parts.items() if size)
    return {
        "memory": f"{format_size(plan.total)} of {format_size(plan.limit)} allowed",
        "": f"{listed}; when the tiles are done, {format_size(plan.writing)} for writing",
    }


def _describe_time(line: PreparedLine, rates: Rates | None) -> str:
    if rates is None:
        return "not known: the tiles are computed on other machines"
    read = line.work.cube.header.bands.count * line.work.cube.header.dtype.itemsize / max(rates.read_seconds, 1e-12)
    return (
        f"expected: {_format_seconds(_seconds(line, rates))}, plus start-up and writing; "
        f"{format_size(read)} are read and {1e-6 / max(rates.compute_seconds, 1e-12):.2f} million pixels are "
        "computed per second, as measured on "
        f"{rates.tiles} {'tile' if rates.tiles == 1 else 'tiles'} just now"
    )


def _seconds(line: PreparedLine, rates: Rates) -> float:
    """Reading and computing overlap."""
    return line.pixels * max(rates.read_seconds, rates.compute_seconds)
