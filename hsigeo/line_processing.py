"""How the lines of a campaign were processed, and which of them differ: those are not to be compared or mixed unawares.

A model sees reflectance. Where half of the lines are corrected for the direction of view and half are not, or one is
scaled by another factor, the maps differ for reasons that have nothing to do with the ground.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hsigeo.messages import name_some

__all__ = ["LineProcessing", "correction_of", "find_processing_differences"]

DIRECTIONAL, BRDF_CORRECTED = "directional (not BRDF-corrected)", "BRDF-corrected"

# NEON's products 30006.001 and .002, by folder or file; and the endings that HyTools and FlexBRDF give.
_CORRECTED = re.compile(r"(?<![A-Za-z])bidirectional|30006\.002|(?<![A-Za-z])(?:flex)?brdf", re.IGNORECASE)
_DIRECTIONAL = re.compile(r"(?<![A-Za-z])directional|30006\.001", re.IGNORECASE)

_WAVELENGTH_TOLERANCE_NM = 0.5
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class LineProcessing:
    """What is known about how a line was processed; `None` where it is not.

    Parameters
    ----------
    name
        Of the line.
    bands
        How many.
    wavelengths : (band,)
        Centre wavelengths, nm.
    scale
        From stored numbers to reflectance: 0.0001 for "times 10000".
    correction
        For the direction of view, as `correction_of` reads it from the file's path.
    model
        SHA-256 of the model that made, or will make, the map.
    software
        That made the map.
    """

    name: str
    bands: int | None = None
    wavelengths: tuple[float, ...] | None = None
    scale: float | None = None
    correction: str | None = None
    model: str | None = None
    software: str | None = None


def correction_of(path: str) -> str | None:
    """What a path says about the correction for the direction of view; `None` where it says nothing.

    >>> correction_of("NEON_D17_SJER_DP1_20210331_bidirectional_reflectance.h5")
    'BRDF-corrected'
    >>> correction_of("DP1.30006.001/2019/L1/NIS01_20190407_160559_reflectance.h5")
    'directional (not BRDF-corrected)'
    """
    if _CORRECTED.search(path):
        return BRDF_CORRECTED
    return DIRECTIONAL if _DIRECTIONAL.search(path) else None


def find_processing_differences(lines: Sequence[LineProcessing]) -> tuple[str, ...]:
    """Name the lines that were processed in another way than most.

    Call it before a campaign starts, and print what it gives: it is meant as a caution, not as an error.

    Returns
    -------
    tuple
        One sentence for each property in which lines differ; empty where all are alike.
    """
    sentences = []
    for what, value_of in _PROPERTIES:
        values = {line.name: value_of(line) for line in lines}
        sentence = _compare(what, {name: value for name, value in values.items() if value is not None})
        if sentence is not None:
            sentences.append(sentence)
    # A name that says nothing differs from one that says "corrected": that is how corrected copies are named.
    corrected = [line.name for line in lines if line.correction == BRDF_CORRECTED]
    silent = [line.name for line in lines if line.correction is None]
    if corrected and silent:
        sentences.append(
            f"lines may differ in their correction for the direction of view: {name_some(corrected)} say that they are "
            f"BRDF-corrected, {name_some(silent)} do not"
        )
    shifted = _shifted(lines)
    return (*sentences, *shifted)


_PROPERTIES: tuple[tuple[str, Callable[[LineProcessing], Any]], ...] = (
    ("correction for the direction of view", lambda line: line.correction),
    ("number of bands", lambda line: line.bands),
    ("scale of reflectance", lambda line: line.scale),
    ("model", lambda line: line.model and line.model[:12]),
    ("software that made the map", lambda line: line.software),
)


def _compare(what: str, values: dict[str, Any]) -> str | None:
    counts = Counter(values.values())
    if len(counts) < 2:
        return None
    usual, _ = counts.most_common(1)[0]
    others = [
        f"{value} in {name_some([name for name, own in values.items() if own == value])}"
        for value in counts
        if value != usual
    ]
    shown = "; ".join(others[:_MOST_NAMED])
    return f"lines differ in their {what}: {usual} in {counts[usual]} of {len(values)}, but {shown}"


def _shifted(lines: Sequence[LineProcessing]) -> list[str]:
    """Lines with as many bands as most, but at other wavelengths."""
    known = [line for line in lines if line.wavelengths]
    counts = Counter(len(line.wavelengths or ()) for line in known)
    sentences = []
    for count, _ in counts.most_common():
        alike = [line for line in known if len(line.wavelengths or ()) == count]
        usual = Counter(line.wavelengths for line in alike).most_common(1)[0][0] or ()
        far = [
            (max(abs(a - b) for a, b in zip(line.wavelengths or (), usual, strict=True)), line.name) for line in alike
        ]
        odd = [(shift, name) for shift, name in far if shift > _WAVELENGTH_TOLERANCE_NM]
        if odd:
            sentences.append(
                f"lines differ in their wavelengths, by up to {max(odd)[0]:.1f} nm: "
                f"{name_some([name for _, name in odd])}"
            )
    return sentences
