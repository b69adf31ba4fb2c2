"""Labels drawn as points, lines and polygons: GeoPackage, GeoJSON, Shapefile, FlatGeobuf and others."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from hsigeo.classes import ClassTable
from hsigeo.errors import LabelError
from hsigeo.grid import Grid
from hsigeo.io.gdal_errors import reason
from hsigeo.io.labels.colors import color_column, with_colors
from hsigeo.io.labels.columns import choose_column, classes_from_values
from hsigeo.io.labels.misplaced import explain_miss
from hsigeo.io.labels.place import parse_crs, to_pixel_coordinates
from hsigeo.io.labels.rasterise import burn, explode, resolve_claims
from hsigeo.io.labels.vector_text import AS_BYTES, decode_column, decode_title, settle_encoding
from hsigeo.io.text_encoding import NAME_IT
from hsigeo.labels import LabelledPixels, LabelReport

__all__ = ["VectorLabels", "open_outlines", "open_vector_labels"]

_KINDS = {
    "OFTString": "text",
    "OFTInteger": "integer",
    "OFTInteger64": "integer",
    "OFTReal": "real",
    "OFTDate": "dates",
    "OFTTime": "times",
    "OFTDateTime": "dates",
    "OFTBinary": "binary data",
}
# Formats whose files name other files or addresses to read: a label file has no business doing that.
_INDIRECT = (b"<OGRVRTDataSource", b"<VRTDataset", b"<OGRWFSDataSource", b"<GDAL_WMS")


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorLabels:
    """A vector label file, read: a `hsigeo.labels.LabelSource`.

    Parameters
    ----------
    path
        The file, as given.
    layer, field
        The layer and the column that were used.
    crs
        As WKT or ``EPSG:…``; `None` where neither the file nor the user states one.
    classes
        Every class the column names.
    geometries : (feature,) geometries or `None`
        In the CRS of the file; finite.
    class_id : (feature,) int32
        0 where the column is null or empty.
    """

    path: str
    layer: str
    field: str
    crs: str | None
    classes: ClassTable
    geometries: NDArray[Any]
    class_id: NDArray[np.int32]

    def __repr__(self) -> str:
        return f"<{len(self.geometries)} labels of {self.path}, column {self.field!r}, {len(self.classes)} classes>"

    def on(self, grid: Grid) -> LabelledPixels:
        """The labels that fall on a grid; empty where none does.

        The parts of a multi-part feature are groups of their own: whether a file holds a thousand polygons or one
        multi-polygon per class is the habit of the software that wrote it. A part keeps its group on every grid.

        Raises
        ------
        LabelError
            The labels cannot be placed on this grid, or cover more of it than memory should hold.
        """
        parts, owner = explode(self.geometries)
        group = np.flatnonzero(self.class_id[owner] > 0)
        placed = to_pixel_coordinates(parts[group], self.crs, grid, where=self.path)
        reached = ~shapely.is_missing(placed)
        parts, group = placed[reached], group[reached]
        owner = owner[group]
        claims = burn(parts, grid.shape)
        resolved = resolve_claims(claims, self.class_id[owner])
        return LabelledPixels(
            row=resolved.pixel // grid.samples,
            col=resolved.pixel % grid.samples,
            class_id=resolved.class_id,
            group=group[resolved.part],
            classes=self.classes,
            report=LabelReport(
                **self._count_features(parts, owner, owner[claims.part], grid),
                features_invalid=_count_invalid(parts, owner, claims.part),
                pixels_contradicting=resolved.contradicting,
                pixels_repeated=resolved.repeated,
            ),
        )

    def explain_miss(self, grid: Grid) -> str:
        """Why no label may fall on a grid, as the end of a sentence."""
        return explain_miss(self.geometries[self.class_id > 0], self.crs, grid)

    def _count_features(
        self, parts: NDArray[Any], owner: NDArray[np.int64], claiming: NDArray[np.int64], grid: Grid
    ) -> dict[str, int]:
        """Each unused feature under the first reason that applies."""
        empty = shapely.is_missing(self.geometries) | shapely.is_empty(self.geometries)
        unclassed = self.class_id == 0
        claimed = np.zeros(len(self.geometries), dtype=bool)
        claimed[claiming] = True
        silent = ~claimed[owner]
        touches = np.zeros(len(self.geometries), dtype=bool)
        scene = shapely.box(0, 0, grid.samples, grid.lines)
        touches[owner[silent][shapely.intersects(parts[silent], scene)]] = True
        return {
            "features": len(self.geometries),
            "features_without_class": int(unclassed.sum()),
            "features_without_geometry": int((empty & ~unclassed).sum()),
            "features_without_pixel": int(touches.sum()),
            "features_outside": int((~(empty | unclassed | claimed | touches)).sum()),
        }


def _count_invalid(parts: NDArray[Any], owner: NDArray[np.int64], claiming: NDArray[np.int64]) -> int:
    """Features that label pixels through a polygon that is not valid."""
    used = np.unique(claiming)
    return len(np.unique(owner[used[~shapely.is_valid(parts[used])]]))


def open_vector_labels(
    path: str,
    *,
    field: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
) -> VectorLabels:
    """Read a vector label file; see `hsigeo.io.labels.open_labels`.

    Raises
    ------
    LabelError
        As `hsigeo.io.labels.open_labels`.
    """
    _refuse_indirect(path)
    try:
        with warnings.catch_warnings(record=True) as remarks:
            # Of GDAL's remarks (an unclosed ring, say) only those on the encoding change what is read.
            warnings.simplefilter("always", RuntimeWarning)
            layer = _choose_layer(path, layer)
            encoding = settle_encoding(path, layer, encoding)
            read_as = None if encoding is None else AS_BYTES
            info = pyogrio.read_info(path, layer=layer, encoding=read_as)
            titles = {decode_title(str(title), encoding): str(title) for title in info["fields"]}
            kinds = dict(zip(titles, _column_kinds(info), strict=True))
            tint = color_column(kinds, field)
            field = choose_column({name: kind for name, kind in kinds.items() if name != tint}, field, where=path)
            wanted = [titles[field]] if tint is None else [titles[field], titles[tint]]
            meta, _, wkb, values = pyogrio.raw.read(path, layer=layer, columns=wanted, force_2d=True, encoding=read_as)
    except (DataSourceError, DataLayerError) as error:
        raise LabelError(f"{path} cannot be read as vector labels: {_plainly(error)}") from error
    except UnicodeError as error:
        raise LabelError(
            f"{path}: the text is not in the encoding of the file; if it is a shapefile, {NAME_IT}"
        ) from error
    if any("couldn't be converted" in str(remark.message) for remark in remarks):
        raise LabelError(f"{path}: the text is not in the encoding that the file states; {NAME_IT}")
    columns = dict(zip(meta["fields"], values, strict=True))
    where = f"{path}, column {field!r}"
    class_id, classes = classes_from_values(decode_column(columns[titles[field]], encoding, where=where), where=where)
    if tint is not None:
        classes = with_colors(classes, class_id, columns[titles[tint]])
    return VectorLabels(
        path=path,
        layer=layer,
        field=field,
        crs=_settle_crs(meta["crs"], crs, where=path),
        classes=classes,
        geometries=_parse_geometries(wkb),
        class_id=class_id,
    )


def _plainly(error: Exception) -> str:
    """GDAL's reason without its advice about drivers, which hsigeo has no option for."""
    return reason(error).partition(".; It might help")[0]


