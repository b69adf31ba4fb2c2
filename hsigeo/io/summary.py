"""The description of a scene as plain values: what ``hsigeo info`` prints and ``--json`` gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.doctor.examination import examine
from hsigeo.io.doctor.finding import Finding

__all__ = ["describe_scene"]

LARGE_COMPRESSED = 100 << 20


def describe_scene(cube: Cube) -> dict[str, Any]:
    """Everything known about a scene, as JSON values.

    Of the values a bounded sample is looked at (`hsigeo.io.doctor.sample`), so this is quick for a scene of any size.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    header = cube.header
    examination = examine(cube)
    values = examination.values
    missing = _missing(header, values, examination.findings)
    return {
        "path": header.path,
        "data_file": header.data_path,
        "size_bytes": header.size_bytes,
        "reader": header.reader,
        "reader_reason": header.reader_reason,
        "format": header.format,
        "lines": header.grid.lines,
        "samples": header.grid.samples,
        "bands": header.bands.count,
        "data_type": header.dtype.name,
        "interleave": header.interleave,
        "byte_order": header.byte_order,
        "header_offset": header.header_offset,
        "compressed": header.compressed,
        "description": header.description,
        "sensor": header.sensor,
        "wavelength_nm": _values(header.bands.wavelength),
        "fwhm_nm": _values(header.bands.fwhm),
        "bad_bands": [int(band) for band in np.flatnonzero(~header.bands.good) + 1],
        "default_bands": list(header.default_bands),
        "gain": _per_band(header.scaling.gain),
        "offset": _per_band(header.scaling.offset),
        "nodata": _json_number(header.nodata),
        **_describe_grid(header.grid),
        "companions": [{"kind": kind, "path": path} for kind, path in header.companions],
        "geolocation": None if header.geolocation is None else header.geolocation.title,
        "classes": _classes(header),
        "values_sampled": _describe_values(values),
        "repairs": list(header.repairs),
        "findings": [finding.to_json() for finding in (*examination.findings, *_advice(header))],
        "ready": not missing,
        "verdict": _verdict(header, missing, examination.findings),
    }


def _describe_values(values: NDArray[np.float32]) -> dict[str, Any]:
    seen = values[np.isfinite(values)]
    quantiles = [float(value) for value in np.percentile(seen, (0, 2, 50, 98, 100))] if seen.size else [None] * 5
    names = ("minimum", "percentile_2", "median", "percentile_98", "maximum")
    return {
        **dict(zip(names, quantiles, strict=True)),
        "pixels": values.shape[1],
        "share_without_data": 1.0 - seen.size / values.size,
    }


def _describe_grid(grid: Grid) -> dict[str, Any]:
    crs = None if grid.crs is None else CRS.from_wkt(grid.crs)
    unit = None
    if crs is not None:
        unit = "degree" if crs.is_geographic else crs.linear_units
    placed = grid.has_transform
    return {
        "crs": None if crs is None else {"name": grid.crs.split('"')[1] if grid.crs else "", "epsg": crs.to_epsg()},
        "crs_wkt": grid.crs,
        "map_unit": unit,
        "transform": list(grid.transform.to_gdal()) if placed else None,
        "pixel_size": list(grid.pixel_size) if placed else None,
        "rotation_degrees": grid.rotation if placed else None,
        "ground_control_points": len(grid.ground_control_points),
    }


def _advice(header: CubeHeader) -> list[Finding]:
    """What is no fault of the file, and yet good to know."""
    if not (header.compressed and header.format == "ENVI" and header.size_bytes > LARGE_COMPRESSED):
        return []
    return [
        Finding(
            code="compressed",
            severity="note",
            message="a large compressed file is slow to read out of order",
            remedy="decompress it (gunzip) first",
        )
    ]


def _missing(header: CubeHeader, values: NDArray[np.float32], findings: Sequence[Finding]) -> list[str]:
    """What keeps a file from being classified like any other scene."""
    if header.is_classification:
        return ["a class map; it can serve as labels"]
    if header.bands.count < 2:
        return ["a single band, not a spectral image"]
    missing = []
    if header.bands.wavelength is None:
        missing.append(
            "without wavelengths only a model trained on the same bands can be used; add 'wavelength' to the header"
        )
    if not np.isfinite(values).any():
        missing.append("no pixel of the sample has data")
    errors = [finding.code for finding in findings if finding.severity == "error"]
    if errors:
        missing.append(
            f"what is wrong ({', '.join(errors)}) must be corrected first, for example with `hsigeo info --fix`"
        )
    return missing


def _verdict(header: CubeHeader, missing: list[str], findings: Sequence[Finding]) -> str:
    if missing:
        return "not ready to classify: " + "; ".join(missing)
    problems = [finding.code for finding in findings if finding.severity == "warning" and finding.code != "no-crs"]
    doubts = f", but check the problems above first ({', '.join(problems)})" if problems else ""
    return _readiness(header) + doubts


def _readiness(header: CubeHeader) -> str:
    if header.geolocation is not None:
        return "ready to classify in sensor geometry; the labels will be placed on a map"
    if not header.grid.is_georeferenced:
        lacking = "CRS" if header.grid.has_transform or header.grid.ground_control_points else "georeference"
        return f"ready to classify, but the map will have no {lacking}"
    return "ready to classify"


def _classes(header: CubeHeader) -> list[dict[str, Any]]:
    colors: list[list[int] | None] = [list(color) for color in header.class_colors]
    colors += [None] * (len(header.class_names) - len(colors))
    return [
        {"value": value, "name": name, "color": color}
        for value, (name, color) in enumerate(zip(header.class_names, colors, strict=False))
    ]


def _per_band(values: NDArray[np.float64]) -> float | list[float]:
    """One number where all bands share it."""
    return float(values[0]) if (values == values[0]).all() else [float(value) for value in values]


def _values(values: NDArray[np.float64] | None) -> list[float] | None:
    return None if values is None else [float(value) for value in values]


def _json_number(value: float | int | None) -> float | int | str | None:
    """JSON has no NaN and no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
