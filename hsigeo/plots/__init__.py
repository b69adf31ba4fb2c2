"""Figures as files: the shared style, and one module for each kind of figure.

Figures show values (a confusion matrix, a reliability table, spectra); they read no rasters and run no network.
matplotlib is imported when the first figure is drawn, not before.
"""

from hsigeo.plots.figure import check_figure, class_color, drawing, shorten, undrawable

__all__ = ["check_figure", "class_color", "drawing", "shorten", "undrawable"]
