"""Which bands a picture shows: a named composite, wavelengths, or band numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hsigeo.bands import BandTable
from hsigeo.errors import SceneError
from hsigeo.io.cube import CubeHeader
from hsigeo.io.numerals import parse_number

__all__ = ["AUTO", "COMPOSITES", "Composite", "parse_composite", "pick_bands", "pick_bands_of"]

TOLERANCE_NM = (40.0, 100.0)
"""A band further away than this does not show the colour that was asked for: below 700 nm, and above, where spectra
are smoother and cameras have fewer bands."""

COMPOSITES = {
    "true-colour": (640.0, 550.0, 460.0),
    "cir": (860.0, 650.0, 555.0),
    "swir": (2200.0, 1650.0, 860.0),
}
"""Centres in nm shown as red, green and blue. ``cir`` is colour-infrared film: plants are red. In ``swir`` plants are
blue, dry ground is yellow, and clay lacks red, for it absorbs at 2200 nm."""

_SPELLINGS = {
    "true-color": "true-colour",
    "truecolor": "true-colour",
    "truecolour": "true-colour",
    "rgb": "true-colour",
    "colour-infrared": "cir",
    "color-infrared": "cir",
}


@dataclass(frozen=True, kw_only=True)
class Composite:
    """What to show as red, green and blue, or as gray.

    Parameters
    ----------
    name
        As the user gave it; ``auto`` for whatever the scene has best.
    nm
        Wavelengths, one or three; empty where bands are given by number, or not at all.
    bands
        Bands, counted from 1, one or three.
    """

    name: str = "auto"
    nm: tuple[float, ...] = ()
    bands: tuple[int, ...] = ()


AUTO = Composite()
"""Whatever the scene has best."""


def parse_composite(text: str) -> Composite:
    """From ``true-colour``, ``cir``, ``swir``; one or three wavelengths in nm; or bands as ``b30,b18,b7``.

    >>> parse_composite("cir").nm, parse_composite("2200,1650,860").nm, parse_composite("b4").bands
    ((860.0, 650.0, 555.0), (2200.0, 1650.0, 860.0), (4,))

    Raises
    ------
    ValueError
        It is none of these.
    """
    cleaned = text.strip().lower()
    name = _SPELLINGS.get(cleaned, cleaned)
    if name == "auto":
        return AUTO
    if name in COMPOSITES:
        return Composite(name=name, nm=COMPOSITES[name])
    parts = [part.strip() for part in cleaned.split(",")]
    if len(parts) in (1, 3):
        if all(part[:1] == "b" and part[1:].isdecimal() for part in parts):
            return Composite(name=cleaned, bands=tuple(int(part[1:]) for part in parts))
        numbers = [parse_number(part.removesuffix("nm")) for part in parts]
        if all(number is not None and 0 < number < 1e6 for number in numbers):
            return Composite(name=cleaned, nm=tuple(number for number in numbers if number is not None))
    raise ValueError(
        f"{text!r:.60} is neither {', '.join(COMPOSITES)}, nor one or three wavelengths in nm (860,650,555), "
        "nor one or three bands (b30,b18,b7)"
    )


def pick_bands(header: CubeHeader, composite: Composite) -> tuple[int, ...]:
    """`pick_bands_of` of a file, with its default bands.

    Raises
    ------
    SceneError
        The scene does not have what was asked for.
    """
    return pick_bands_of(header.bands, composite, where=str(header.path), default_bands=header.default_bands)


def pick_bands_of(
    bands: BandTable, composite: Composite, *, where: str, default_bands: Sequence[int] = ()
) -> tuple[int, ...]:
    """The bands to show, counted from 0, one or three. Bad bands are left out, unless they are asked for by number.

    ``auto`` is true colour where the scene has it; else the file's default bands; else the first, middle and last
    good band; for one or two bands the first, as gray.

    Parameters
    ----------
    where
        What the scene is called in messages.
    default_bands
        Those of the file, counted from 1.

    Raises
    ------
    SceneError
        The scene does not have what was asked for.
    """
    if composite.bands:
        if max(composite.bands) > bands.count or min(composite.bands) < 1:
            raise SceneError(f"{where} has {bands.count} bands; {composite.name} needs others")
        return tuple(band - 1 for band in composite.bands)
    if composite.nm:
        return _nearest(bands, composite, where)
    try:
        return _nearest(bands, Composite(name="true-colour", nm=COMPOSITES["true-colour"]), where)
    except SceneError:
        pass  # then the next best
    if default_bands:
        return tuple(band - 1 for band in default_bands)
    good = np.flatnonzero(bands.good)
    if bands.count < 3:
        return (int(good[0]),)
    return int(good[0]), int(good[len(good) // 2]), int(good[-1])


def _nearest(bands: BandTable, composite: Composite, where: str) -> tuple[int, ...]:
    if bands.wavelength is None:
        raise SceneError(f"{where} has no wavelengths; name bands by number (b30,b18,b7)")
    good = np.flatnonzero(bands.good)
    wavelength = bands.wavelength[good]
    picked = []
    for nm in composite.nm:
        nearest = int(np.argmin(np.abs(wavelength - nm)))
        if abs(wavelength[nearest] - nm) > TOLERANCE_NM[nm > 700]:
            raise SceneError(
                f"{where} cannot be shown as {composite.name}: its good band nearest to {nm:g} nm lies at "
                f"{wavelength[nearest]:.4g} nm"
            )
        picked.append(int(good[nearest]))
    return tuple(picked)
