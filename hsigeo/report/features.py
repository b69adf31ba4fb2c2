"""Where in the spectrum well-known materials absorb, to put deciding wavelengths into words.

Ranges after Clark 1999, "Spectroscopy of Rocks and Minerals" (Manual of Remote Sensing 3, chapter 1), and Curran 1989,
"Remote sensing of foliar chemistry" (Remote Sens. Environ. 30, 271-278).
"""

from __future__ import annotations

from hsigeo.explanation import Stretch

__all__ = ["FEATURES", "features_in"]

FEATURES: tuple[tuple[str, float, float], ...] = (
    ("chlorophyll and carotenoids", 430.0, 500.0),
    ("chlorophyll", 640.0, 690.0),
    ("the red edge of green plants", 690.0, 740.0),
    ("iron oxides", 850.0, 930.0),
    ("water in leaves", 940.0, 1000.0),
    ("water in leaves", 1150.0, 1230.0),
    ("water and hydroxyl", 1380.0, 1470.0),
    ("water", 1880.0, 1980.0),
    ("cellulose and lignin", 2050.0, 2140.0),
    ("clay minerals (Al–OH)", 2160.0, 2220.0),  # noqa: RUF001 - the sign of a bond
    ("carbonates and Mg–OH", 2300.0, 2360.0),  # noqa: RUF001
)
"""What absorbs there (or changes steeply), from and to in nm."""


def features_in(stretches: tuple[Stretch, ...]) -> list[str]:
    """What is known to absorb in some stretches of wavelengths in nm, in their order, each once.

    A feature lies in a stretch if the middle of one lies in the other.
    """
    found: dict[str, None] = {}
    for stretch in stretches:
        for name, first, last in FEATURES:
            middle, other = (first + last) / 2, (stretch.first + stretch.last) / 2
            if stretch.first <= middle <= stretch.last or first <= other <= last:
                found.setdefault(name)
    return list(found)
