"""Whether an ENVI header describes its data file: its length, type, byte order, offset and interleave.

The strategy here: every other way to read the file that fits its length is tried on a small sample, and the one that
looks like an image (`hsigeo.io.doctor.coherence`) is proposed, with what was seen both ways. Where the stated way looks
well, nothing else is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hsigeo.bands import BandTable
from hsigeo.grid import Grid
from hsigeo.io.cube import CubeHeader, FileStamp
from hsigeo.io.doctor.coherence import Looks, judge
from hsigeo.io.doctor.finding import Finding
from hsigeo.io.doctor.sample import read_sample
from hsigeo.io.doctor.stated import PER_BAND_KEYS, Stated
from hsigeo.io.envi.header import EnviHeader
from hsigeo.io.envi.layout import DATA_TYPES, MAX_BANDS, TRAILING_KEY, Layout
from hsigeo.io.envi.raw import FILE_AXES, RawCube
from hsigeo.io.scaling import Scaling

__all__ = ["check_layout"]

IMPLAUSIBLE = 0.02
"""A larger share of impossible values than this needs an explanation."""

MOSTLY = 0.5
"""With a larger share than this there is nothing to classify, explained or not."""

INCOHERENT = 0.3
COHERENT = 0.6
"""Rank correlations of neighbours below which a sample is noise, and above which it is an image."""

TIMES_CLOSER = 1.7
"""A reading is better if its neighbours are this many times closer to a correlation of 1."""

CHANGE_COSTS = 0.05
"""A reading that changes one field more must be better by this much."""

FEWEST_BANDS = 20
"""A stack of fewer bands may be one of unlike layers, in which neighbouring bands need not resemble each other."""

_SAMPLE_VALUES = 1 << 17
_SAMPLE_BANDS = 48
_LARGE = 64 << 20
"""From this size on only some of the bands are read: as bsq they lie far apart on the disk."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One way to read the file: the fields that change, and how the numbers look then."""

    layout: Layout
    changes: dict[str, str | None]
    looks: Looks

    @property
    def said(self) -> str:
        """The changes as text; lists that are cut with the bands are not worth a sentence."""
        return ", ".join(f"{key} = {value}" for key, value in self.changes.items() if key not in PER_BAND_KEYS)


def check_layout(header: EnviHeader, data_path: Path) -> list[Finding]:
    """What is wrong with how a header describes an uncompressed data file; empty where nothing is.

    Raises
    ------
    SceneError
        The file cannot be read at all.
    """
    stated = Stated.of(header, data_path)
    size = FileStamp.of(data_path).size
    if (missing := stated.missing_sizes) and len(missing) > 1:
        return [_no_size(missing)]
    if stated.compressed:
        plain = stated.layout
        is_plain = plain is not None and plain.data_bytes == size and not _is_gzip(data_path)
        return [_not_compressed(size)] if is_plain else []
    if _is_gzip(data_path):
        return [_gzip()]
    as_stated = stated.layout
    if as_stated is not None and as_stated.data_bytes == size:
        return _check_fitting(stated, as_stated, data_path)
    return [_check_size(stated, data_path, size)]


def _check_fitting(stated: Stated, layout: Layout, data_path: Path) -> list[Finding]:
    """Whether the numbers in a file of the right length look like an image."""
    looks = _look(layout, data_path, stated)
    several = layout.bands >= FEWEST_BANDS
    suspicious = looks.implausible > IMPLAUSIBLE or (looks.coherence is not None and looks.coherence < INCOHERENT)
    if suspicious:
        readings = [_read(stated, layout, other, data_path) for other in _same_length(layout, interleaves=several)]
    elif several and looks.coherence is not None:
        orders = (replace(layout, interleave=order) for order in FILE_AXES if order != layout.interleave)
        readings = [_read(stated, layout, other, data_path) for other in orders]
    else:
        return []
    better = [reading for reading in readings if _is_better(reading.looks, looks)]
    if not better:
        return [_unexplained(layout, looks)] if looks.implausible > 5 * IMPLAUSIBLE else []
    best = max(better, key=lambda reading: (reading.looks.coherence or 0) - CHANGE_COSTS * len(reading.changes))
    names = {"byte order": "byte-order", "interleave": "interleave", "data type": "data-type"}
    code = names[next(iter(best.changes))]
    return [
        Finding(
            code=code,
            severity="error",
            message=f"as stated ({_fields(layout, best.changes)}), {looks}; with {best.said}, {best.looks}",
            remedy=f"set {best.said}",
            changes=best.changes,
        )
    ]


def _is_better(other: Looks, stated: Looks) -> bool:
    if other.implausible > IMPLAUSIBLE / 4 or other.coherence is None or other.coherence < COHERENT:
        return False
    if stated.implausible > IMPLAUSIBLE or stated.coherence is None:
        # A float read as an integer keeps the order of its values, and so the neighbours alike.
        return stated.implausible > IMPLAUSIBLE and other.coherence > (stated.coherence or 0) - 2 * CHANGE_COSTS
    return (1 - stated.coherence) > TIMES_CLOSER * (1 - other.coherence)


