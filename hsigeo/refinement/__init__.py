"""A finished map, made into what is needed: cleaned, its classes merged or renamed, as polygons, counted; no torch."""

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
