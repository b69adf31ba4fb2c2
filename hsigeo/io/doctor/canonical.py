"""What the reader guessed or put right, written into the header, so that no other reader has to guess.

For each field that gave a repair, the value that was used takes the place of the one that was not.
"""

from __future__ import annotations

import numpy as np
from rasterio.crs import CRS

from hsigeo.bands import BandTable
from hsigeo.io.cube import CubeHeader
from hsigeo.io.doctor.place import format_map_info
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.envi.header_text import format_list
from hsigeo.io.envi.mapinfo import MapInfo, parse_map_info, read_grid
from hsigeo.io.wavelengths import make_band_table

__all__ = ["canonical_changes"]

Changes = dict[str, str | None]


def canonical_changes(header: EnviHeader, cube: CubeHeader) -> Changes:
    """Header fields that say outright what the reader made of them; empty where nothing was guessed.

    Parameters
    ----------
    header
        The header's text, of an ENVI scene that could be opened.
    cube
        What the reader made of it.
    """
    changes: Changes = {}
    for key, value in (("byte order", str(int(cube.byte_order == "big"))), ("interleave", cube.interleave)):
        if not header.text(key):
            changes[key] = value
    return changes | _spectral(header, cube) | _scale(header, cube) | _place(header, cube) | _lists(header, cube)


def _spectral(header: EnviHeader, cube: CubeHeader) -> Changes:
    names = cube.band_names
    _, notes = make_band_table(
        cube.bands.count,
        wavelength=header.numbers("wavelength"),
        unit=header.text("wavelength units"),
        fwhm=header.numbers("fwhm"),
        good=header.numbers("bbl"),
        names=names,
    )
    return _band_fields(header, cube.bands) if notes else {}


def _band_fields(header: EnviHeader, bands: BandTable) -> Changes:
    marked = "bbl" in header and not bands.good.all()
    return {
        "wavelength units": None if bands.wavelength is None else "Nanometers",
        "wavelength": _list(bands.wavelength),
        "fwhm": _list(bands.fwhm),
        "bbl": format_list([str(int(value)) for value in bands.good]) if marked else None,
    }


def _list(values: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> str | None:
    """Numbers as they were before a change of unit left them a last digit too many."""
    return None if values is None else format_list([f"{value:.10g}" for value in values])


def _scale(header: EnviHeader, cube: CubeHeader) -> Changes:
    factor = "reflectance scale factor"
    per_band = [key for key in ("data gain values", "data offset values") if key in header]
    changes: Changes = {key: None for key in per_band if len(header.items(key)) != cube.bands.count}
    if any(key not in changes for key in per_band):
        # Gains and offsets win; a factor that disagrees was not used.
        return changes | ({factor: None} if factor in header and _disagrees(header, cube) else {})
    gain = cube.scaling.gain[0]
    if factor not in header and gain != 1:
        changes[factor] = f"{1 / gain:.10g}"
    return changes


def _disagrees(header: EnviHeader, cube: CubeHeader) -> bool:
    stated = header.numbers("reflectance scale factor")
    return not stated or not np.allclose(cube.scaling.gain * stated[0], 1.0, rtol=1e-6)


def _place(header: EnviHeader, cube: CubeHeader) -> Changes:
    _, notes = read_grid(header, lines=cube.grid.lines, samples=cube.grid.samples)
    map_info = parse_map_info(header)
    if not notes or map_info is None:
        return {}
    return {"map info": format_map_info(map_info, datum_fields=_datum_fields(map_info, cube))}


def _datum_fields(map_info: MapInfo, cube: CubeHeader) -> tuple[str, ...]:
    """Zone, hemisphere and datum of the CRS that was used, where ``map info`` can say them."""
    code = None if cube.grid.crs is None else CRS.from_wkt(cube.grid.crs).to_epsg()
    if code is None or map_info.is_arbitrary:
        return map_info.datum_fields
    if map_info.is_geographic:
        return ("WGS-84",) if code == 4326 else map_info.datum_fields
    if map_info.projection.upper() == "UTM" and code // 100 in (326, 327):
        return (str(code % 100), "North" if code // 100 == 326 else "South", "WGS-84")
    return map_info.datum_fields


def _lists(header: EnviHeader, cube: CubeHeader) -> Changes:
    """Lists that did not fit and were left out."""
    changes: Changes = {}
    used = {
        "band names": cube.band_names,
        "default bands": cube.default_bands,
        "class lookup": cube.class_colors,
        "data ignore value": () if cube.nodata is None else (cube.nodata,),
    }
    for key, values in used.items():
        if header.text(key) and not values:
            changes[key] = None
    return changes
