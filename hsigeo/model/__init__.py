"""The model: spectral attention over bands, a prototype memory, class logits. torch lives here; rasters do not.

Read `spectrum` and `consensus` for the default network, `plain` (with `attention` and `memory`) and `gated` for the two
it is compared with; then `model` for predictions, `variants` for how a network is named and rebuilt, `card`, `record`,
`novelty` and `file` for what a model file holds. How it works, without code: docs/model.md.
"""

from hsigeo.model.card import ModelCard
from hsigeo.model.file import encode_model, load_model, with_digest, write_model
from hsigeo.model.model import (
    Model,
    answer,
    batch_size,
    is_large,
    measure_distance,
    predict_probabilities,
    resolve_device,
)
from hsigeo.model.variants import DEFAULT_VARIANT, VARIANTS, build_network

__all__ = [
    "DEFAULT_VARIANT",
    "VARIANTS",
    "Model",
    "ModelCard",
    "answer",
    "batch_size",
    "build_network",
    "encode_model",
    "is_large",
    "load_model",
    "measure_distance",
    "predict_probabilities",
    "resolve_device",
    "with_digest",
    "write_model",
]
