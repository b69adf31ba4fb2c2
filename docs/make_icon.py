"""Draw the icon of the QGIS plugin, a spectrum above the classes it stands for: ``python docs/make_icon.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hsigeo.classes import make_palette

ICON = Path(__file__).resolve().parents[1] / "hsigeo" / "qgis_plugin" / "icon.png"
PIXELS = 64


def main() -> None:
    """Write icon.png."""
    figure = Figure(figsize=(1, 1), dpi=PIXELS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 8), ylim=(0, 8))
    axes.set_axis_off()
    for number, color in enumerate(make_palette(4)):
        place = (2 * number + 0.15, 0.3)
        axes.add_patch(Rectangle(place, 1.7, 1.7, color=[part / 255 for part in color]))
    x = np.linspace(0.3, 7.7, 100)
    # The red edge, and the two water bands of a green leaf.
    leaf = 2.9 + 3.4 / (1 + np.exp(-6 * (x - 2.2))) - 0.25 * (x - 2.2).clip(0)
    dips = 1.5 * np.exp(-(((x - 4.6) / 0.4) ** 2)) + 1.7 * np.exp(-(((x - 6.4) / 0.4) ** 2))
    axes.plot(x, leaf - dips, color="#303030", linewidth=3, solid_capstyle="round")
    figure.savefig(ICON, dpi=PIXELS, transparent=True, metadata={"Software": None})


if __name__ == "__main__":
    main()
