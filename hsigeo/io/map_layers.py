"""A classification as rasters to write (map, confidence, probabilities, distance), and the checks on them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from hsigeo.atomic import check_output
from hsigeo.classes import UNCLASSIFIED, ClassTable
from hsigeo.errors import OutputError
from hsigeo.io.gdal_errors import GDAL_ERRORS
from hsigeo.io.georeference import open_quietly
from hsigeo.io.map_tag import TAG, make_tag
from hsigeo.io.sidecars import aux_path, make_aux_xml, make_qml, make_ramp_qml, qml_path

__all__ = [
    "Layer",
    "Limit",
    "check_targets",
    "class_layer",
    "classes_of",
    "confidence_layer",
    "limit_of",
    "plan_layers",
]

Name = str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One raster to write.

    Parameters
    ----------
    path
        Where to.
    array
        (y, x) or (band, y, x), NumPy or dask; `None` for a raster that is written block by block.
    dtype, nodata
        How it is stored.
    descriptions
        One per band.
    tag
        What the raster says about itself (`hsigeo.io.map_tag`).
    overviews
        How overviews are resampled; `None` writes none, and a plain tiled TIFF.
    ramp
        Lowest and highest value of the colours that a GIS shows it in; `None` for classes, which have their own.
    """

    path: Path
    array: Any
    dtype: str
    nodata: float
    descriptions: tuple[str, ...]
    tag: str
    overviews: str | None
    ramp: tuple[float, float] | None = None

    def sidecars(self, classes: ClassTable) -> dict[Path, bytes]:
        """What goes beside it, and its content."""
        if self.ramp is not None:
            return {qml_path(self.path): make_ramp_qml(*self.ramp)}
        return {aux_path(self.path): make_aux_xml(classes), qml_path(self.path): make_qml(classes)}

    @property
    def count(self) -> int:
        """Number of bands."""
        return len(self.descriptions)

    @property
    def holds_classes(self) -> bool:
        """Whether its values are class ids; else they are numbers."""
        return self.overviews == "mode"


def class_layer(
    path: Path, classes: ClassTable, tag: str, *, description: str = "class", array: Any | None = None
) -> Layer:
    """A raster of class ids; overviews take the most frequent one, since averages would invent classes."""
    return Layer(
        path=path,
        array=array,
        dtype=classes.dtype,
        nodata=UNCLASSIFIED,
        descriptions=(description,),
        tag=tag,
        overviews="mode",
    )


def confidence_layer(path: Path, tag: str, *, array: Any | None = None) -> Layer:
    """A raster of the probability of each pixel's class."""
    return Layer(
        path=path,
        array=array,
        dtype="float32",
        nodata=math.nan,
        descriptions=("probability of the mapped class",),
        tag=tag,
        overviews="average",
        ramp=(0, 1),
    )