def open_outlines(path: str, *, crs: str | None = None) -> VectorLabels:
    """Read the geometries of a vector file whatever its columns: they all outline one thing, named ``area``.

    Raises
    ------
    LabelError
        The file is not there or cannot be read, or it has several layers.
    """
    if not Path(path).exists():
        raise LabelError(f"{path} does not exist; give a vector file")
    _refuse_indirect(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            layer = _choose_layer(path, None, remedy="put the outlines into a separate file")
            meta, _, wkb, _ = pyogrio.raw.read(path, layer=layer, columns=[], force_2d=True, encoding=AS_BYTES)
    except (DataSourceError, DataLayerError) as error:
        raise LabelError(f"{path} cannot be read as outlines: {reason(error)}") from error
    return VectorLabels(
        path=path,
        layer=layer,
        field="",
        crs=_settle_crs(meta["crs"], crs, where=path),
        classes=ClassTable.from_names(["area"]),
        geometries=_parse_geometries(wkb),
        class_id=np.ones(len(wkb), dtype=np.int32),
    )


def _parse_geometries(wkb: NDArray[Any]) -> NDArray[Any]:
    """Geometries; missing, and so counted, where they are of a kind without a place in two dimensions or not finite."""
    geometries: NDArray[Any] = shapely.from_wkb(wkb, on_invalid="ignore")
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    geometries[owner[~np.isfinite(xy).all(axis=1)]] = None
    return geometries


def _choose_layer(path: str, wanted: str | None, *, remedy: str = "name one with --layer") -> str:
    layers = {str(name): kind for name, kind in pyogrio.list_layers(path)}
    spatial = [name for name, kind in layers.items() if kind is not None]
    if wanted is not None:
        if wanted not in layers:
            raise LabelError(f"{path}: no layer {wanted!r}; layers: {', '.join(layers)}")
        if wanted not in spatial:
            raise LabelError(f"{path}: layer {wanted!r} is a table without geometries; layers: {', '.join(spatial)}")
        return wanted
    if not spatial:
        raise LabelError(f"{path}: no layer with geometries; layers: {', '.join(layers) or 'none'}")
    if len(spatial) > 1:
        raise LabelError(f"{path}: more than one layer; {remedy}; layers: {', '.join(spatial)}")
    return spatial[0]


def _column_kinds(info: dict[str, Any]) -> list[str]:
    return [
        "true or false" if subtype == "OFSTBoolean" else _KINDS.get(kind, "lists")
        for kind, subtype in zip(info["ogr_types"], info["ogr_subtypes"], strict=True)
    ]


def _settle_crs(stated: str | None, given: str | None, *, where: str) -> str | None:
    """The CRS in the file; the user's where the file has none. Two that differ are an error, not a choice."""
    # GeoPackage has two rows that mean "unknown", which GDAL passes on as if they were a CRS.
    known = None if stated is None or "Undefined" in stated[:60] else stated
    if given is None:
        return known
    wanted = parse_crs(given, where="--labels-crs")
    if known is not None and parse_crs(known, where=where) != wanted:
        raise LabelError(
            f"{where}: the file states the CRS {known:.60}, --labels-crs says {given}; leave out the option, or "
            "correct the file"
        )
    crs: str = wanted.to_wkt()
    return crs


def _refuse_indirect(path: str) -> None:
    if Path(path).is_file():
        with Path(path).open("rb") as file:
            start = file.read(512)
        if any(mark in start for mark in _INDIRECT):
            raise LabelError(f"{path} only points to other files; give the file that holds the labels")
