"""``hsigeo info``: describes a scene, its assumptions and problems; a folder of scenes; a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsigeo.cli.model_text import describe_model, is_model, model_rows
from hsigeo.cli.options import reader_option, say
from hsigeo.cli.scene_list import list_scenes, scenes_in
from hsigeo.errors import HsigeoError

if TYPE_CHECKING:
    from hsigeo.io.cube import Cube

__all__ = ["info"]

_LABEL_WIDTH = 13


EXAMPLES = """\b
Examples:
  hsigeo info sample_scenes/line_1.hdr
  hsigeo info scene.hdr --fix scene.img.hdr
  hsigeo info scene.hdr --json
  hsigeo info lines/
  hsigeo info model.safetensors
"""


@click.command(epilog=EXAMPLES)
@click.argument("scene", type=click.Path(path_type=Path))
@reader_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@click.option("--quicklook", type=click.Path(path_type=Path), metavar="FILE.png", help="Also write a picture.")
@click.option(
    "--fix",
    "fix",
    type=click.Path(path_type=Path),
    metavar="OUT.hdr",
    help="Also write a corrected ENVI header, beside the old one.",
)
@click.option("--keep", multiple=True, metavar="CODE", help="With --fix: do not correct this problem; repeatable.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture, or OUT.hdr.")
def info(
    scene: Path,
    reader: str | None,
    as_json: bool,
    quicklook: Path | None,
    fix: Path | None,
    keep: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Describe SCENE: bands, wavelengths, CRS, every assumption made in reading it, and its problems.

    SCENE is a scene as delivered: an ENVI header (.hdr) or data file, a GeoTIFF, or a sensor product; class maps and
    single bands work too. Only headers and a bounded sample of the pixels are read.

    Of a folder, each scene that `hsigeo classify` would take gets one line. Of a model (.safetensors), its classes,
    bands and origin are described, and the accuracy that was measured in training.
    """
    from hsigeo.atomic import check_not_an_input
    from hsigeo.io.quicklook import check_picture_path, write_quicklook

    if keep and fix is None:
        raise click.UsageError("--keep goes with --fix OUT.hdr")
    if is_model(scene):
        if fix is not None or quicklook is not None or reader is not None:
            raise click.UsageError(f"--fix, --quicklook and --reader take a scene; {scene} is a model")
        _say_model(scene, as_json=as_json)
        return
    if scenes := scenes_in(scene):
        if fix is not None or quicklook is not None:
            raise click.UsageError(f"--fix and --quicklook take one scene; {scene} holds {len(scenes)}: name one")
        list_scenes(scenes, reader, as_json=as_json)
        return
    if quicklook is not None:
        check_picture_path(quicklook, overwrite=overwrite)
        check_not_an_input(quicklook, [scene])
    if fix is not None:
        from hsigeo.io.doctor.repair import check_repair_path

        check_repair_path(fix, scene, overwrite=overwrite)
    document, cube, error = _describe(scene, reader)
    if not as_json:
        click.echo(format_summary(document) if cube is not None else _format_findings(document), nl=False)
    if fix is not None:
        document["fixed"] = _fix(scene, fix, keep, overwrite)
        if not as_json:
            _say_fixed(fix, document["fixed"])
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    if error is not None and (fix is None or document["fixed"]["error"]):
        raise error
    if quicklook is not None and cube is not None:
        write_quicklook(cube, quicklook, overwrite=overwrite)
        say(f"wrote {quicklook}")


def _say_model(path: Path, *, as_json: bool) -> None:
    from hsigeo.model import load_model

    model = load_model(path)
    if as_json:
        click.echo(json.dumps(describe_model(model), indent=2, ensure_ascii=False))
    else:
        click.echo(_aligned(model_rows(model)), nl=False)


def _describe(scene: Path, reader: str | None) -> tuple[dict[str, Any], Cube | None, HsigeoError | None]:
    """The summary; for an ENVI scene that cannot be opened, what could be found out about it and the error."""
    from hsigeo.io.cube_reader import open_cube
    from hsigeo.io.summary import describe_scene

    try:
        cube = open_cube(scene, reader=reader)
        return describe_scene(cube), cube, None
    except HsigeoError as error:
        if not scene.is_file():
            raise
        from hsigeo.io.doctor.examination import examine_unreadable

        findings = [finding.to_json() for finding in examine_unreadable(scene).findings]
        return {"path": str(scene), "error": str(error), "findings": findings}, None, error


def _fix(scene: Path, out: Path, keep: tuple[str, ...], overwrite: bool) -> dict[str, Any]:
    """Write the corrected header if there is anything to correct; what was done, as JSON values."""
    from hsigeo.io.doctor.repair import plan_repair, write_repair
    from hsigeo.io.envi.datafile import find_header

    repair = plan_repair(scene, keep=keep)
    if repair.sentences:
        write_repair(repair, out, overwrite=overwrite)
    seen_first = find_header(repair.data_path)
    return {
        "header": str(out) if repair.sentences else None,
        "data_file": str(repair.data_path),
        "seen_by_other_programs": seen_first is not None and seen_first.resolve() == out.resolve(),
        "repairs": list(repair.sentences),
        "remaining": [finding.to_json() for finding in repair.remaining],
        "error": repair.error,
    }


def _say_fixed(out: Path, fixed: dict[str, Any]) -> None:
    if fixed["header"] is None:
        say(f"there is nothing that a header could correct; {out} was not written")
        return
    for sentence in fixed["repairs"]:
        say(f"corrected: {sentence}")
    data = Path(fixed["data_file"]).name
    say(f"wrote {out}, which describes {data}; the old header stays as it was")
    if not fixed["seen_by_other_programs"]:
        say(f"hsigeo finds {data} by this header; GDAL, QGIS and ENVI go by the data file's name and see the old one")
    if fixed["error"]:
        say(f"it cannot be used yet: {fixed['error']}")


def _format_findings(document: dict[str, Any]) -> str:
    """What was found out about a scene that cannot be opened; nothing where that is nothing."""
    if not document["findings"]:
        return ""
    return _aligned([("scene", document["path"]), *_findings(document["findings"])])


def _findings(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each finding on a line of its own, what would do on the next."""
    rows = []
    for finding in findings:
        label = "note" if finding["severity"] == "note" else "problem"
        rows.append((label, f"{finding['message']} [{finding['code']}]"))
        if finding["remedy"]:
            rows.append(("", f"to do: {finding['remedy']}"))
    return rows


def _aligned(rows: list[tuple[str, str]]) -> str:
    return "".join(f"{label:<{_LABEL_WIDTH}}{text}\n" for label, text in rows if text)


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
        *_findings(summary["findings"]),
        ("verdict", summary["verdict"]),
    ]
    return _aligned(rows)


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
    from hsigeo.io.band_text import describe_bands

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