def plan_layers(
    result: xr.Dataset,
    path: Name,
    *,
    probabilities: Name | None,
    confidence: Name | None,
    distance: Name | None = None,
) -> list[Layer]:
    """The rasters asked for, the map first.

    Raises
    ------
    OutputError
        `result` is not what `hsigeo.classification` returns.
    """
    classes = classes_of(result)
    tag = make_tag(classes, result["class_id"].attrs.get("metadata", {}))
    layers = [class_layer(Path(path), classes, tag, array=result["class_id"].data)]
    if confidence is not None:
        layers.append(confidence_layer(Path(confidence), tag, array=_variable(result, "confidence", ("y", "x"))))
    if distance is not None:
        array = _variable(result, "distance", ("y", "x"))
        limit = result["distance"].attrs.get("threshold")
        layers.append(
            Layer(
                path=Path(distance),
                array=array,
                dtype="float32",
                nodata=math.nan,
                descriptions=(f"distance from the training data; beyond {limit} unknown",),
                tag=tag,
                overviews="average",
                # The limit lies in the middle: what is darker was classified, what is lighter was not.
                ramp=(0, 1 if limit is None else 2 * float(limit)),
            )
        )
    if probabilities is not None:
        layers.append(
            Layer(
                path=Path(probabilities),
                array=_variable(result, "probability", ("class", "y", "x")),
                dtype="float32",
                nodata=math.nan,
                descriptions=classes.names,
                tag=tag,
                overviews=None,
                ramp=(0, 1),
            )
        )
        if layers[-1].array.shape[0] != len(classes):
            raise OutputError(f"probability has {layers[-1].array.shape[0]} classes, the class table {len(classes)}")
    return layers


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Beyond which distance from everything learnt pixels were left unclassified.

    Parameters
    ----------
    distance
        (y, x), NaN where there is no valid spectrum.
    threshold
        Pixels beyond it are unknown.
    """

    distance: Any
    threshold: float


def limit_of(result: xr.Dataset) -> Limit | None:
    """The limit a classification kept; `None` for one that classifies every valid pixel."""
    if "distance" not in result or "threshold" not in result["distance"].attrs:
        return None
    return Limit(
        distance=_variable(result, "distance", ("y", "x")), threshold=float(result["distance"].attrs["threshold"])
    )


def classes_of(result: xr.Dataset) -> ClassTable:
    """The class table in the attributes of ``class_id``.

    Raises
    ------
    OutputError
        There is none.
    """
    array = result.get("class_id") if hasattr(result, "data_vars") else None
    if array is None or array.dims != ("y", "x") or 0 in array.shape:
        raise OutputError("not a classification: it has no variable class_id (y, x); write what classify() returns")
    try:
        return ClassTable.from_json(array.attrs.get("classes"))
    except ValueError as error:
        raise OutputError(f"not a classification: class_id.attrs['classes'] is not a class table: {error}") from error


def _variable(result: xr.Dataset, name: str, dims: tuple[str, ...]) -> Any:
    if name not in result or result[name].dims != dims:
        raise OutputError(f"the result has no variable {name} {dims}, so it cannot be written")
    return result[name].data


def check_targets(layers: Sequence[Layer], result: xr.Dataset, *, overwrite: bool) -> None:
    """Refuse now what would be refused after hours of work.

    Raises
    ------
    OutputExistsError, OutputError
        An output exists, has the same name as another or as the scene, or is in no writable folder.
    """
    classes = classes_of(result)
    taken = dict.fromkeys(_files_of_scene(result), "a file of the scene")
    for layer in layers:
        if layer.path.suffix.casefold() not in (".tif", ".tiff"):
            raise OutputError(f"{layer.path}: maps are written as GeoTIFF; give a name that ends in .tif")
        for target in (layer.path, *layer.sidecars(classes)):
            final = str(check_output(target, overwrite=overwrite))
            if final in taken:
                raise OutputError(f"{target} is also {taken[final]}; choose another name")
            taken[final] = f"the output {target}"


def _files_of_scene(result: xr.Dataset) -> list[str]:
    """The scene's path, and the TIFF that an ENVI header of its name may describe."""
    metadata = result["class_id"].attrs.get("metadata")
    scene = metadata.get("scene") if isinstance(metadata, dict) else None
    if not isinstance(scene, str) or not scene:
        return []
    path = Path(scene)
    files = [path]
    if path.suffix.casefold() == ".hdr":
        # `scene.hdr` -> `scene.tif` is also the natural name for a map, so the one there may be last week's.
        beside = (path.with_suffix(suffix) for suffix in (".tif", ".tiff", ".TIF"))
        files += [file for file in beside if file.is_file() and not _is_own_map(file)]
    return [os.path.realpath(file) for file in files]


def _is_own_map(path: Path) -> bool:
    try:
        with open_quietly(path, driver="GTiff") as dataset:
            return TAG in dataset.tags()
    except GDAL_ERRORS:
        return False
