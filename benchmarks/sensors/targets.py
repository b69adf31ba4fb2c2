"""The other sensors: their bands as real files and published tables give them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hsigeo.bands import BandTable
from hsigeo.io.scene_reader import open_scene
from hsigeo.scene import spectral_axis

__all__ = ["OTHER_SENSORS", "read_enmap", "read_targets", "with_dead_bands"]

# Sentinel-2A, without the cirrus band that surface reflectance leaves out: ESA, Sentinel-2 Spectral Response
# Functions, document COPE-GSEG-EOPG-TN-15-0007. Centre and width in nm.
_SENTINEL_2 = (
    (442.7, 21.0),
    (492.4, 66.0),
    (559.8, 36.0),
    (664.6, 31.0),
    (704.1, 15.0),
    (740.5, 15.0),
    (782.8, 20.0),
    (832.8, 106.0),
    (864.7, 21.0),
    (945.1, 20.0),
    (1613.7, 91.0),
    (2202.4, 175.0),
)

OTHER_SENSORS = {
    "Berlin EnMAP": "berlin/enmap80x60/EnMAP_BerlinUrbanGradient.bsq",
    "Hyperion": "gamsberg_hyperion/cubus_gamsberg_subset",
    "AVIRIS-NG": "avirisng_isofit/ang20170323t202244_rdn_7000-7010",
}
"""Name → file whose header has the bands."""


def read_enmap(data: Path) -> BandTable:
    """The good bands of the Potsdam tiles."""
    axis = spectral_axis(open_scene(sorted((data / "enmap_potsdam" / "images").glob("*.tif"))[0]))
    return axis.take(np.flatnonzero(axis.good))


def read_targets(data: Path, enmap: BandTable) -> dict[str, BandTable]:
    """The other sensors' bands, without those on which EnMAP says nothing (water vapour, beyond its range)."""
    tables = {name: spectral_axis(open_scene(data / file)) for name, file in OTHER_SENSORS.items()}
    centres, widths = np.array(_SENTINEL_2).T
    tables["Sentinel-2"] = BandTable(count=len(centres), wavelength=centres, fwhm=widths)
    targets = {name: _seen_by(enmap, bands) for name, bands in tables.items()}
    visible = np.asarray(enmap.wavelength) < 900
    return targets | {"EnMAP below 900 nm": enmap.take(np.flatnonzero(visible))}


def with_dead_bands(bands: BandTable, *, seed: int, share: float = 0.1, run: int = 1) -> BandTable:
    """The same bands, of which `share` are bad, in runs of `run` neighbours drawn at random."""
    good = np.ones(bands.count, dtype=bool)
    generator = np.random.default_rng(seed)
    while (~good).sum() < round(share * bands.count):
        start = int(generator.integers(bands.count - run + 1))
        good[start : start + run] = False
    return replace(bands, good=good)


def _seen_by(enmap: BandTable, bands: BandTable) -> BandTable:
    have, wanted = np.sort(np.asarray(enmap.wavelength)), np.asarray(bands.wavelength)
    seen = bands.good & (wanted >= have[0] - 3) & (wanted <= have[-1] + 3)
    for gap in np.flatnonzero(np.diff(have) > 30):
        seen &= ~((wanted > have[gap] + 5) & (wanted < have[gap + 1] - 5))
    return bands.take(np.flatnonzero(seen))
