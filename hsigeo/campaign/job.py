"""What a line's map is made from: its files, and an identity that decides whether earlier work can be reused."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

import hsigeo
from hsigeo.errors import OutputError
from hsigeo.io.cube import CubeHeader, FileStamp
from hsigeo.line_names import line_name
from hsigeo.model import Model, load_model
from hsigeo.partial import partial_folder
from hsigeo.software import SOFTWARE

__all__ = ["LineJob", "cached_model", "campaign_jobs", "describe_header", "differences", "make_identity", "make_key"]

_WORDS = {
    "software": "version of hsigeo or torch",
    "scene": "scene (its pixels differ)",
    "header": "scene (its header differs)",
    "model": "model",
    "device": "kind of device",
    "kernel": "kernel",
    "layers": "choice of layers",
    "options": "options",
}


@dataclass(frozen=True, kw_only=True)
class LineJob:
    """One line to classify, and where everything goes.

    Parameters
    ----------
    name
        Id of the line.
    scene, model
        Paths as the user named them; the map says so.
    map
        The class map.
    confidence, probabilities, distance
        Further layers; `None` for those not wanted.
    quicklook, log
        Companions of a campaign's map.
    reader
        How to read the scene; `None` to find out.
    options
        What else the map depends on. JSON values only: ``geometry``, ``max_distance``, ``fill_missing``, ``unknown``.
    """

    name: str
    scene: str
    model: str
    map: Path
    confidence: Path | None = None
    probabilities: Path | None = None
    distance: Path | None = None
    quicklook: Path | None = None
    log: Path | None = None
    reader: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers to compute, as the classification has them."""
        wanted = {"class_id": self.map, "confidence": self.confidence, "probability": self.probabilities}
        # The distance decides what is unknown, and how much of that there is is counted, written or not.
        asked = self.options.get("unknown") is not None
        return tuple(name for name, path in wanted.items() if path is not None) + (("distance",) if asked else ())

    @property
    def rasters(self) -> tuple[Path, ...]:
        """The GeoTIFFs it makes, the map first."""
        return tuple(
            path for path in (self.map, self.confidence, self.probabilities, self.distance) if path is not None
        )

    @property
    def partial(self) -> Path:
        """The folder of the unfinished map."""
        return partial_folder(self.map)


def campaign_jobs(
    scenes: Sequence[tuple[str, str]],
    folder: Path,
    *,
    layers: Sequence[str] = (),
    reader: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[LineJob]:
    """The jobs of a campaign: (scene, model) pairs, and a folder for all that is made of them.

    Raises
    ------
    OutputError
        Two scenes would give one name.
    """
    jobs: dict[str, LineJob] = {}
    for scene, model in scenes:
        name = line_name(scene)
        # Without regard to case, as there are file systems without.
        if other := jobs.get(name.casefold()):
            raise OutputError(
                f"{other.scene} and {scene} would both become {folder / name}_map.tif; "
                "name one of them, or give each a folder of its own"
            )
        jobs[name.casefold()] = LineJob(
            name=name,
            scene=scene,
            model=model,
            map=folder / f"{name}_map.tif",
            confidence=folder / f"{name}_confidence.tif" if "confidence" in layers else None,
            probabilities=folder / f"{name}_probabilities.tif" if "probabilities" in layers else None,
            distance=folder / f"{name}_distance.tif" if "distance" in layers else None,
            quicklook=folder / f"{name}_quicklook.png",
            log=folder / f"{name}_map.log",
            reader=reader,
            options=options or {},
        )
    return list(jobs.values())


def cached_model(path: str) -> Model:
    """The model of a file, loaded once for all lines, and again when the file has changed."""
    try:
        stamp = FileStamp.of(Path(path))
    except FileNotFoundError:
        return load_model(path)  # which says what is wrong
    with _loading:  # threads that come at once would each load it
        return _load(path, stamp)


_loading = threading.Lock()


@lru_cache(maxsize=4)
def _load(path: str, _stamp: FileStamp) -> Model:
    return load_model(path)


def make_identity(
    job: LineJob, header: CubeHeader, model: Model, *, pixels: str, device: str, kernel: str
) -> dict[str, Any]:
    """All that the pixels of a map depend on, as JSON values.

    Parameters
    ----------
    pixels
        Fingerprint of the scene's data file.
    device
        Its kind: a GPU's last bits are not a CPU's.
    kernel
        As `hsigeo.kernels.choice.describe_kernel` has it, where the tiles are computed.
    """
    return {
        "software": f"{SOFTWARE}, torch {torch.__version__}",
        "scene": pixels,
        "header": describe_header(header),
        "model": model.digest,
        "device": device,
        "kernel": kernel,
        "layers": list(job.layers),
        "options": json.loads(json.dumps(dict(job.options))),
    }


def make_key(identity: Mapping[str, Any]) -> str:
    """What a finished map is recognised by: that of its scene, model and options.

    Neither the version of torch, the kernel nor further layers are in it: they decide whether half a map may be gone on
    with, but do not make a whole one another.
    """
    kept = {name: identity[name] for name in ("scene", "header", "model", "device", "options")}
    return _digest([hsigeo.__version__, kept])[:32]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The respects in which two identities differ, as text."""
    odd = [words for name, words in _WORDS.items() if old.get(name) != new.get(name)]
    return "another " + " and another ".join(odd) if odd else "another layout"


def describe_header(header: CubeHeader) -> str:
    """Digest of everything that turns a file's numbers into a scene: header fields, tags, assumptions."""
    bands, grid, scaling = header.bands, header.grid, header.scaling

    def numbers(array: Any) -> Any:
        return None if array is None else array.tolist()

    return _digest(
        {
            "shape": header.shape,
            "storage": [header.interleave, str(header.dtype), header.byte_order, header.header_offset],
            "bands": [numbers(bands.wavelength), numbers(bands.fwhm), numbers(bands.good)],
            "grid": [list(grid.transform), grid.crs, [vars(point) for point in grid.ground_control_points]],
            "values": [numbers(scaling.gain), numbers(scaling.offset), header.nodata],
            "geolocation": None if header.geolocation is None else header.geolocation.title,
        }
    )


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
