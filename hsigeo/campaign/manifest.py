"""The outcome of every line of a campaign: ``manifest.json`` for programs, ``summary.csv`` for spreadsheets.

The manifest reports; it decides little. Whether a map is there and is the right one is read from the map. Only what no
file could say is taken from the manifest: that a line failed, and what its files looked like then.

Several processes may work on one folder. Each changes the entries of its own lines, under a lock, and leaves the rest.
"""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hsigeo.campaign.doubts import pick_doubts
from hsigeo.errors import OutputError
from hsigeo.locking import locked
from hsigeo.software import SOFTWARE
from hsigeo.spreadsheets import harmless
from hsigeo.text_files import write_json, write_text

__all__ = ["DONE", "FAILED", "STOPPED", "WAITING", "LineRecord", "Manifest", "trace_of", "utc_now"]

DONE, FAILED, STOPPED, WAITING = "done", "failed", "stopped", "waiting"
FORMAT = "hsigeo campaign"
FORMAT_VERSION = 1
_LARGEST = 256 << 20
_QUICK, _PAUSE = 0.05, 20
"""Seconds that writing may take each time; where it takes longer, nothing is written for so many times as long."""

_COLUMNS = (
    "line",
    "status",
    "pixels",
    "classified",
    "seconds",
    "tiles",
    "resumed",
    "peak_memory_mb",
    "repairs",
    "error",
)


@dataclass(frozen=True, kw_only=True)
class LineRecord:
    """The entry of one line. Paths are relative to the folder of the manifest.

    Parameters
    ----------
    line, scene, status
        Id, file, and ``done``, ``failed``, ``stopped`` (half done; the same command goes on) or ``waiting``.
    outputs
        What is made, by kind: ``map``, ``confidence``, ``probabilities``, ``quicklook``, ``log``.
    input
        Fingerprint of the pixels, digest of the header; and ``trace``, size and time of the scene's files.
    model
        Path and SHA-256.
    options, software
        What else the map depends on.
    error
        Why it failed, in one line.
    started, finished
        UTC, ISO 8601.
    seconds, tiles, resumed, peak_memory
        Wall time, tiles in all and made by earlier runs, largest resident size in bytes.
    pixels, pixels_per_class
        In all, and by class name; pixels without a class under the empty name.
    repairs
        What reading the scene guessed or repaired.
    device, host
        Where it was computed.
    """

    line: str
    scene: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    software: str = SOFTWARE
    error: str = ""
    started: str = ""
    finished: str = ""
    seconds: float | None = None
    tiles: int | None = None
    resumed: int | None = None
    peak_memory: int | None = None
    pixels: int | None = None
    pixels_per_class: Mapping[str, int] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    device: str = ""
    host: str = field(default_factory=socket.gethostname)

    @property
    def classified(self) -> float | None:
        """Share of the pixels that have a class."""
        if not self.pixels or not self.pixels_per_class:
            return None
        return 1 - self.pixels_per_class.get("", 0) / self.pixels

    @property
    def doubts(self) -> list[str]:
        """Why the map may mean nothing; those of most lines do."""
        return pick_doubts(self.repairs)


Keep = Callable[[Mapping[str, Any], LineRecord], bool]


class Manifest:
    """The manifest of a folder.

    Parameters
    ----------
    folder
        Where the maps are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "manifest.json"
        self.table = folder / "summary.csv"
        self._noted: dict[str, LineRecord] = {}
        self._noting = threading.Lock()
        self._due = 0.0

    def read(self) -> dict[str, dict[str, Any]]:
        """The entries by line; none where there is no manifest.

        Raises
        ------
        OutputError
            There is a file of that name which is no manifest.
        """
        try:
            with self.path.open("rb") as file:
                text = file.read(_LARGEST)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        try:
            document = json.loads(text)
            lines = document["lines"]
            if document["format"] != FORMAT or not all(isinstance(entry, dict) for entry in lines.values()):
                raise ValueError("another format")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise OutputError(
                f"{self.path} is not a manifest of hsigeo and would be replaced; move it, or choose another folder"
            ) from error
        return dict(lines)

    def note(self, record: LineRecord) -> None:
        """Put an entry in: at once in a folder of some hundred lines, within seconds in one of thousands.

        All entries are written each time. So that this never takes more than a twentieth of the time, what comes too
        soon waits for the next entry, or for `write_noted`.
        """
        with self._noting:
            self._noted[record.line] = record
            is_due = time.monotonic() >= self._due
        if is_due:
            self.write_noted()

    def write_noted(self) -> None:
        """Put in what waits."""
        with self._noting:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        began = time.monotonic()
        self.update(noted.values())
        ended = time.monotonic()
        if ended - began > _QUICK:
            self._due = ended + _PAUSE * (ended - began)

    def update(self, records: Iterable[LineRecord], *, keep: Keep | None = None) -> None:
        """Put entries in, and renew the table. Entries of other lines stay.

        Parameters
        ----------
        keep
            Says of an entry that is there and the record that would replace it whether it stays.
        """
        with locked(self.folder / ".manifest.lock", keep_waiting=lambda: True):
            for left in (*self.folder.glob(".manifest.partial-*"), *self.folder.glob(".summary.partial-*")):
                left.unlink()  # of a killed process: whoever holds the lock is the only one to write these
            lines = self.read()
            for record in records:
                if keep is None or record.line not in lines or not keep(lines[record.line], record):
                    lines[record.line] = asdict(record)
            lines = dict(sorted(lines.items()))
            document = {"format": FORMAT, "format_version": FORMAT_VERSION, "updated": utc_now(), "lines": lines}
            write_json(self.path, document, overwrite=True)
            write_text(self.table, _as_csv(lines), overwrite=True)


def utc_now() -> str:
    """The time, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def trace_of(scene: str) -> list[list[Any]]:
    """Name, size and time of the files named like the scene but for endings: enough to see that somebody mended it."""
    path = Path(scene)
    trace = []
    try:
        with os.scandir(path.parent) as entries:
            for entry in entries:
                if f"{entry.name}.".startswith(f"{path.stem}.") and entry.is_file():
                    status = entry.stat()
                    trace.append([entry.name, status.st_size, status.st_mtime_ns])
    except OSError:
        return []
    return sorted(trace)


def _as_csv(lines: Mapping[str, Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for name, entry in lines.items():
        pixels, by_class = entry.get("pixels"), entry.get("pixels_per_class") or {}
        share = f"{1 - by_class.get('', 0) / pixels:.4f}" if pixels and by_class else ""
        peak = entry.get("peak_memory")
        writer.writerow(
            [
                harmless(name),
                entry.get("status"),
                pixels,
                share,
                "" if entry.get("seconds") is None else f"{entry['seconds']:.1f}",
                entry.get("tiles"),
                entry.get("resumed"),
                "" if peak is None else peak >> 20,
                harmless("; ".join(entry.get("repairs") or ())),
                harmless(entry.get("error")),
            ]
        )
    return text.getvalue()
