"""Checks of the values of a scene: undeclared fill values, an unstated scale, lost rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsigeo.io.cube import Cube, CubeHeader
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.doctor.sample import Sample
from hsigeo.io.envi.header_text import format_list
from hsigeo.io.envi.reader import FILL_KEY
from hsigeo.io.scaling import to_reflectance

__all__ = ["check_fill", "check_rows", "check_scale", "check_sign", "may_lack_sign"]

FEWEST_FILLED = 3
"""One or two equal pixels may be chance; a fill value has a border of them."""

FEWEST_BANDS = 4
"""In a picture of three bands, black and white are colours like any other."""

BRIGHT = 1.6
"""Reflectance, 98th percentile, above which a scene is not stored as 0-1. Sunlit snow and glint stay below."""

SCALED = 100.0
"""98th percentile above which values are reflectance times something; radiance in any usual unit stays below."""

DIM = 1e-3
"""98th percentile below which nothing is reflectance: the clearest water reflects ten times as much of blue light."""

SCANNED_ROWS = 512

_SCANNED_COLUMNS = 64
_SCANNED_BYTES = 64 << 20


def check_fill(header: CubeHeader, sample: Sample) -> list[Finding]:
    """Pixels filled with a number, or a spectrum, that is not declared as "no data".

    As stored, so that a header can declare it; `hsigeo.io.fill.find_fill` says of reflectance which pixels are filled.
    """
    if header.bands.count < FEWEST_BANDS or header.is_classification:
        return []
    spectra = sample.spectra
    constant = (spectra == spectra[0]).all(axis=0)
    filled = _undeclared(header, spectra[0, constant])
    if filled is None:
        return _scaled_fill(header, sample, spectra, constant)
    pixels = constant & (spectra[0] == filled)
    found = f"{_share(pixels, sample)} hold {filled:g} in every band"
    if header.nodata is None:
        return [_undeclared_fill(header, found, filled)]
    if (spectra == header.nodata).all(axis=0).any():
        return [
            Finding(
                code="second-fill-value",
                severity="warning",
                message=f"{found}, and others the declared {header.nodata:g}",
                remedy="ENVI and GeoTIFF declare one value for no data: give these pixels that value in the data",
            )
        ]
    return [_undeclared_fill(header, f"{found}, and none the declared {header.nodata:g}", filled)]


def check_scale(header: CubeHeader, values: NDArray[np.float32]) -> list[Finding]:
    """Reflectance far above 1, or hardly any.

    Parameters
    ----------
    values : (band, pixel) reflectance, NaN where there is no data
    """
    if header.bands.count < 2 or header.bands.wavelength is None:
        return []
    good = values[header.bands.good]
    seen = good[np.isfinite(good)]
    if seen.size == 0 or DIM <= (high := float(np.percentile(seen, 98))) <= BRIGHT:
        return []
    if high < DIM:
        return [
            Finding(
                code="scale",
                severity="warning",
                message=f"98 % of the values are below {high:.3g}; reflectance is 0 to 1",
                remedy=f"check the scale: values as stored go up to {_largest_stored(header, values):.5g}",
            )
        ]
    if not header.scaling.is_identity:
        stated = "as the file states them" if _states_scale(header) else "by the guessed scale"
        return [
            Finding(
                code="scale",
                severity="warning",
                message=f"scaled {stated}, 2 % of the values are above {high:.4g}; reflectance is 0 to 1",
                remedy=f"check the scale: values as stored go up to {_largest_stored(header, values):.5g}",
            )
        ]
    if high > SCALED:
        return [
            Finding(
                code="scale",
                severity="warning",
                message=f"values up to {high:.5g} are used as stored and look like reflectance times 10000",
                remedy="state 'reflectance scale factor = 10000', unless the model was trained on such values too",
                changes={"reflectance scale factor": "10000"},
            )
        ]
    return [
        Finding(
            code="scale",
            severity="note",
            message=f"values up to {high:.4g} are not reflectance from 0 to 1 but perhaps radiance or per cent",
            remedy="a model serves only scenes in the unit it was trained on; for per cent state "
            "'reflectance scale factor = 100'",
        )
    ]


def may_lack_sign(header: CubeHeader) -> bool:
    """Whether the numbers could be ones with a sign, of which the header does not know."""
    return header.dtype == np.dtype(np.uint16) and not header.is_classification


def check_sign(header: CubeHeader, sample: Sample) -> list[Finding]:
    """16-bit numbers that were written with a sign and are read without: -1 is 65535 then, and -9999 is 55537."""
    if not may_lack_sign(header):
        return []
    stored = sample.spectra
    upper, middle = (stored >= 1 << 15).mean(), ((stored >= 20_000) & (stored < 45_000)).mean()
    filled = (stored == 65_536 - 9_999).mean()
    if upper == 0 or (filled < 0.001 and not (upper > 0.001 and middle == 0 and (stored < 20_000).mean() > 0.5)):
        return []
    largest = int(stored[stored < 1 << 15].max(initial=0))
    return [
        Finding(
            code="data-type",
            severity="error",
            message=(
                f"{upper:.1%} of the unsigned 16-bit values lie between 32768 and 65535, as negative numbers do that "
                f"are read without their sign (55537 is -9999: {filled:.1%}); the others go up to {largest}"
            ),
            remedy="set data type = 2",
            changes={"data type": "2"},
        )
    ]


def check_rows(cube: Cube) -> list[Finding]:
    """Rows without data between rows with data, by one band and up to 512 rows.

    Raises
    ------
    SceneError
        The pixels cannot be read.
    """
    header = cube.header
    lines, samples = header.grid.shape
    good = np.flatnonzero(header.bands.good)
    if lines < 3 or header.compressed or header.block_shape[0] > 1 or not len(good):
        return []
    band = int(good[len(good) // 4])
    width = min(samples, _SCANNED_COLUMNS)
    left = (samples - width) // 2
    together = header.bands.count if header.interleave == "bip" else 1
    most = max(16, min(SCANNED_ROWS, _SCANNED_BYTES // (width * together * header.dtype.itemsize)))
    rows = np.unique(np.linspace(0, lines - 1, min(lines, most)).round().astype(int))
    columns, bands = slice(left, left + width), slice(band, band + 1)
    stored = np.stack([cube.read(slice(row, row + 1), columns, bands)[0, 0] for row in rows.tolist()])
    values = to_reflectance(stored[None], header.scaling.take([band]), header.nodata)[0]
    lost = ~np.isfinite(values).any(axis=1) | (np.where(np.isfinite(values), values, 0) == 0).all(axis=1)
    with_data = np.flatnonzero(~lost)
    if not len(with_data):
        return []
    inner = lost.copy()
    inner[: with_data[0]] = inner[with_data[-1] :] = False
    if not inner.any():
        return []
    shown = ", ".join(str(row + 1) for row in rows[inner][:5].tolist()) + (", …" if inner.sum() > 5 else "")
    return [
        Finding(
            code="lost-rows",
            severity="note",
            message=(
                f"{inner.sum()} of {len(rows)} rows looked at (band {band + 1}, {width} columns in the middle) hold no "
                f"data between rows that do: {shown}"
            ),
            remedy="nothing to do if the instrument lost them: they stay unclassified if they are declared as no data",
        )
    ]


def _undeclared(header: CubeHeader, values: NDArray[Any]) -> float | int | None:
    """The number that most of these pixels hold, if it is one that nothing on Earth gives in every band."""
    known = values[np.isfinite(values)]
    if header.nodata is not None:
        known = known[known != header.nodata]
    numbers, counts = np.unique(known, return_counts=True)
    largest = np.iinfo(header.dtype).max if header.dtype.kind in "iu" and header.dtype.itemsize > 1 else 1e20
    likely = (counts >= FEWEST_FILLED) & ((numbers <= 0) | (numbers >= largest))
    if not likely.any():
        return None
    number: float | int = numbers[likely][np.argmax(counts[likely])].item()
    return number


def _undeclared_fill(header: CubeHeader, message: str, value: float | int) -> Finding:
    text = _exact(np.asarray(value).astype(header.dtype)[()])
    is_envi = header.format == "ENVI"
    return Finding(
        code="undeclared-nodata",
        severity="warning",
        message=f"{message}, apparently a fill value",
        remedy=f"state 'data ignore value = {text}'" if is_envi else f"declare it (gdal_edit.py -a_nodata {text})",
        changes={"data ignore value": text},
    )


def _exact(value: Any) -> str:
    """The shortest text that is read back as this stored number."""
    if not isinstance(value, np.floating):
        return str(value)
    shown = np.format_float_positional if 1e-4 <= abs(value) < 1e16 or value == 0 else np.format_float_scientific
    return shown(value, trim="0")


def _scaled_fill(
    header: CubeHeader, sample: Sample, spectra: NDArray[Any], constant: NDArray[np.bool_]
) -> list[Finding]:
    """Pixels that all hold the same spectrum, negative throughout: a fill value that was scaled band by band."""
    if header.scaling.fill is not None:
        return []
    negative = ~constant & (spectra < 0).all(axis=0) & np.isfinite(spectra).all(axis=0)
    if negative.sum() < FEWEST_FILLED:
        return []
    kinds, counts = np.unique(spectra[:, negative], axis=1, return_counts=True)
    filled = kinds[:, counts.argmax()]
    if counts.max() < max(FEWEST_FILLED, 0.5 * negative.sum()):
        return []
    pixels = (spectra == filled[:, None]).all(axis=0)
    return [
        Finding(
            code="scaled-fill",
            severity="warning",
            message=(
                f"{_share(pixels, sample)} hold the same spectrum, from {filled.min():.6g} to {filled.max():.6g} and "
                "below 0 in every band: apparently a fill value multiplied by a factor for each band"
            ),
            remedy=f"ENVI has no field for such a value: state it for hsigeo as '{FILL_KEY}', one number a band; "
            "for other programs, set these pixels to one number in the data",
            changes={FILL_KEY: format_list([_exact(value) for value in filled])},
        )
    ]


def _share(pixels: NDArray[np.bool_], sample: Sample) -> str:
    on_edge = sample.on_edge & pixels
    edge = f", {on_edge.sum()} of them at the edge of the scene," if on_edge.any() else ""
    return f"{pixels.sum()} of {pixels.size} sampled pixels{edge}"


def _states_scale(header: CubeHeader) -> bool:
    return not any("divided by" in repair for repair in header.repairs)


def _largest_stored(header: CubeHeader, values: NDArray[np.float32]) -> float:
    gain = float(header.scaling.gain[0])
    high = float(np.nanpercentile(values, 98))
    return high / gain if gain and math.isfinite(gain) else high
