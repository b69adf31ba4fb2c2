"""The section that shows scene and map side by side, with the area of each class."""

from __future__ import annotations

from hsigeo.io.map_picture import is_placed, metres_per_unit
from hsigeo.io.quicklook import Picture
from hsigeo.plots.pictures import nice_length
from hsigeo.report.blocks import Cell, Numbering, Section, class_term, note, picture
from hsigeo.report.findings import Findings
from hsigeo.report.markup import Child, Html, element, join, plain, shorten, term
from hsigeo.report.overview import unit_of
from hsigeo.report.wording import count, percent, plural

__all__ = ["framed", "render_map"]

WIDE = 1.8
"""A picture this many times as wide as high lies over the other, not beside it."""

HIGHEST, NARROWEST = 48.0, 9.0
"""Largest height and smallest width of a picture, in rem. In print 48 rem are 203 mm, which fits A4."""

NAMED_ALOUD = 8
"""Classes that the alternative text of the map names."""


def render_map(findings: Findings, numbering: Numbering) -> Section:
    """The pictures, and the table that is their legend."""
    shown = findings.pictures
    parts: list[Child] = []
    if shown.scene is not None:
        parts.append(_scene(findings, shown.scene, numbering))
    parts.append(_classes(findings, numbering))
    class_ = "pair wide" if _ratio(shown.classes) > WIDE or shown.scene is None else "pair"
    body = join([element("div", parts, class_=class_), _legend(findings, numbering)])
    return Section(anchor="map", title="The scene and the map" if shown.scene else "The map", body=body)


def _scene(findings: Findings, scene: Picture, numbering: Numbering) -> Html:
    bands = _bands(findings)
    title = "True colour" if _is_true_colour(findings) else "The scene"
    header = findings.found.scene
    name = "" if header is None else header.header.path.rpartition("/")[2]
    says = f"{title} picture of the scene {shorten(plain(name))}: {bands}"
    about: list[Child] = [
        f"{title}, ",
        term(name),
        f": {bands}. Stretched from the 2nd to the 98th percentile, dark areas brightened.",
    ]
    return numbering.figure(framed(scene, says), about)


def _classes(findings: Findings, numbering: Numbering) -> Html:
    shown = findings.pictures.classes
    area = findings.classified[1] or 1.0
    largest = [
        f"{plain(shorten(entry.name))} {percent(float(findings.tally.area[entry.id]) / area)}"
        for entry in findings.by_area[:NAMED_ALOUD]
    ]
    more = ", and others" if len(findings.by_area) > NAMED_ALOUD else ""
    says = f"Class map in the colours of the legend below: {', '.join(largest) or 'no pixel has a class'}{more}"
    every = f" One pixel of every {shown.step} × {shown.step} is shown." if shown.step > 1 else ""  # noqa: RUF001
    north = " North is up." if is_placed(shown) and shown.crs is not None else ""
    same = " Same ground and scale as the scene." if findings.pictures.scene is not None else ""
    about = f"The map, in the colours of the table below; pixels without a class are blank.{same}{north}{every}"
    return numbering.figure(framed(shown, says), about)


def framed(shown: Picture, says: str, *below: Child) -> Html:
    """A picture with its scale bar, no higher than a screen: flight lines are many times as long as wide."""
    ratio = _ratio(shown)
    image = picture(shown.rgba, says, ratio=ratio)
    width = max(HIGHEST * ratio, NARROWEST)
    return element("div", image, scale_of(shown), below, style=f"max-width:{width:.1f}rem")


def _ratio(shown: Picture) -> float:
    """Width over height on the ground, where that is known: a degree of longitude is shorter than one of latitude."""
    lines, samples = shown.rgba.shape[1:]
    metres, t = metres_per_unit(shown), shown.transform
    if metres is None or t.b or t.d:
        return float(samples / lines)
    ratio = abs(t.a * metres[0] * samples) / (abs(t.e * metres[1]) * lines)
    return float(ratio if 1e-3 < ratio < 1e3 else samples / lines)


def scale_of(shown: Picture) -> Html:
    """Scale bar and north arrow below a picture; nothing where its scale is not known."""
    metres = metres_per_unit(shown)
    t = shown.transform
    if metres is None or t.b or t.d:
        return Html("")
    width = abs(t.a) * shown.rgba.shape[2] * metres[0]
    if not 0 < width < 1e9:
        return Html("")
    length = nice_length(width / 4)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    bar = element("span", class_="bar", style=f"width:{100 * length / width:.2f}%")
    return element("div", bar, element("span", text), element("span", "N ↑", class_="north"), class_="scale")


def _bands(findings: Findings) -> str:
    """Which band has which colour."""
    bands = findings.pictures.scene_bands
    names = ("red", "green", "blue") if len(bands) == 3 else ("grey",)
    return ", ".join(
        f"{name} {f'{nm:.0f} nm' if nm is not None else f'band {band}'}"
        for name, (band, nm) in zip(names, bands, strict=False)
    )


def _is_true_colour(findings: Findings) -> bool:
    nm = [value for _, value in findings.pictures.scene_bands if value is not None]
    return len(nm) == 3 and nm[0] > nm[1] > nm[2] and 580 < nm[0] < 700 and 420 < nm[2] < 520


def _legend(findings: Findings, numbering: Numbering) -> Html:
    unit, tally = unit_of(findings), findings.tally
    in_pixels = tally.unit != "ha"
    area = findings.classified[1] or 1.0
    largest = max((float(tally.area[entry.id]) for entry in findings.raster.classes), default=0.0) or 1.0
    head = [
        Cell(content="Class"),
        Cell(content="Id", is_number=True),
        Cell(content="Pixels", is_number=True),
        *([] if in_pixels else [Cell(content=f"Area ({unit.name})", is_number=True)]),
        Cell(content="Share", is_number=True),
        Cell(content="", class_="wide"),
    ]
    rows = []
    for entry in findings.raster.classes:
        covered = float(tally.area[entry.id])
        amount = [] if in_pixels else [Cell(content=unit.write(covered, unit=False), is_number=True)]
        width = f"width:{100 * covered / largest:.2f}%"
        bar = element("span", class_="share", style=width, aria_hidden="true") if covered else None
        rows.append(
            [
                Cell(content=class_term(entry), is_head=True),
                Cell(content=str(entry.id), is_number=True),
                Cell(content=count(int(tally.pixels[entry.id])), is_number=True),
                *amount,
                Cell(content=percent(covered / area), is_number=True),
                Cell(content=bar, class_="wide"),
            ]
        )
    caption = "The extent of each class. Shares refer to the classified area."
    remarks = [note(f"{tally.note[0].upper()}{tally.note[1:]}.")] if tally.note else []
    unclassified = note(_unclassified(findings)) if findings.unclassified else None
    return element("div", numbering.table(head, rows, caption, class_="legend"), unclassified, remarks)


def _unclassified(findings: Findings) -> Child:
    total = int(findings.tally.pixels.sum())
    said = f"{plural(findings.unclassified, 'pixel')} ({percent(findings.unclassified / total)}) have no class"
    if findings.unknown is None:
        return f"{said}: they hold no valid data, or none that the model can read."
    rate, strange = findings.unknown
    rest = findings.unclassified - strange
    other = f" The other {plural(rest, 'pixel')} hold no valid data." if rest else ""
    return (
        f"{said}. {plural(strange, 'pixel')} of them were left out on purpose, as unlike anything in the training "
        f"data: the limit is set so that {percent(rate)} of held-out pixels of known classes are lost.{other}"
    )
