"""A model as an ONNX file, for programs that have onnxruntime and no torch.

The graph takes reflectance of the model's own bands and gives class probabilities and class ids. ONNX has no linear
solver and no branch worth its price for single pixels, so the consensus is written out: every pixel is settled, by
Gauss-Jordan elimination, and `where` keeps that only for pixels that contradict themselves, as `BandConsensus` does.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hsigeo.atomic import replaced_on_success
from hsigeo.errors import ModelError, OutputError
from hsigeo.model.consensus import FALL, ROUNDS, ConsensusNetwork
from hsigeo.model.model import Model
from hsigeo.model.spectrum import CHANNELS

__all__ = ["OPSET", "OnnxNetwork", "solve_positive", "write_onnx"]

OPSET = 18


class OnnxNetwork(nn.Module):
    """The default network in operations that ONNX has.

    Parameters
    ----------
    model
        With a `ConsensusNetwork`.
    """

    ids: Tensor
    agreed: Tensor
    votes: Tensor
    strength: Tensor
    prior: Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        if not isinstance(model.network, ConsensusNetwork):
            raise ModelError(
                f"{model.path or 'this model'} is of the variant {model.card.variant}; only the default network "
                "(consensus) is exported to ONNX"
            )
        self.network = model.network
        self.temperature = model.card.temperature
        self.register_buffer("ids", torch.tensor(model.card.classes.ids, dtype=torch.int64))
        consensus = model.network.consensus
        basis = consensus.basis[..., : consensus.shapes]
        votes = basis / consensus.noise[..., None]
        strength = basis.transpose(1, 2) @ votes  # (T, S, S)
        prior = torch.diag(1 / consensus.spread)  # (S, S)
        inverse = torch.linalg.inv((prior + strength.sum(dim=0)).double()).float()
        self.register_buffer("votes", votes.flatten(0, 1))  # (T·I, S)
        self.register_buffer("strength", strength.flatten(1))  # (T, S·S)
        self.register_buffer("prior", prior)
        # With all the say all votes count alike: one matrix, (T·I, S).
        self.register_buffer("agreed", votes.flatten(0, 1) @ inverse)

    def forward(self, reflectance: Tensor) -> tuple[Tensor, Tensor]:
        """From reflectance (P, B) to probabilities (P, K) and class ids (P,)."""
        network = self.network
        tokens = self._healed(self._tokens(reflectance))
        logits = network.decide(tokens, network.consensus.embed(tokens))
        probabilities = torch.softmax(logits / self.temperature, dim=1)
        return probabilities, self.ids[probabilities.argmax(dim=1)]

    def _tokens(self, reflectance: Tensor) -> Tensor:
        """`make_tokens` for windows that do not overlap, as a change of shape."""
        network = self.network
        channels = network.channels(reflectance)  # (P, B, C)
        count, inputs = network.consensus.mean.shape
        missing = count * network.window - network.bands
        padded = torch.cat([channels, *[channels[:, -1:]] * missing], dim=1)
        return padded.view(-1, count, network.window, CHANNELS).transpose(2, 3).reshape(-1, count, inputs)

    def _healed(self, tokens: Tensor) -> Tensor:
        consensus = self.network.consensus
        first = consensus.contradiction(tokens, (tokens - consensus.mean).flatten(1) @ self.agreed)  # (P, T)
        odd = (first > 1).any(dim=1)
        say = first.clamp(min=1.0) ** -2
        for _ in range(ROUNDS):
            said = consensus.contradiction(tokens, self._agree(tokens, say))
            say = torch.exp(-FALL * (said - 1.0).relu())
        expected = (self._agree(tokens, say) @ consensus.basis[..., : consensus.shapes].flatten(0, 1).T).view(
            -1, *consensus.mean.shape
        ) + consensus.mean
        healed = expected + say[..., None] * (tokens - expected)
        return torch.where(odd[:, None, None], healed, tokens)

    def _agree(self, tokens: Tensor, say: Tensor) -> Tensor:
        """`BandConsensus.agree` without a solver."""
        consensus = self.network.consensus
        said = (say[..., None] * (tokens - consensus.mean)).flatten(1) @ self.votes  # (P, S)
        precision = self.prior + (say @ self.strength).view(-1, consensus.shapes, consensus.shapes)
        return solve_positive(precision, said)


def solve_positive(matrices: Tensor, right: Tensor) -> Tensor:
    """X in A x = b, for symmetric positive definite A (P, S, S) and b (P, S): Gauss-Jordan, which needs no pivoting."""
    size = right.shape[1]
    rows = torch.cat([matrices, right[..., None]], dim=2)  # (P, S, S + 1)
    for step in range(size):
        # Columns left of the pivot are done and are not carried along.
        pivot = rows[:, step : step + 1, 1:] / rows[:, step : step + 1, :1]  # (P, 1, rest)
        rest = rows[:, :, 1:] - rows[:, :, :1] * pivot
        rows = torch.cat([rest[:, :step], pivot, rest[:, step + 1 :]], dim=1)
    return rows[..., 0]


def write_onnx(model: Model, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a model as ONNX.

    The file's input is ``reflectance`` (pixel, band) float32, 0-1, without NaN, in the model's bands; its outputs are
    ``probabilities`` (pixel, class) and ``class_id`` (pixel,). Its metadata hold, as JSON, ``hsigeo_classes`` (id, name
    and colour), ``hsigeo_wavelengths`` (nm) and ``hsigeo_model_sha256``. Not in it: mixing a scene's bands into the
    model's, and leaving unknown pixels out.

    Parameters
    ----------
    model
        As `hsigeo.load_model` gives it; of the default variant.
    path
        Ends in ``.onnx``.

    Raises
    ------
    OutputExistsError, OutputError
        The file exists and `overwrite` is false, has another ending, or cannot be written.
    ModelError
        The variant cannot be exported, or the package onnx is missing.
    """
    if Path(path).suffix.casefold() != ".onnx":
        raise OutputError(f"{path}: give a name that ends in .onnx")
    network = OnnxNetwork(model).eval()
    with replaced_on_success(path, overwrite=overwrite) as file:
        proto = _export(network, model)
        for key, value in _metadata(model).items():
            entry = proto.metadata_props.add()
            entry.key, entry.value = key, value
        file.write_bytes(proto.SerializeToString())


def _export(network: OnnxNetwork, model: Model) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ModelError("writing ONNX needs the package onnx: pip install 'hsigeo[onnx]'") from error
    buffer = io.BytesIO()
    pixels = {0: "pixel"}
    with torch.inference_mode(), warnings.catch_warnings():
        # The exporter through TorchScript is called old, but the new one was still at it after two minutes; this one
        # takes six seconds. It also warns of shapes that it cannot follow and that are right.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.full((2, network.network.bands), 0.3),),
            buffer,  # type: ignore[arg-type]  # the old exporter takes files too
            dynamo=False,
            input_names=["reflectance"],
            output_names=["probabilities", "class_id"],
            dynamic_axes={"reflectance": pixels, "probabilities": pixels, "class_id": pixels},
            opset_version=OPSET,
        )
    proto = onnx.load_model_from_string(buffer.getvalue())
    proto.producer_name, proto.doc_string = "hsigeo", f"hsigeo model {model.digest}"
    return proto


def _metadata(model: Model) -> dict[str, str]:
    wavelength = model.card.bands.wavelength
    return {
        "hsigeo_classes": json.dumps(model.card.classes.to_json(), ensure_ascii=False),
        "hsigeo_wavelengths": json.dumps(None if wavelength is None else wavelength.tolist()),
        "hsigeo_model_sha256": model.digest,
    }
