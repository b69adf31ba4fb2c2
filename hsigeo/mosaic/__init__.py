"""Many maps as one, on a common north-up grid, with a layer that says which line was believed where."""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {"Rule": "hsigeo.mosaic.rules", "write_mosaic": "hsigeo.mosaic.assembly", "write_vrt": "hsigeo.mosaic.vrt"}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
