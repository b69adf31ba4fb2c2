"""``hsigeo info``: what a file is, what was guessed about it, and whether it can be classified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hsigeo.cli.options import reader_option

__all__ = ["info"]

_LABEL_WIDTH = 13


@click.command(epilog="Example: hsigeo info sample_scenes/line_1.hdr --quicklook line_1.png")
@click.argument("scene", type=click.Path(path_type=Path))
@reader_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@click.option("--quicklook", type=click.Path(path_type=Path), metavar="FILE.png", help="Also write a picture.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def info(scene: Path, reader: str | None, as_json: bool, quicklook: Path | None, overwrite: bool) -> None:
    """Say what SCENE is: bands, wavelengths, CRS, and every guess or repair made to read it.

    SCENE is an ENVI header (.hdr) or data file, or a GeoTIFF; class maps and single bands work too. Only the header
    and a few rows are read.
    """
    from hsigeo.atomic import check_not_an_input
    from hsigeo.io.cube_reader import open_cube
    from hsigeo.io.quicklook import check_picture_path, write_quicklook
    from hsigeo.io.summary import describe_scene

    if quicklook is not None:
        check_picture_path(quicklook, overwrite=overwrite)
        check_not_an_input(quicklook, [scene])
    cube = open_cube(scene, reader=reader)
    summary = describe_scene(cube)
    click.echo(json.dumps(summary, indent=2, ensure_ascii=False) if as_json else format_summary(summary))
    if quicklook is not None:
        write_quicklook(cube, quicklook, overwrite=overwrite)
        click.echo(f"wrote {quicklook}", err=True)


def format_summary(summary: dict[str, Any]) -> str:
    """The summary as aligned text, one fact a line."""
    rows = [
        ("scene", summary["path"]),
        ("data", f"{summary['data_file']}, {_bytes(summary['size_bytes'])}"),
        ("reader", f"{summary['reader']}, because {summary['reader_reason']}"),
        ("format", _format(summary)),
        ("size", _size(summary)),
        ("description", summary["description"]),
        ("sensor", summary["sensor"]),
        ("wavelengths", _wavelengths(summary)),
        ("bad bands", _bad_bands(summary)),
        ("scale", _scale(summary)),
        ("no data", "not declared" if summary["nodata"] is None else f"{_plain(summary['nodata'])} (as stored)"),
        ("values", _values(summary["values_sampled"])),
        ("classes", _classes(summary["classes"])),
        ("companions", ", ".join(f"{entry['kind']} {Path(entry['path']).name}" for entry in summary["companions"])),
        *_georeference(summary),
        *(("repaired", repair) for repair in summary["repairs"]),
        *(("suggestion", suggestion) for suggestion in summary["suggestions"]),
        ("verdict", summary["verdict"]),
    ]
    return "\n".join(f"{label:<{_LABEL_WIDTH}}{text}" for label, text in rows if text)


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _format(summary: dict[str, Any]) -> str:
    parts = [summary["format"], summary["interleave"], summary["data_type"], f"{summary['byte_order']}-endian"]
    if summary["header_offset"]:
        parts.append(f"header offset {summary['header_offset']}")
    if summary["compressed"]:
        parts.append("compressed")
    return ", ".join(parts)


def _size(summary: dict[str, Any]) -> str:
    bands = "1 band" if summary["bands"] == 1 else f"{summary['bands']} bands"
    return f"{summary['lines']} lines x {summary['samples']} samples x {bands}"


def _wavelengths(summary: dict[str, Any]) -> str:
    centres, widths = summary["wavelength_nm"], summary["fwhm_nm"]
    if centres is None:
        return "not known"
    text = f"{_range(min(centres), max(centres))} nm"
    return text if widths is None else f"{text}, fwhm {_range(min(widths), max(widths))} nm"


def _bad_bands(summary: dict[str, Any]) -> str:
    from hsigeo.io.summary import describe_bands

    bad = summary["bad_bands"]
    return f"{len(bad)} of {summary['bands']}: {describe_bands(bad)}" if bad else "none"


def _scale(summary: dict[str, Any]) -> str:
    gain, offset = summary["gain"], summary["offset"]
    if gain == 1 and offset == 0:
        return "none: values as stored"
    gain_text = f"{gain:g}" if isinstance(gain, float) else f"a gain for each band ({_range(min(gain), max(gain))})"
    if offset == 0:
        return f"stored value x {gain_text}"
    offsets = f"{offset:g}" if isinstance(offset, float) else f"an offset ({_range(min(offset), max(offset))})"
    return f"stored value x {gain_text} + {offsets}"


def _values(sampled: dict[str, Any]) -> str:
    if sampled["minimum"] is None:
        return f"no data in {sampled['pixels']} sampled pixels"
    text = f"{_range(sampled['minimum'], sampled['maximum'])}, median {sampled['median']:.4g}"
    share = sampled["share_without_data"]
    return f"{text} ({sampled['pixels']} pixels sampled{f', {share:.1%} without data' if share else ''})"


def _classes(classes: list[dict[str, Any]]) -> str:
    return ", ".join(f"{entry['value']} {entry['name']}" for entry in classes)


def _georeference(summary: dict[str, Any]) -> list[tuple[str, str]]:
    if summary["geolocation"]:
        return [("place", f"in sensor geometry, placed by: {summary['geolocation']}")]
    crs = summary["crs"]
    code = "" if crs is None or crs["epsg"] is None else f" (EPSG:{crs['epsg']})"
    rows = [("CRS", "not known" if crs is None else f"{crs['name']}{code}")]
    if summary["ground_control_points"]:
        rows.append(("placed by", f"{summary['ground_control_points']} ground control points"))
    if summary["transform"] is None:
        return rows if len(rows) > 1 else [*rows, ("place", "not known: no transform, no ground control points")]
    x, y = summary["transform"][0], summary["transform"][3]
    width, height = summary["pixel_size"]
    unit = f" {summary['map_unit']}" if summary["map_unit"] else ""
    rotation = summary["rotation_degrees"]
    turned = f", rotated by {rotation:.6g} degrees (counter-clockwise)" if abs(rotation) > 1e-9 else ", not rotated"
    return [*rows, ("pixel", f"{width:.10g} x {height:.10g}{unit}{turned}"), ("corner", f"x {x:.10g}, y {y:.10g}")]


def _plain(number: float | int | str) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _range(low: float, high: float) -> str:
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
