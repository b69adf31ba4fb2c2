"""Why a model decides as it does: per class from the model alone, per pixel with the scene.

Read `hsigeo.model.evidence` (how evidence is computed) and `deciding` (from evidence to wavelengths) first; then
`classes`, `pixels` and `layer`, and `entry` for the public function.
"""

from hsigeo.explanation.classes import ClassExplanation, ModelExplanation, explain_model
from hsigeo.explanation.deciding import Stretch, deciding_stretches
from hsigeo.explanation.entry import explain, pixel_at, read_area
from hsigeo.explanation.layer import deciding_wavelength, range_of_bands
from hsigeo.explanation.pixels import PixelExplanation, Prototype, TrainingPixel, explain_area, explain_spectra

__all__ = [
    "ClassExplanation",
    "ModelExplanation",
    "PixelExplanation",
    "Prototype",
    "Stretch",
    "TrainingPixel",
    "deciding_stretches",
    "deciding_wavelength",
    "explain",
    "explain_area",
    "explain_model",
    "explain_spectra",
    "pixel_at",
    "range_of_bands",
    "read_area",
]