def _same_length(layout: Layout, *, interleaves: bool) -> Iterator[Layout]:
    """Every other way to read as many bytes: byte order, interleave, and numbers of the same size."""
    types = [dtype for dtype in DATA_TYPES.values() if dtype.itemsize == layout.dtype.itemsize]
    orders = list(FILE_AXES) if interleaves else [layout.interleave]
    for dtype in types:
        if dtype.itemsize == 2 and dtype != layout.dtype:
            continue  # signed or not is a matter of the values, not of neighbours
        for byte_order in ("little", "big")[: 1 if dtype.itemsize == 1 else 2]:
            for interleave in orders:
                other = replace(layout, dtype=dtype, byte_order=byte_order, interleave=interleave)
                if other != layout:
                    yield other


def _check_size(stated: Stated, data_path: Path, size: int) -> Finding:
    """A file of another length than the header describes, or one whose header does not say all."""
    readings = [_read(stated, None, layout, data_path) for layout in _of_length(stated, size)]
    plain = stated.layout
    expected = None if plain is None else plain.data_bytes
    what = _difference(data_path, size, expected, stated)
    good = [reading for reading in readings if _is_image(reading)]
    if not good:
        return Finding(
            code="size",
            severity="error",
            message=what
            + (f"; {len(readings)} other readings fit the length, but none looks like an image" * bool(readings)),
            remedy="copy the file again, or correct samples, lines, bands, data type or header offset",
        )
    highest = max(reading.looks.coherence or 0 for reading in good)
    # The readings come in order of how likely they are before one looks; a small difference decides nothing.
    best = next(reading for reading in good if (reading.looks.coherence or 0) > highest - 2 * CHANGE_COSTS)
    if "header offset" in best.changes:
        # Before or after: a shift by whole bands or pixels keeps neighbours nearly together, so here every bit counts.
        ends = [reading for reading in good if TRAILING_KEY in reading.changes and len(reading.changes) == 1]
        best = max([best, *ends], key=lambda reading: reading.looks.coherence or 0)
    rivals = [r for r in good if r is not best and (r.looks.coherence or 0) > highest - 2 * CHANGE_COSTS]
    also = f" (so would {rivals[0].said})" if rivals else ""
    lost = _lost(plain, best.layout)
    return Finding(
        code="size",
        severity="error",
        message=f"{what}; with {best.said}, {best.looks}{also}",
        remedy=f"{lost}set {best.said}",
        changes=best.changes,
    )


def _lost(stated: Layout | None, best: Layout) -> str:
    """What a reading leaves out, where the file is short."""
    if stated is None:
        return ""
    for what in ("lines", "bands"):
        whole, there = getattr(stated, what), getattr(best, what)
        if there < whole:
            return f"copy the file again; or, to use the first {there} of {whole} {what}, "
    return ""


def _is_image(reading: _Reading) -> bool:
    looks = reading.looks
    # Few pixels tell nothing about neighbours; then the length alone speaks.
    enough = looks.coherence is None or looks.coherence >= COHERENT
    return enough and looks.implausible <= IMPLAUSIBLE


def _of_length(stated: Stated, size: int) -> Iterator[Layout]:
    """Layouts as long as the file, each once: the likeliest first."""
    seen: list[Layout] = []
    for layout in stated.layouts(size):
        for other in (layout, *_other_types(layout, size), *_other_sizes(stated, layout, size), *_cut(layout, size)):
            if other.data_bytes == size and other not in seen:
                seen.append(other)
                yield other


def _other_types(layout: Layout, size: int) -> Iterator[Layout]:
    item_bytes, rest = divmod(size - layout.offset, layout.value_count)
    if rest == 0 and item_bytes != layout.dtype.itemsize:
        yield from (replace(layout, dtype=dtype) for dtype in DATA_TYPES.values() if dtype.itemsize == item_bytes)


def _other_sizes(stated: Stated, layout: Layout, size: int) -> Iterator[Layout]:
    """Another number of bands, lines or samples, or other bytes before or after the data."""
    data = size - layout.offset - layout.trailing
    keys = ["lines", "samples"]
    if stated.spectrum_length != layout.bands:  # a list of as many wavelengths says that the number is right
        keys.insert(0 if stated.spectrum_length * _unit(layout, "bands") == data else 2, "bands")
    for key in keys:
        count, rest = divmod(data, _unit(layout, key))
        if rest == 0 and count > 0:
            yield _resized(layout, key, count)
    extra = size - layout.data_bytes
    # Bytes at the front move every value; where that keeps neighbours together, both readings are listed.
    if layout.offset + extra >= 0:
        yield replace(layout, offset=layout.offset + extra)
    if extra > 0:
        yield replace(layout, trailing=layout.trailing + extra)


