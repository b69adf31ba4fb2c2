"""Scenes in sensor geometry: where on the Earth each of their pixels lies."""

from hsigeo.io.geolocation.lookup import Geolocation, Lookup, LookupTable, Plane
from hsigeo.io.geolocation.positions import NearestLookup, PixelPositions

__all__ = ["Geolocation", "Lookup", "LookupTable", "NearestLookup", "PixelPositions", "Plane"]
