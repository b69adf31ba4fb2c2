"""Where a scene and a model meet: lazily, strip by strip, on whatever dask scheduler is active.

The strategy: the network computes one thing, the class probabilities of a block of pixels; class ids and confidence
are derived from them. Each is a dask array over the scene's own chunks, so asking for all three reads and computes
every pixel once. A block whose pixels are all invalid never reaches the network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from hsigeo.band_matching import BandMatch, match_bands
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import ModelError
from hsigeo.io.scaling import Scaling
from hsigeo.io.scene_reader import cube_behind, stored_numbers
from hsigeo.io.spectra import PIECE_PIXELS, StoredBlock, span_of
from hsigeo.kernels.choice import Kernel, choose_kernel
from hsigeo.model import Model, answer, batch_size, is_large, resolve_device
from hsigeo.model.model import NO_DISTANCES
from hsigeo.scene import check_scene, grid_of, spatial_coords, spectral_axis
from hsigeo.software import SOFTWARE

__all__ = [
    "answers_of_spectra",
    "class_ids",
    "classify",
    "match_scene",
    "most_probable",
    "unknown_limit",
]

Block = NDArray[np.float32]
Ask = Callable[[Block], Block]


def classify(
    scene: xr.DataArray,
    model: Model,
    *,
    device: str = "auto",
    fill_missing: bool = False,
    unknown: float | None = None,
) -> xr.Dataset:
    """Classify every pixel of a scene; nothing is computed until asked for.

    Parameters
    ----------
    scene : (band, y, x) float32, reflectance 0-1, NaN where invalid
        As `open_scene` gives it. Its chunks along y and x are the tiles of the work.
    model
        As `load_model` gives it. The scene's bands are matched to the model's by wavelength.
    device
        ``auto``, ``cpu`` or ``cuda``.
    fill_missing
        Accept a scene that lacks much of what the model reads: it is filled with what is usual in training.
    unknown
        Leave pixels unclassified that are unlike anything learnt. The number is the share of pixels of known classes
        that may be lost by it, between 0 and 1, measured on ground held out in training.

    Returns
    -------
    xarray.Dataset
        ``class_id`` (y, x) uint8 or uint16, 0 where a used band is invalid; ``confidence`` (y, x) float32, the
        probability of the class on the map; ``probability`` (class, y, x) float32. The latter two are NaN where
        ``class_id`` is 0. The CRS and transform are the scene's. With `unknown` also ``distance`` (y, x) float32, how
        far each pixel lies from everything learnt, and among its attributes the ``threshold`` beyond which
        ``class_id`` is 0.

    Raises
    ------
    SceneError
        `scene` has other dims than ``(band, y, x)``.
    BandMismatchError
        The scene lacks wavelengths that the model reads.
    DeviceError
        The device is not there.
    ModelError
        `model` is none; or `unknown` is asked for, and the model does not know its distances, or not well enough for so
        small a rate.
    """
    check_scene(scene)
    if not isinstance(model, Model):
        raise ModelError(f"a model is what load_model gives; this is a {type(model).__name__}")
    limit = None if unknown is None else unknown_limit(model, unknown)
    match = match_scene(scene, model, fill_missing=fill_missing)
    target = resolve_device(device)
    large = is_large(model, scene.sizes["y"] * scene.sizes["x"])
    ask = partial(answers_of_spectra, model=model, match=match, device=target, limit=limit, large=large)
    count = len(model.card.classes)
    piece = PIECE_PIXELS if target.type == "cpu" else max(PIECE_PIXELS, batch_size(target))
    kernel = partial(choose_kernel, target.type, large=large)
    answers = _answers(scene, match.used, ask, rows=count if limit is None else count + 1, piece=piece, kernel=kernel)
    probability = answers if limit is None else answers[:count]
    distance = {} if limit is None else {"distance": (("y", "x"), answers[count], _distance_attrs(limit))}
    ids = class_ids(model.card.classes)
    class_id = da.map_blocks(most_probable, probability, ids=ids, drop_axis=0, dtype=ids.dtype)
    return xr.Dataset(
        {
            "class_id": (("y", "x"), class_id, _class_attrs(scene, model, match, unknown)),
            "confidence": (("y", "x"), probability.max(axis=0), {"long_name": "probability of the mapped class"}),
            "probability": (("class", "y", "x"), probability, {"long_name": "class probability"}),
            **distance,
        },
        coords={
            "class": list(model.card.classes.ids),
            "class_name": ("class", list(model.card.classes.names)),
            **spatial_coords(grid_of(scene)),
        },
    )


def match_scene(scene: xr.DataArray, model: Model, *, fill_missing: bool = False) -> BandMatch:
    """Which of the scene's bands the model will read, and how.

    Raises
    ------
    BandMismatchError
        The scene lacks wavelengths that the model reads.
    """
    card = model.card
    return match_bands(
        card.bands,
        spectral_axis(scene),
        trained_on_count=card.trained_on_count,
        trained_on_index=card.trained_on_index,
        prior=None if model.record is None else model.record.prior,
        accept_missing=fill_missing,
    )


def answers_of_spectra(
    spectra: Block,
    *,
    model: Model,
    match: BandMatch,
    device: torch.device,
    limit: float | None = None,
    batch: int | None = None,
    large: bool = False,
) -> Block:
    """Class probabilities of pixels, and how far they lie from what was learnt.

    Parameters
    ----------
    spectra : (pixel, used band) float32, reflectance
        The bands that `match` uses. Fastest where the bands of a pixel lie side by side in memory.
    limit
        Distance beyond which a pixel is unlike anything learnt; `None` if that is not asked.
    batch
        Pixels that go through the network at once; by default what suits the device.
    large
        Whether the scene is worth compiled loops, `hsigeo.model.is_large`.

    Returns
    -------
    (class, pixel) float32
        NaN where any used band is not finite. With a limit there is one row more, the distance, and the
        probabilities are NaN where that exceeds the limit.
    """
    prepare = _on_model_bands(match, device)
    measured = limit is not None
    answers = answer(model, spectra, device=device, batch=batch, prepare=prepare, measured=measured, large=large)
    if limit is not None:
        answers[:-1, answers[-1] > limit] = np.nan
    return answers


def _answers(
    scene: xr.DataArray,
    used: NDArray[np.integer[Any]],
    ask: Ask,
    *,
    rows: int,
    piece: int,
    kernel: Callable[[], Kernel],
) -> da.Array:
    """What `ask` answers of each pixel of a scene: (answer, y, x), as many answers as `rows` says.

    A scene as it was opened is asked in pieces of so many pixels, each scaled when its turn comes, so that it stays in
    the processor's cache. One that was changed is float32 already when its blocks come.
    """
    cube = cube_behind(scene)
    if cube is None or not len(used):
        values = da.asarray(scene.data)[used].astype(np.float32)
        answer_block = partial(_answers_of_block, ask=ask)
    else:
        bands = span_of(used)
        values = stored_numbers(scene, cube)[bands]
        scaling = cube.header.scaling.take(used)
        answer_block = partial(
            _answers_of_stored,
            ask=ask,
            piece=piece,
            used=used - bands.start,
            scaling=scaling,
            nodata=cube.header.nodata,
            kernel=kernel,
        )
    values = values.rechunk({0: -1})
    chunks = ((rows,), *values.chunks[1:])
    answers: da.Array = da.map_blocks(
        answer_block, values, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), dtype=np.float32)
    )
    return answers


def _answers_of_stored(
    block: NDArray[Any],
    *,
    ask: Ask,
    piece: int,
    used: NDArray[np.integer[Any]],
    scaling: Scaling,
    nodata: float | int | None,
    kernel: Callable[[], Kernel],
) -> Block:
    """As `_answers_of_block`, of a block of a file's own numbers."""
    compiled = kernel() == "cpu"
    stored = StoredBlock(values=block, used=used, scaling=scaling, nodata=nodata, compiled=compiled)
    answers = [ask(stored.spectra(pixels)) for pixels in stored.pieces(piece)]
    return np.concatenate(answers, axis=1).reshape(-1, *stored.shape)


