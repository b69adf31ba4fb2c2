"""What a scene is, as plain values: what ``hsigeo info`` prints and ``--json`` gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from hsigeo.grid import Grid
from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.scaling import to_reflectance

__all__ = ["describe_bands", "describe_scene"]

LARGE_COMPRESSED = 100 << 20

_SAMPLE_WINDOWS = 5
_SAMPLE_VALUES = 1 << 22
_SAMPLE_COLUMNS = 512


def describe_scene(cube: Cube) -> dict[str, Any]:
    """Everything known about a scene, as JSON values.

    The values are looked at in a few rows only, so this is quick for a scene of any size.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    header = cube.header
    values = _sample(cube)
    suggestions = _suggestions(header, values)
    missing = _missing(header, values)
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
        "suggestions": suggestions,
        "ready": not missing,
        "verdict": _verdict(header, missing),
    }


def describe_bands(numbers: Sequence[int]) -> str:
    """Band numbers with runs joined.

    >>> describe_bands([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def _sample(cube: Cube) -> NDArray[np.float32]:
    """(band, pixel) reflectance of a few rows from top to bottom, at most some four million values."""
    header = cube.header
    lines, samples = header.grid.shape
    columns = max(1, min(samples, _SAMPLE_COLUMNS, _SAMPLE_VALUES // header.bands.count // _SAMPLE_WINDOWS))
    left = (samples - columns) // 2
    rows = sorted({round((lines - 1) * (2 * part + 1) / (2 * _SAMPLE_WINDOWS)) for part in range(_SAMPLE_WINDOWS)})
    parts = [cube.read(slice(row, row + 1), slice(left, left + columns))[:, 0] for row in rows]
    stored = np.concatenate(parts, axis=1)
    return to_reflectance(stored[:, None], header.scaling, header.nodata)[:, 0]


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


def _suggestions(header: CubeHeader, values: NDArray[np.float32]) -> list[str]:
    """What the user might add to the file; said, never done."""
    found = []
    seen = values[np.isfinite(values)]
    spectral = header.bands.count > 1 and header.bands.wavelength is not None
    if spectral and seen.size and (high := float(np.percentile(seen, 98))) > 100 and header.scaling.is_identity:
        found.append(
            f"values up to {high:.5g} look like reflectance times 10000: if so, add 'reflectance scale factor = 10000' "
            "to the header"
        )
    empty = np.flatnonzero(header.bands.good & ~np.isfinite(values).any(axis=1)) + 1
    if seen.size and len(empty):
        found.append(
            f"bands {describe_bands(empty.tolist())} hold no data but are not marked as bad, so every pixel would "
            "count as invalid: mark them in 'bbl'"
        )
    if header.compressed and header.format == "ENVI" and header.size_bytes > LARGE_COMPRESSED:
        found.append(
            "a large compressed file is slow to read out of order: decompress it (gunzip) before working on it"
        )
    if header.nodata is None and header.bands.count > 1 and (value := _likely_nodata(values, header)) is not None:
        found.append(f"whole pixels hold {value:g} in every band: if it means no data, state it as 'data ignore value'")
    return found


def _likely_nodata(values: NDArray[np.float32], header: CubeHeader) -> float | None:
    """The stored number that all bands of some pixels share, if it is one that nothing on Earth reflects."""
    constant = values[:, (values == values[0]).all(axis=0)]
    if constant.size == 0 or not header.scaling.is_identity or constant[0].min() > 0:
        return None
    return float(constant[0].min())


def _missing(header: CubeHeader, values: NDArray[np.float32]) -> list[str]:
    """What keeps a file from being classified like any other scene."""
    if header.is_classification:
        return ["a class map; it can serve as labels"]
    if header.bands.count < 2:
        return ["a single band, not a spectral image"]
    missing = []
    if header.bands.wavelength is None:
        missing.append(
            "without wavelengths only a model trained on the same bands could be used; add 'wavelength' to the header"
        )
    if not np.isfinite(values).any():
        missing.append("no pixel of the sampled rows has data")
    return missing


def _verdict(header: CubeHeader, missing: list[str]) -> str:
    if missing:
        return "not ready to classify: " + "; ".join(missing)
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
