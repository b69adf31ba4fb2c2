"""Reflectance spectra of what the sample landscape is made of, built from absorption features.

The strategy: a surface is an optically thick scatterer whose reflectance follows from the ratio of absorption K to
scattering S alone (Kubelka and Munk, 1931)::

    R = 1 + K/S - sqrt((K/S)^2 + 2 K/S)

So a spectrum is written down as what absorbs: pigments, liquid water, cellulose, iron oxides, clay, carbonate, each at
the wavelengths where the literature of imaging spectroscopy puts it (Clark, 1999, "Spectroscopy of rocks and
minerals"; Curran, 1989, "Remote sensing of foliar chemistry"). Amounts are chosen to look right, not measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENDMEMBERS", "make_endmembers", "make_wavelengths", "pigment_absorption", "water_absorption"]

Spectrum = NDArray[np.float64]

GRID = np.arange(380.0, 2501.0)
"""Wavelengths in nm on which spectra are built before a sensor sees them."""

# Absorption coefficient of liquid water, 1/cm, rounded from the measurements of Palmer and Williams (1974) and of
# Kou, Labrie and Chylek (1993); interpolated in the logarithm.
# fmt: off
_WATER_NM = (380, 500, 600, 650, 700, 740, 800, 850, 900, 930, 970, 1000, 1050, 1100, 1150, 1190, 1250, 1300, 1350,
             1400, 1450, 1500, 1550, 1600, 1700, 1750, 1800, 1850, 1880, 1900, 1930, 1950, 2000, 2050, 2100, 2200,
             2300, 2400, 2500)
_WATER_PER_CM = (0.0001, 0.0002, 0.0022, 0.0035, 0.0062, 0.025, 0.021, 0.043, 0.068, 0.14, 0.46, 0.39, 0.15, 0.18,
                 0.95, 1.27, 0.95, 1.2, 3.0, 12.3, 31, 19, 11, 7.2, 5.5, 7, 8.5, 11, 30, 75, 125, 118, 68, 43, 27,
                 17, 22, 45, 95)
# fmt: on


def water_absorption(wavelength: Spectrum) -> Spectrum:
    """Absorption coefficient of liquid water in 1/cm, with its bands at 970, 1200, 1450 and 1940 nm."""
    return np.asarray(np.exp(np.interp(wavelength, _WATER_NM, np.log(_WATER_PER_CM))))


def pigment_absorption(wavelength: Spectrum) -> Spectrum:
    """Chlorophyll and carotenoids: strong at 430-480 and 660-680 nm, a green gap at 550, gone past the red edge."""
    peaks = (
        _band(wavelength, 432, 26)
        + 0.8 * _band(wavelength, 475, 24)
        + 0.25 * _band(wavelength, 620, 30)
        + 0.75 * _band(wavelength, 672, 17)
    )
    return np.asarray((peaks + 0.16) / (1 + np.exp((wavelength - 702) / 9)))


def _band(wavelength: Spectrum, centre: float | Spectrum, sigma: float | Spectrum) -> Spectrum:
    return np.asarray(np.exp(-0.5 * ((wavelength - centre) / sigma) ** 2))


def _kubelka_munk(absorption: Spectrum) -> Spectrum:
    return 1 + absorption - np.sqrt(absorption**2 + 2 * absorption)


def _dry_matter(wavelength: Spectrum) -> Spectrum:
    """Cellulose and lignin: 1490, 1730, 2100 and 2300 nm."""
    return (
        0.35 * _band(wavelength, 1490, 60)
        + 0.45 * _band(wavelength, 1730, 35)
        + 1.0 * _band(wavelength, 2100, 50)
        + 0.9 * _band(wavelength, 2310, 45)
        + 0.6 * _band(wavelength, 2480, 60)
    )


def _iron_oxide(wavelength: Spectrum) -> Spectrum:
    """Hematite and goethite: the charge-transfer edge below 560 nm, crystal-field bands at 660 and 870 nm."""
    edge = 9.0 / (1 + np.exp((wavelength - 545) / 22)) + 2.2 * np.exp(-np.maximum(wavelength - 380, 0) / 120)
    return edge + 0.25 * _band(wavelength, 660, 35) + 0.55 * _band(wavelength, 870, 65)


def _clay(wavelength: Spectrum) -> Spectrum:
    """Kaolinite: the Al-OH doublet at 2165 and 2206 nm, OH at 1400 and the small bands past 2300 nm."""
    return (
        0.50 * _band(wavelength, 2165, 13)
        + 1.0 * _band(wavelength, 2206, 16)
        + 0.7 * _band(wavelength, 1405, 16)
        + 0.25 * _band(wavelength, 2320, 14)
        + 0.35 * _band(wavelength, 2385, 16)
    )


def _carbonate(wavelength: Spectrum) -> Spectrum:
    """Calcite: 2340 nm, and the wing of the band near 2500 nm."""
    return _band(wavelength, 2338, 28) + 0.25 * _band(wavelength, 1990, 35) + 1.2 * _band(wavelength, 2530, 50)


def _leaf(*, pigment: float, water: float, dry: float = 0.1, ground: float = 0.22) -> Spectrum:
    """A leaf canopy. `water` is an effective path in cm; `ground` the grey absorption that sets the NIR plateau."""
    fall = 0.10 * (GRID - 760) / 1000 * (GRID > 760)
    return _kubelka_munk(
        ground + fall + pigment * pigment_absorption(GRID) + water * water_absorption(GRID) + dry * _dry_matter(GRID)
    )


def _straw(*, brown: float, water: float, dry: float) -> Spectrum:
    """Dead plant matter: no chlorophyll, brown pigments that fade from blue to red, deep cellulose bands."""
    pigments = brown * np.exp(-(GRID - 400) / 170)
    return _kubelka_munk(0.12 + pigments + water * water_absorption(GRID) + dry * _dry_matter(GRID))


def _mineral(
    *, grey: float, iron: float = 0.0, clay: float = 0.0, carbonate: float = 0.0, water: float = 0.0, humus: float = 0.0
) -> Spectrum:
    """Soil, rock, fired clay, stone: a grey level and what absorbs in it. Humus darkens most towards the blue."""
    return _kubelka_munk(
        grey
        + iron * _iron_oxide(GRID)
        + clay * _clay(GRID)
        + carbonate * _carbonate(GRID)
        + water * water_absorption(GRID)
        + humus * np.exp(-(GRID - 400) / 450)
    )


def _bitumen(*, grey: float, carbonate: float) -> Spectrum:
    """Asphalt: dark, brightening slowly with age and wavelength; hydrocarbons at 1730 and 2310, stone at 2340 nm."""
    oil = 0.5 * _band(GRID, 1730, 25) + 1.0 * _band(GRID, 2310, 25)
    ageing = 1.3 * np.exp(-(GRID - 400) / 350)
    return _kubelka_munk(grey * (1 + 0.25 * ageing + 0.05 * oil) + carbonate * _carbonate(GRID) + 0.15 * ageing)


def _water_body(*, sediment: float, algae: float, glint: float) -> Spectrum:
    """Reflectance of deep water, ``0.33 bb / (a + bb)`` (Gordon et al., 1975), plus sun glint; sediment in g/m3."""
    absorption = 100 * water_absorption(GRID) + 0.9 * np.exp(-(GRID - 400) / 75) + algae * pigment_absorption(GRID)
    backscatter = 0.0015 + 0.022 * sediment * (550 / GRID) ** 0.7
    return 0.33 * backscatter / (absorption + backscatter) + glint


def _build() -> dict[str, Spectrum]:
    return {
        "leaf_tree": _leaf(pigment=26, water=0.070, dry=0.20, ground=0.30),
        "leaf_tree_pale": _leaf(pigment=15, water=0.055, dry=0.15, ground=0.22),
        "leaf_crop": _leaf(pigment=19, water=0.075, ground=0.17),
        "leaf_grass": _leaf(pigment=9, water=0.045, dry=0.35, ground=0.24),
        "straw": _straw(brown=2.6, water=0.004, dry=0.16),
        "litter": _straw(brown=7.0, water=0.016, dry=0.35),
        "loam_dry": _mineral(grey=0.20, iron=0.22, clay=0.06, water=0.0022, humus=1.6),
        "loam_wet": _mineral(grey=0.55, iron=0.30, clay=0.08, water=0.018, humus=3.2),
        "loam_sandy": _mineral(grey=0.11, iron=0.16, clay=0.03, carbonate=0.02, water=0.0016, humus=0.8),
        "kaolin": _mineral(grey=0.035, iron=0.010, clay=0.17, water=0.0014, humus=0.03),
        "kaolin_stained": _mineral(grey=0.085, iron=0.085, clay=0.14, water=0.0020, humus=0.05),
        "gravel": _mineral(grey=0.13, iron=0.03, carbonate=0.14, water=0.0010, humus=0.25),
        "asphalt_fresh": _bitumen(grey=6.0, carbonate=0.10),
        "asphalt_worn": _bitumen(grey=2.1, carbonate=0.20),
        "tile": _mineral(grey=0.17, iron=0.55, humus=0.25),
        "tile_weathered": _mineral(grey=0.55, iron=0.62, water=0.0020, humus=1.2),
        "water_clear": _water_body(sediment=0.35, algae=0.25, glint=0.006),
        "water_turbid": _water_body(sediment=4.0, algae=0.9, glint=0.010),
        "water_milky": _water_body(sediment=32.0, algae=0.2, glint=0.010),
    }


ENDMEMBERS: tuple[str, ...] = tuple(_build())
"""Names, in the order of the rows of `make_endmembers`."""


def make_wavelengths() -> tuple[Spectrum, Spectrum]:
    """Band centres and full widths at half maximum in nm of an invented instrument with two spectrometers."""
    visible = np.linspace(412.0, 988.0, 49)
    infrared = np.linspace(1004.0, 2450.0, 63)
    centre = np.concatenate([visible, infrared]).round(1)
    width = np.concatenate([np.full(visible.size, 12.5), np.full(infrared.size, 24.0)])
    return centre, width


def make_endmembers(centre: Spectrum, fwhm: Spectrum) -> Spectrum:
    """Spectra as a sensor with Gaussian bands sees them.

    Returns
    -------
    (endmember, band) float64
        Reflectance 0-1.
    """
    sigma = fwhm / (2 * np.sqrt(2 * np.log(2)))
    response = _band(GRID[None, :], centre[:, None], sigma[:, None])
    response /= response.sum(axis=1, keepdims=True)
    return np.stack(list(_build().values())) @ response.T
