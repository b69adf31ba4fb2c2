"""From a finished map: a refined one, polygons, class statistics and class spectra. No torch.

Read `request` (what is asked for) and `assembly` (in which order it is done) first; then a module for each step:
`changes`, `probabilities` with `smoothing` and `edges`, `thresholds`, `filters`, `sieving`. `polygons`, `statistics`
and `spectra` stand alone.
"""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {
    "Refinement": "hsigeo.refinement.request",
    "Smoothing": "hsigeo.refinement.request",
    "Thresholds": "hsigeo.refinement.thresholds",
    "measure_class_spectra": "hsigeo.refinement.spectra",
    "measure_classes": "hsigeo.refinement.statistics",
    "read_changes": "hsigeo.refinement.changes",
    "refine_map": "hsigeo.refinement.assembly",
    "write_polygons": "hsigeo.refinement.polygons",
}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
