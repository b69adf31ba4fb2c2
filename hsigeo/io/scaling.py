"""From stored numbers to reflectance: gain, offset and "no data", and the guesses where a file does not say."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scaling", "guess_scaling", "parse_nodata", "scale_into", "to_reflectance"]

_TEN_THOUSAND = re.compile(
    r"[*x×]\s*10[ ,]?000(?!\d)|(?:between\s*)?0\s*(?:and|to|-|–|\.\.)\s*10[ ,]?000(?!\d)|scaled by 10[ ,]?000(?!\d)",  # noqa: RUF001
    re.IGNORECASE,
)

# Every value of these is exact in float32, so that one multiplication is rounded once.
_EXACT_IN_FLOAT32 = ("u1", "i1", "u2", "i2", "f4", "f2")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling:
    """reflectance = stored · gain + offset, for each band.

    Parameters
    ----------
    gain, offset
        (band,) float64
    fill
        (band,) as stored: a number for each band that means "no data", besides the one that all bands share.
        `None` where there is none, which is nearly always.
    """

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    fill: NDArray[Any] | None = None

    @classmethod
    def constant(cls, count: int, gain: float = 1.0) -> Scaling:
        """The same gain for all bands, and no offset."""
        return cls(gain=np.full(count, gain), offset=np.zeros(count))

    def take(self, bands: slice | list[int] | NDArray[np.integer[Any]]) -> Scaling:
        """The scaling of some of the bands."""
        fill = None if self.fill is None else self.fill[bands]
        return Scaling(gain=self.gain[bands], offset=self.offset[bands], fill=fill)

    @property
    def is_identity(self) -> bool:
        """Whether stored numbers already are the values."""
        return bool((self.gain == 1).all() and (self.offset == 0).all())


def guess_scaling(
    count: int, dtype: np.dtype[Any], *, texts: tuple[str, ...], has_wavelengths: bool
) -> tuple[Scaling, str]:
    """What to do where a file states no scale.

    Parameters
    ----------
    texts
        Free text of the file (description, plot titles), which may say ``reflectance [* 10000]``.
    has_wavelengths
        Whether the file says it is a spectral image; labels and masks do not.

    Returns
    -------
    Scaling
    str
        The guess as a sentence; empty where nothing was guessed (gain 1).
    """
    if any(_TEN_THOUSAND.search(text) for text in texts):
        return Scaling.constant(count, 1e-4), "the description says reflectance x 10000; values were divided by 10000"
    if has_wavelengths and dtype.kind in "iu" and dtype.itemsize == 2:
        return (
            Scaling.constant(count, 1e-4),
            "no scale is stated; 16-bit integers with wavelengths were taken as reflectance x 10000 and divided by "
            "10000 (a stated 'reflectance scale factor', 1 included, overrides this)",
        )
    return Scaling.constant(count), ""


def parse_nodata(value: float | None, dtype: np.dtype[Any]) -> tuple[float | int | None, str]:
    """The stored value that means "no data", in the stored type.

    Returns
    -------
    float, int or None
        As `dtype` holds it (1e30 rounded to float32, say); `None` where no pixel can have it.
    str
        A sentence where the stated value cannot be one; else empty.
    """
    if value is None:
        return None, ""
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        # -3.40282346639e+38 is what printing float32's lowest value gives; read back it lies just outside.
        if math.isfinite(value) and largest < abs(value) <= largest * 1.000001:
            return math.copysign(largest, value), ""
        if not math.isfinite(value) or abs(value) <= largest:
            return float(dtype.type(value)), ""
    elif math.isfinite(value) and value == int(value) and np.iinfo(dtype).min <= int(value) <= np.iinfo(dtype).max:
        return int(value), ""
    return None, f"the data ignore value {value:g} cannot occur in {dtype.name} data and was ignored"


def to_reflectance(stored: NDArray[Any], scaling: Scaling, nodata: float | int | None) -> NDArray[np.float32]:
    """Stored numbers to float32 values, NaN where there is no data.

    Parameters
    ----------
    stored : (band, y, x), any real type
    nodata
        Compared before scaling, in the stored type.

    Returns
    -------
    (band, y, x) float32
        In the memory order of `stored`: to reorder a block while scaling it takes four times as long.
    """
    values = np.empty_like(stored, dtype=np.float32)
    scale_into(np.moveaxis(values, 0, -1), np.moveaxis(stored, 0, -1), scaling, nodata)
    return values


def scale_into(values: NDArray[np.float32], stored: NDArray[Any], scaling: Scaling, nodata: float | int | None) -> None:
    """As `to_reflectance`, into an array that is there.

    Parameters
    ----------
    values, stored : (…, band)
        Fastest where both lie alike in memory. Each number is rounded once, however they lie.
    """
    if stored.dtype.str[1:] in _EXACT_IN_FLOAT32:
        values[...] = stored
        if not scaling.is_identity:
            values *= _plain(scaling.gain)
            if scaling.offset.any():
                values += _plain(scaling.offset)
    elif scaling.is_identity:
        values[...] = stored
    else:
        # Band by band: 64 bits for the whole block would double the memory it needs.
        for band, (gain, offset) in enumerate(zip(scaling.gain, scaling.offset, strict=True)):
            values[..., band] = stored[..., band] * gain + offset
    if nodata is not None and not math.isnan(nodata):
        _blank(values, stored == stored.dtype.type(nodata))
    if scaling.fill is not None:
        _blank(values, stored == scaling.fill)
    if stored.dtype.kind == "f":
        _blank(values, ~np.isfinite(values))


def _plain(numbers: NDArray[np.float64]) -> NDArray[np.float32] | np.float32:
    """One float32 where all bands have the same number: it multiplies whole blocks rather than one pixel's bands."""
    single = numbers.astype(np.float32)
    return single[0] if len(single) and (single == single[0]).all() else single


def _blank(values: NDArray[np.float32], where: NDArray[np.bool_]) -> None:
    if where.any():  # seldom; and to ask costs much less than to index with a mask that is all false
        values[where] = np.nan