def _answers_of_block(block: Block, *, ask: Ask) -> Block:
    """What `ask` answers, (answer, pixel) of (pixel, band), of a block (band, y, x): (answer, y, x)."""
    bands, lines, samples = block.shape
    # As it lies in memory, if it can be: to copy rows takes a fraction of what it takes to turn spectra round.
    by_band = block.strides[2] == block.itemsize
    spectra = block.reshape(bands, -1).T if by_band and block.size else np.moveaxis(block, 0, -1).reshape(-1, bands)
    return ask(spectra).reshape(-1, lines, samples)


def _on_model_bands(match: BandMatch, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """`BandMatch.apply`, where the network runs; `None` where there is nothing to do."""
    if match.weights is None:
        return None
    mixing = torch.from_numpy(match.weights).to(device).T
    offset = None if match.offset is None else torch.from_numpy(match.offset).to(device)
    return lambda spectra: spectra @ mixing if offset is None else spectra @ mixing + offset


def class_ids(classes: ClassTable) -> NDArray[Any]:
    """(1 + class,) of the map's type: 0 for unclassified, then the ids in the order of the probabilities."""
    return np.concatenate([[UNCLASSIFIED], classes.ids]).astype(classes.dtype)


def most_probable(probability: Block, *, ids: NDArray[Any]) -> NDArray[Any]:
    """Class ids (y, x) of (class, y, x) probabilities; 0 where they are NaN. `ids` as `class_ids` gives them."""
    valid = np.isfinite(probability[0])
    return np.asarray(np.where(valid, ids[1:][np.argmax(np.where(valid, probability, 0), axis=0)], ids[0]))


def unknown_limit(model: Model, rate: float) -> float:
    """The distance beyond which a pixel is unlike anything learnt.

    Raises
    ------
    ModelError
        The model does not know its distances, or not well enough for so small a rate.
    """
    if not 0 < rate < 1:
        raise ModelError(f"the rate of unknown pixels is {rate:g}; give a share between 0 and 1, such as 0.05")
    if model.novelty is None:
        raise ModelError(f"{model.path or 'this model'}: {NO_DISTANCES}")
    try:
        return model.novelty.threshold(rate)
    except ModelError as error:
        raise ModelError(f"{model.path or 'this model'}: {error}") from error


def _distance_attrs(limit: float) -> dict[str, Any]:
    return {"long_name": "distance from the training data; training pixels have about 1", "threshold": limit}


def _georeference_note(scene: xr.DataArray) -> str | None:
    """What whoever opens the map must hear if it has no place on the Earth."""
    grid = grid_of(scene)
    if grid.is_georeferenced or "geolocation" in scene.attrs:
        return None
    if grid.crs is not None:
        return "the scene has no georeference, so the map cannot be laid over other data"
    placed = grid.has_transform or grid.ground_control_points
    return f"the scene has no {'CRS' if placed else 'georeference'}, and neither has the map"


def _class_attrs(scene: xr.DataArray, model: Model, match: BandMatch, unknown: float | None) -> dict[str, Any]:
    """What the map must carry to be understood on its own: classes, and where it comes from."""
    left_out: dict[str, Any] = {}
    if unknown is not None and model.novelty is not None:
        left_out["unknown"] = {
            "rate": unknown,
            "threshold": model.novelty.threshold(unknown),
            "held_out_pixels": model.novelty.held_out_count,
        }
    notes = [match.note, _georeference_note(scene)]
    repairs = [*scene.attrs.get("repairs", []), *(note for note in notes if note)]
    return {
        "long_name": "class",
        "_FillValue": 0,  # what rioxarray fills with when it reprojects; without it, the class 255
        "classes": model.card.classes.to_json(),
        "metadata": {
            "software": SOFTWARE,
            "scene": scene.attrs.get("source", ""),
            "reader": scene.attrs.get("reader", ""),
            "model": model.path or "",
            "model_sha256": model.digest,
            "variant": model.card.variant,
            "repairs": repairs,
            "provenance": model.card.provenance,
            "validation": model.card.validation,
            **left_out,
        },
    }
