"""Reading scenes, products and labels, and writing maps. rasterio and xarray live here; torch does not.

Read in this order: `cube` (what every reader returns), `readers.registry` (which reader opens a file), `scene_reader`
(a cube as a lazy ``DataArray``), `spectra` (blocks as the network reads them); `labels`; then `map_layers`,
`map_writer` and `block_writer` (two ways to write maps), and `class_raster` (maps read back). `doctor` examines files
whose header may be wrong; `geolocation` and `orthorectification` place scenes in sensor geometry.

Nothing heavy is imported until a name is used.
"""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {
    "is_spectral_library": "hsigeo.io.labels",
    "mark_dead_bands": "hsigeo.io.dead_bands",
    "merge_class_tables": "hsigeo.io.labels",
    "open_cube": "hsigeo.io.cube_reader",
    "open_labels": "hsigeo.io.labels",
    "open_map": "hsigeo.io.class_raster",
    "open_scene": "hsigeo.io.scene_reader",
    "open_spectral_library": "hsigeo.io.labels",
    "scene_of": "hsigeo.io.scene_reader",
    "write_float_layer": "hsigeo.io.float_layer",
    "write_map": "hsigeo.io.map_writer",
}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
