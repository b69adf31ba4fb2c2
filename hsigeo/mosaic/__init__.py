"""Many maps as one, on a common north-up grid, with a layer that says which line each pixel comes from.

Read `rules` (how overlaps are decided), `composition` (one block), `assembly` (the whole mosaic); `vrt` is the mosaic
without pixels of its own.
"""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {"Rule": "hsigeo.mosaic.rules", "write_mosaic": "hsigeo.mosaic.assembly", "write_vrt": "hsigeo.mosaic.vrt"}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
