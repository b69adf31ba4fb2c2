"""``hsigeo quicklook``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsigeo.cli.options import FiniteRange, overwrite_option, reader_option, say
from hsigeo.errors import HsigeoError

if TYPE_CHECKING:
    from hsigeo.classes import ClassEntry
    from hsigeo.io.cube import Cube, CubeHeader
    from hsigeo.io.quicklook import Look, Picture
    from hsigeo.plots.pictures import Panel

__all__ = ["quicklook"]

EXAMPLES = """\b
Examples:
  hsigeo quicklook sample_scenes/line_1.hdr -o look.png
  hsigeo quicklook scene.hdr -o plants.png --bands cir --north-up
  hsigeo quicklook scene.hdr -o sheet.pdf --map map.tif
"""


class _Composite(click.ParamType[Any]):
    """What to show, as text."""

    name = "bands"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn the text into a composite, or fail with click's usage error."""
        from hsigeo.io.composites import parse_composite

        try:
            return parse_composite(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Percent(click.ParamType[tuple[float, float]]):
    """Two percentiles, written as ``2,98``."""

    name = "low,high"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Turn the text into two percentiles, or fail with click's usage error."""
        if isinstance(value, tuple):
            return value
        try:
            low, high = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r:.40} is not two percentiles, such as 2,98", param, ctx)
        if not 0 <= low < high <= 100:
            self.fail(f"{value!r:.40}: the percentiles must rise and lie between 0 and 100", param, ctx)
        return low, high


@click.command(epilog=EXAMPLES)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), required=True, help="PNG to write.")
@click.option(
    "--bands",
    "composite",
    type=_Composite(),
    default="auto",
    show_default=True,
    metavar="WHAT",
    help="true-colour, cir (plants red), swir; or one or three wavelengths in nm (860,650,555); or bands (b30,b18,b7).",
)
@click.option(
    "--stretch", type=_Percent(), default="2,98", show_default=True, help="Percentiles that become 0 and 255."
)
@click.option(
    "--exponent",
    type=FiniteRange(0.05, 5),
    default=1.0,
    show_default=True,
    help="Applied to the stretched values; 0.6 brightens dark areas.",
)
@click.option("--size", type=click.IntRange(16, 16384), default=1024, show_default=True, help="Longest side, pixels.")
@click.option(
    "--north-up", is_flag=True, help="Rotate the picture north-up, or place a scene in sensor geometry on its map grid."
)
@click.option("--figure", is_flag=True, help="Draw a sheet with title, scale bar and north arrow (PNG, SVG, PDF).")
@click.option(
    "--map", "map_path", metavar="MAP", type=click.Path(), help="The same, with a class map and its legend beside it."
)
@reader_option
@overwrite_option
def quicklook(
    scene: Path,
    output: Path,
    composite: Any,
    stretch: tuple[float, float],
    exponent: float,
    size: int,
    north_up: bool,
    figure: bool,
    map_path: str | None,
    reader: str | None,
    overwrite: bool,
) -> None:
    """Make a picture of a scene, or of a class map.

    Every n-th row and column is read, so the largest scenes take seconds. The picture has the rows of the scene as they
    are stored; --north-up rotates it. Sheets (--figure, --map) are north-up wherever the georeference is known. Pixels
    without data are transparent.
    """
    from hsigeo.atomic import check_not_an_input
    from hsigeo.io.cube_reader import open_cube
    from hsigeo.io.quicklook import Look, check_picture_path, make_picture, write_picture

    is_sheet = figure or map_path is not None
    if is_sheet:
        from hsigeo.plots import check_figure

        check_figure(output, overwrite=overwrite)
    else:
        check_picture_path(output, overwrite=overwrite)
    check_not_an_input(output, [scene, *([] if map_path is None else [map_path])])
    cube = open_cube(scene, reader=reader)
    look = Look(composite=composite, percent=stretch, exponent=exponent, longest_side=size)
    picture = make_picture(cube, look)
    if north_up or is_sheet:
        picture = _placed(picture, cube, look, required=north_up)
    if is_sheet:
        _draw_sheet(cube, picture, output, map_path, look=look, overwrite=overwrite)
    else:
        write_picture(picture.rgba, output, overwrite=overwrite)
    say(f"{output}: {_describe(cube.header, picture)}")
    if not picture.rgba[3].any():
        say("caution: none of these pixels has data or a class: there is nothing to see")


def _placed(picture: Picture, cube: Cube, look: Look, *, required: bool) -> Picture:
    """The picture with north up, where its place is known."""
    from hsigeo.io.map_picture import is_placed, place_picture, turn_north

    header = cube.header
    if header.geolocation is not None:
        return place_picture(
            picture, header.geolocation, scene_samples=header.grid.samples, longest_side=look.longest_side
        )
    if required and not is_placed(picture):
        raise HsigeoError(
            f"{header.path} cannot be turned to the north: nothing says where it lies; leave out --north-up"
        )
    return turn_north(picture)


def _draw_sheet(
    cube: Cube, picture: Picture, output: Path, map_path: str | None, *, look: Look, overwrite: bool
) -> None:
    from hsigeo.cli.figures import report_undrawable
    from hsigeo.io.class_raster import open_map
    from hsigeo.io.map_picture import make_map_picture, turn_north
    from hsigeo.plots.pictures import draw_pictures

    header = cube.header
    panels = [_panel(f"{Path(header.path).name}\n{_channels(header, picture)}", picture)]
    classes: tuple[ClassEntry, ...] = ()
    if map_path is not None or header.is_classification:
        raster = open_map(map_path or header.path)
        classes = raster.classes.entries
        if map_path is not None:
            shown = turn_north(make_map_picture(raster, longest_side=look.longest_side))
            panels.append(_panel(f"{Path(map_path).name}\n{len(classes)} classes", shown))
    draw_pictures(panels, output, classes=classes, overwrite=overwrite)
    report_undrawable([entry.name for entry in classes])


def _panel(title: str, picture: Picture) -> Panel:
    from hsigeo.io.map_picture import is_placed, metres_per_unit
    from hsigeo.plots.pictures import Panel

    panel = Panel(title=title, rgba=picture.rgba, metres=metres_per_unit(picture), crs=picture.crs)
    t = picture.transform
    if not is_placed(picture) or t.b or t.d:
        return replace(panel, metres=None)
    _, lines, samples = picture.rgba.shape
    return replace(panel, extent=(t.c, t.c + t.a * samples, t.f + t.e * lines, t.f))


def _channels(header: CubeHeader, picture: Picture) -> str:
    """Which band has which colour."""
    if header.is_classification and not picture.limits:
        return "classes"
    names = ("red", "green", "blue") if len(picture.bands) == 3 else ("gray",)
    parts = []
    for name, band in zip(names, picture.bands, strict=True):
        nm = "" if header.bands.wavelength is None else f" {header.bands.wavelength[band]:.0f} nm"
        parts.append(f"{name}{nm or f' band {band + 1}'}")
    return ", ".join(parts)


def _describe(header: CubeHeader, picture: Picture) -> str:
    _, height, width = picture.rgba.shape
    every = f", every {picture.step}th row and column" if picture.step > 1 else ""
    limits = ", ".join(f"{low:.3g}-{high:.3g}" for low, high in picture.limits)
    stretched = f"; stretched from {limits}" if limits else ""
    return f"{width} x {height} pixels{every}; {_channels(header, picture)}{stretched}"
