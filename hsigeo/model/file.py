"""Model files: one ``.safetensors`` with the weights, and the model card as JSON in its header.

Nothing is unpickled. A digest over weights and card is stored in the card, so that a file that was cut, edited or
mixed up is recognised. The same digest names the model in the maps it makes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from safetensors.torch import save as encode_safetensors
from torch import Tensor, nn

from hsigeo.atomic import check_output, replaced_on_success
from hsigeo.errors import ModelError, ModelNotFoundError, OutputError
from hsigeo.model.card import ModelCard
from hsigeo.model.model import Model
from hsigeo.model.novelty import PREFIX as NOVELTY
from hsigeo.model.novelty import decode_novelty, describe, encode_novelty
from hsigeo.model.record import PREFIX as RECORD
from hsigeo.model.record import decode_record, encode_record
from hsigeo.model.variants import build_network

__all__ = ["encode_model", "load_model", "with_digest", "write_model"]

_METADATA_KEY = "hsigeo"
MAX_FILE_BYTES = 2 << 30
"""The largest model hsigeo makes is some MB; a file this large is not one of ours."""


def encode_model(model: Model) -> bytes:
    """The model as the bytes of a model file; the same model always gives the same bytes."""
    tensors = _tensors(model)
    document = model.card.to_json()
    document["sha256"] = _digest(document, tensors)
    # One key only: safetensors does not promise an order of metadata keys, and the bytes must be reproducible.
    return encode_safetensors(tensors, metadata={_METADATA_KEY: _canonical(document)})


def with_digest(model: Model) -> Model:
    """The model, named by the digest its file will carry."""
    return replace(model, digest=_digest(model.card.to_json(), _tensors(model)))


def write_model(model: Model, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path
        Ends in ``.safetensors``.
    overwrite
        Replace a file that is there.

    Raises
    ------
    OutputExistsError
        The file is there and `overwrite` is false.
    OutputError
        It cannot be written, or its name has another ending.
    """
    check_model_output(path, overwrite=overwrite)
    with replaced_on_success(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(encode_model(model))


def check_model_output(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse early what `write_model` would refuse.

    The ending is more than a habit: `hsigeo classify` finds the model beside a scene by it, and no scene or label
    file has it, so overwriting one by a slip is impossible.

    Raises
    ------
    OutputExistsError, OutputError
        As `write_model`.
    """
    if Path(path).suffix != ".safetensors":
        raise OutputError(f"{path}: models are safetensors files; give a name that ends in .safetensors")
    check_output(path, overwrite=overwrite)


def load_model(path: str | os.PathLike[str]) -> Model:
    """Open a trained model.

    Parameters
    ----------
    path
        A ``.safetensors`` file made by `hsigeo train`.

    Raises
    ------
    ModelNotFoundError
        There is no such file.
    ModelError
        The file is cut, edited, of another program, or of a newer hsigeo.
    """
    path = Path(path)
    _check_size(path)
    try:
        document, card, tensors = _read(path)
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith((RECORD, NOVELTY))}
        network = build_network(card, {name: tuple(tensor.shape) for name, tensor in weights.items()})
        record = decode_record(_named(tensors, RECORD), bands=card.bands.count, classes=len(card.classes))
        novelty = decode_novelty(_named(tensors, NOVELTY), width=_description_width(network, card.bands.count))
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path} is not a complete hsigeo model file ({error}); copy or train it again") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    digest = document.get("sha256")
    try:
        actual = _digest(document, tensors)
    except ValueError as error:  # NaN, infinity and lone surrogates, which Python's JSON reader lets pass
        raise ModelError(f"{path}: the model card holds a value that is no JSON ({error})") from error
    if digest != actual:
        raise ModelError(f"{path}: the file was changed after it was written (its checksum differs); copy it again")
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    return Model(card=card, network=network, record=record, novelty=novelty, digest=str(digest), path=str(path))


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name: tensor.numpy() for name, tensor in tensors.items() if name.startswith(prefix)}


def _description_width(network: nn.Module, bands: int) -> int | None:
    """Length of the network's descriptions, found by asking for that of one spectrum."""
    with torch.inference_mode():
        description = describe(network.eval(), torch.zeros(1, bands))
    return None if description is None else description.shape[1]


def _read(path: Path) -> tuple[dict[str, Any], ModelCard, dict[str, Tensor]]:
    with safetensors.safe_open(str(path), framework="pt", device="cpu") as file:
        metadata = file.metadata() or {}
        if _METADATA_KEY not in metadata:
            raise ModelError("a safetensors file, but no hsigeo model; train one with `hsigeo train`")
        document = _parse(metadata[_METADATA_KEY])
        # The card is checked before the weights are read; what they take is bounded by the size of the file.
        card = ModelCard.from_json(document)
        return document, card, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _tensors(model: Model) -> dict[str, Tensor]:
    """The weights, and what is remembered of training."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    remembered = encode_record(model.record) | encode_novelty(model.novelty)
    return weights | {name: torch.from_numpy(values) for name, values in remembered.items()}


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path}: there is no such model file") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.is_dir():
        raise ModelError(f"{path} is a folder; give a .safetensors model file")
    if not os.access(path, os.R_OK):  # safetensors would say that there is no such file
        raise ModelError(f"{path} cannot be read: permission denied")
    if size > MAX_FILE_BYTES:
        raise ModelError(f"{path} has {size} bytes; hsigeo models have at most {MAX_FILE_BYTES}")


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the model card in the header is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelError("the model card in the header is not a JSON object")
    return document


def _digest(document: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the card (without the digest itself) and every weight, in order of name."""
    digest = hashlib.sha256()
    digest.update(_canonical({key: value for key, value in document.items() if key != "sha256"}).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        if tensor.numel():  # of none, torch cannot view the bytes
            digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _canonical(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
