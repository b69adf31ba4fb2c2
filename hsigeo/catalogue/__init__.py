"""A STAC catalogue of a folder of maps: an item for each map, and a collection for the campaign.

The documents are plain JSON and are written by hand here: what a map needs of STAC 1.1 is a page of dictionaries.
pystac, which reads and validates them in the tests, would be one more dependency for everybody.
"""

from __future__ import annotations

from hsigeo.lazy_imports import lazy_names

_HOME = {"write_catalogue": "hsigeo.catalogue.folder"}

__all__ = sorted(_HOME)

__getattr__ = lazy_names(__name__, _HOME)
