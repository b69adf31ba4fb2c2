"""The spectral axis of a scene or model: band centres, widths, and which bands are good."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["BandTable"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class BandTable:
    """What is known about each band.

    Parameters
    ----------
    count
        Number of bands.
    wavelength
        (band,) float64, centre in nm; `None` where the file does not say.
    fwhm
        (band,) float64, full width at half maximum in nm; `None` where the file does not say.
    good
        (band,) bool; `False` for bands the producer marks as bad (water vapour, dead detectors).

    Raises
    ------
    ValueError
        An array whose length is not `count`.
    """

    count: int
    wavelength: FloatArray | None = None
    fwhm: FloatArray | None = None
    good: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, dtype=bool))

    def __post_init__(self) -> None:
        if self.good.size == 0:
            object.__setattr__(self, "good", np.ones(self.count, dtype=bool))
        for name, values in (("wavelength", self.wavelength), ("fwhm", self.fwhm), ("good", self.good)):
            if values is not None and values.shape != (self.count,):
                raise ValueError(f"{name} has shape {values.shape}; {self.count} bands need ({self.count},)")

    @property
    def axis(self) -> FloatArray:
        """(band,) where bands stand on an axis: nm, or their numbers from 1 where no wavelengths are known."""
        return np.arange(1, self.count + 1, dtype=float) if self.wavelength is None else self.wavelength

    @property
    def axis_name(self) -> str:
        """What that axis is called."""
        return "band" if self.wavelength is None else "wavelength (nm)"

    def take(self, index: NDArray[np.intp]) -> BandTable:
        """The bands at these positions (counted from 0), in that order."""
        return BandTable(
            count=len(index),
            wavelength=None if self.wavelength is None else self.wavelength[index],
            fwhm=None if self.fwhm is None else self.fwhm[index],
            good=self.good[index],
        )
