"""Wavelengths in any unit, to nm; and wavelengths found in band names."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsigeo.bands import BandTable

__all__ = ["make_band_table", "parse_unit", "to_nm", "wavelengths_in_names"]

FloatArray = NDArray[np.float64]

_NM_PER_UNIT = {"nm": 1.0, "um": 1e3, "mm": 1e6, "cm": 1e7, "m": 1e9, "angstrom": 0.1}
# Speed of light over the frequency: 299 792 458 m/s is 299 792 458 nm·GHz.
_NM_TIMES_UNIT = {"cm-1": 1e7, "ghz": 299_792_458.0, "mhz": 299_792_458_000.0}

_SPELLINGS = {
    "nm": r"nm|nanomet(?:er|re)s?|nanom",
    "um": r"um|µm|μm|micromet(?:er|re)s?|microns?|mu ?m|micrometr",
    "mm": r"mm|millimet(?:er|re)s?",
    "cm": r"cm|centimet(?:er|re)s?",
    "m": r"m|met(?:er|re)s?",
    "angstrom": r"a|å|Å|angstroms?|ångstr[öo]ms?",
    "cm-1": r"cm[\^ ]?-1|1/cm|wavenumbers?",
    "ghz": r"ghz|gigahertz",
    "mhz": r"mhz|megahertz",
    "index": r"index",
}
_UNIT = {unit: re.compile(pattern, re.IGNORECASE) for unit, pattern in _SPELLINGS.items()}
_NUMBER = r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?)"
_NAMED = "|".join(_SPELLINGS[unit] for unit in ("nm", "um"))
_NUMBER_WITH_UNIT = re.compile(rf"{_NUMBER}\s*({_NAMED})\b", re.IGNORECASE)
_DECIMAL_IN_PARENTHESES = re.compile(r"\((\d+\.\d+)\)\s*$")
_ONLY_A_DECIMAL = re.compile(r"\s*X?(\d+\.\d+)\s*")  # R puts an X before names that begin with a digit
_SHORTEST_BARE_NM = 300.0

_PLAUSIBLE_NM = (50.0, 1e6)
"""From X-ray fluorescence to the far infrared; what lies outside is not an optical wavelength."""

_REFLECTED_NM = 3000.0
"""Sunlight that the ground reflects ends about here: numbers above it without a unit may be wavenumbers."""


def parse_unit(text: str) -> str | None:
    """Which unit a text names: a key of the tables above, or `None` for ``Unknown``, nothing, or anything else.

    >>> parse_unit("Nanometer"), parse_unit("µm"), parse_unit("Wavenumber"), parse_unit("Unknown")
    ('nm', 'um', 'cm-1', None)
    """
    cleaned = text.strip().strip("[](){}'\" .")
    return next((unit for unit, pattern in _UNIT.items() if pattern.fullmatch(cleaned)), None)


def to_nm(values: FloatArray, unit: str) -> FloatArray:
    """Band centres to nm.

    Parameters
    ----------
    values : (band,) float64, in `unit`
    unit
        As `parse_unit` gives it; a wavenumber or frequency is turned into its vacuum wavelength.
    """
    with np.errstate(over="ignore"):  # what becomes infinite is no wavelength, and is left out as such
        return values * _NM_PER_UNIT[unit] if unit in _NM_PER_UNIT else _NM_TIMES_UNIT[unit] / values


def make_band_table(
    count: int,
    *,
    wavelength: Sequence[float] = (),
    unit: str = "",
    fwhm: Sequence[float] = (),
    good: Sequence[float] = (),
    names: Sequence[str] = (),
) -> tuple[BandTable, list[str]]:
    """Make the band table of a file from what its header or tags say.

    What does not fit is left out and said, never refused: a scene with a broken ``fwhm`` is still a scene.

    Parameters
    ----------
    count
        Number of bands.
    wavelength, fwhm
        In `unit`; empty where the file does not say.
    unit
        As the file spells it; may be empty or ``Unknown``.
    good
        The bad band list: 0 is bad, anything greater is good. Empty where the file has none.
    names
        Band names, looked at where `wavelength` is empty.

    Returns
    -------
    BandTable
    list of str
        What was guessed, converted or left out, as sentences.
    """
    notes: list[str] = []
    centres = _checked(wavelength, count, "wavelength", notes)
    known = parse_unit(unit)
    if centres is None and (found := wavelengths_in_names(names, count)) is not None:
        centres, known = found
        notes.append("the wavelengths were taken from the band names")
    widths = _checked(fwhm, count, "fwhm", notes)
    if centres is None or known == "index":
        if widths is not None:
            notes.append("fwhm was ignored because the wavelengths are not known")
        return BandTable(count=count, good=_good_bands(good, count, notes)), notes
    if known is None:
        known = "um" if centres.max() < 100 else "nm"
        said = f"{unit.strip()!r:.40}" if unit.strip() else "not stated"
        doubt = "; if they are wavenumbers, state cm-1" if known == "nm" and centres.max() > _REFLECTED_NM else ""
        notes.append(f"the wavelength unit is {said}; from their range the wavelengths were taken as {known}{doubt}")
    if known in _NM_TIMES_UNIT:
        notes.append(f"band positions in {known} were converted to vacuum wavelengths in nm")
    if (fitting := _plausible_unit(centres, known)) is None:
        span = to_nm(centres, known)
        notes.append(f"wavelengths of {span.min():.4g} to {span.max():.4g} nm are not optical and were ignored")
        return BandTable(count=count, good=_good_bands(good, count, notes)), notes
    if fitting != known:
        shown = f"{centres.min():.4g} to {centres.max():.4g}"
        notes.append(f"wavelengths of {shown} cannot be in {known}, as stated; they were taken as {fitting}")
    return (
        BandTable(
            count=count,
            wavelength=to_nm(centres, fitting),
            fwhm=None if widths is None else _widths_to_nm(widths, centres, fitting, notes),
            good=_good_bands(good, count, notes),
        ),
        notes,
    )


def wavelengths_in_names(names: Sequence[str], count: int) -> tuple[FloatArray, str | None] | None:
    """Wavelengths in band names such as ``376.44 Nanometers`` or ``Resize (Band 1:x) (426.820007)``.

    All names must have one. A bare number must stand in parentheses at the end and have decimals, so that
    ``NDVI (2019)`` is not taken for a wavelength; or it is the whole name, as R and Python write them, has decimals,
    and rises from 300 nm on.

    Returns
    -------
    tuple of (band,) float64 and unit
        The unit is `None` where the names do not say; the whole is `None` where they hold no wavelengths.
    """
    if len(names) != count or not names:
        return None
    with_unit = [_NUMBER_WITH_UNIT.search(name) for name in names]
    if all(with_unit):
        units = {parse_unit(match[2]) for match in with_unit if match}
        values = np.array([float(match[1]) for match in with_unit if match])
        return (values, units.pop()) if len(units) == 1 and values.min() > 0 else None
    bare = [_DECIMAL_IN_PARENTHESES.search(name) for name in names]
    if all(bare):
        values = np.array([float(match[1]) for match in bare if match])
        if values.min() > 0 and len(set(values)) == count:
            return values, None
    whole = [_ONLY_A_DECIMAL.fullmatch(name) for name in names]
    if all(whole):
        values = np.array([float(match[1]) for match in whole if match])
        if values.min() >= _SHORTEST_BARE_NM and (np.diff(values) > 0).all():
            return values, "nm"
    return None


def _checked(values: Sequence[float], count: int, name: str, notes: list[str]) -> FloatArray | None:
    """The values as an array if there is one positive finite number for each band."""
    if len(values) == 0:
        return None
    array = np.asarray(values, dtype=np.float64)
    if len(array) != count:
        notes.append(f"{name} has {len(array)} values for {count} bands and was ignored")
        return None
    if not (np.isfinite(array).all() and (array > 0).all()):
        bad = array[~(np.isfinite(array) & (array > 0))][0]
        notes.append(f"{name} holds {bad:g}, which is no such thing, and was ignored")
        return None
    return array


def _plausible_unit(centres: FloatArray, stated: str) -> str | None:
    """The stated unit if it makes the centres optical wavelengths, else nm or um if one of them does."""
    for unit in (stated, "nm", "um"):
        in_nm = to_nm(centres, unit)
        if in_nm.min() >= _PLAUSIBLE_NM[0] and in_nm.max() <= _PLAUSIBLE_NM[1]:
            return unit
    return None


def _good_bands(values: Sequence[float], count: int, notes: list[str]) -> NDArray[np.bool_]:
    good = np.ones(count, dtype=bool)
    if len(values) == 0:
        return good
    if len(values) != count:
        notes.append(f"bbl has {len(values)} values for {count} bands and was ignored: all bands count as good")
        return good
    marked = np.asarray(values, dtype=np.float64) > 0
    if not marked.any():
        notes.append("bbl marks every band as bad and was ignored: all bands count as good")
        return good
    return marked


def _widths_to_nm(widths: FloatArray, centres: FloatArray, unit: str, notes: list[str]) -> FloatArray:
    """Band widths to nm, in the unit of the centres unless that cannot be."""
    if unit in _NM_TIMES_UNIT:
        return _NM_TIMES_UNIT[unit] * widths / centres**2  # the derivative of c/frequency
    in_nm = widths * _NM_PER_UNIT[unit]
    typical = np.median(to_nm(centres, unit))
    # A band wider than half its wavelength does not exist; fwhm in nm beside wavelengths in µm does.
    if np.median(in_nm) > typical / 2 and np.median(widths) < typical / 2:
        notes.append(f"fwhm in {unit} would be wider than the wavelengths; it was taken as nm")
        return widths
    return in_nm