def _cut(layout: Layout, size: int) -> Iterator[Layout]:
    """What is whole of a file that ends within a line (or, as bsq, within a band)."""
    key = "bands" if layout.interleave == "bsq" else "lines"
    count, rest = divmod(size - layout.offset, _unit(layout, key))
    if layout.data_bytes > size and count > 0:
        yield replace(_resized(layout, key, count), trailing=rest)


def _unit(layout: Layout, key: str) -> int:
    """Bytes that one band, line or sample more would take."""
    return layout.value_count // int(getattr(layout, key)) * layout.dtype.itemsize


def _resized(layout: Layout, key: str, count: int) -> Layout:
    if key == "bands":
        return replace(layout, bands=min(count, MAX_BANDS))
    return replace(layout, lines=count) if key == "lines" else replace(layout, samples=count)


def _read(stated: Stated, layout: Layout | None, other: Layout, data_path: Path) -> _Reading:
    return _Reading(layout=other, changes=_changes(stated, layout, other), looks=_look(other, data_path, stated))


def _look(layout: Layout, data_path: Path, stated: Stated) -> Looks:
    bands = slice(None)
    if layout.data_bytes > _LARGE:
        first = max(0, layout.bands - _SAMPLE_BANDS) // 8  # where there is much light and no water vapour
        bands = slice(first, first + _SAMPLE_BANDS)
    sample = read_sample(_bare_cube(layout, data_path), values=_SAMPLE_VALUES, bands=bands)
    return judge(sample.stored, nodata=stated.nodata, spectral=layout.bands >= FEWEST_BANDS)


def _bare_cube(layout: Layout, data_path: Path) -> RawCube:
    """A cube of which nothing is known but how its numbers lie."""
    return RawCube(
        CubeHeader(
            path=str(data_path),
            data_path=str(data_path),
            stamp=FileStamp.of(data_path),
            format="ENVI",
            interleave=layout.interleave,
            dtype=layout.dtype,
            byte_order=layout.byte_order,
            header_offset=layout.offset,
            block_shape=(1, layout.samples),
            grid=Grid(lines=layout.lines, samples=layout.samples),
            bands=BandTable(count=layout.bands),
            scaling=Scaling.constant(layout.bands),
        )
    )


def _changes(stated: Stated, layout: Layout | None, other: Layout) -> dict[str, str | None]:
    """The header fields that make one layout of another; all that the header lacks among them."""
    before = layout or stated.layout
    fields = _as_fields(other)
    known = {} if before is None else _as_fields(before)
    changed = {key: value for key, value in fields.items() if known.get(key) != value}
    if before is None:
        changed = {key: value for key, value in changed.items() if stated.text(key) != value}
    shorter = "bands" in changed and stated.sizes["bands"] is not None
    return changed | (stated.cut_lists(other.bands) if shorter else {})


def _as_fields(layout: Layout) -> dict[str, str | None]:
    numbers = {dtype: str(number) for number, dtype in DATA_TYPES.items()}
    return {
        "byte order": str(int(layout.byte_order == "big")),
        "interleave": layout.interleave,
        "data type": numbers[layout.dtype],
        "header offset": str(layout.offset),
        "bands": str(layout.bands),
        "lines": str(layout.lines),
        "samples": str(layout.samples),
        TRAILING_KEY: str(layout.trailing) if layout.trailing else None,
    }


def _fields(layout: Layout, changes: dict[str, str | None]) -> str:
    stated = _as_fields(layout)
    return ", ".join(f"{key} = {stated[key]}" for key in changes if key in stated)


def _difference(data_path: Path, size: int, expected: int | None, stated: Stated) -> str:
    if expected is None:
        return f"the header does not state {stated.unsaid}, and {data_path.name} has {size} bytes"
    kind = "short" if size < expected else "long"
    return (
        f"{data_path.name} has {size} bytes and the header describes {expected}: it is {abs(size - expected)} bytes "
        f"({abs(size - expected) / expected:.1%}) too {kind}"
    )


def _unexplained(layout: Layout, looks: Looks) -> Finding:
    return Finding(
        code="implausible",
        severity="error" if looks.implausible > MOSTLY else "warning",
        message=f"{looks}, and no other byte order, data type or interleave of the same length gives better ones",
        remedy="if the odd values mean no data, state them as 'data ignore value'",
    )


def _no_size(missing: list[str]) -> Finding:
    return Finding(
        code="size",
        severity="error",
        message=f"the header does not say {' and '.join(missing)}",
        remedy="add them; only one missing field can be found from the length of the file",
    )


def _gzip() -> Finding:
    return Finding(
        code="compression",
        severity="error",
        message="the data file is compressed with gzip (it begins with 1f 8b), and the header does not say so",
        remedy="set file compression = 1",
        changes={"file compression": "1"},
    )


def _not_compressed(size: int) -> Finding:
    return Finding(
        code="compression",
        severity="error",
        message=f"the header says that the data file is compressed, but it does not begin as gzip does, and its "
        f"{size} bytes are the length of one that is not compressed",
        remedy="remove 'file compression'",
        changes={"file compression": None},
    )


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
