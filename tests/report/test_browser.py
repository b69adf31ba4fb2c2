"""The page in a real headless Chromium: what it shows, what it asks for, how it looks on paper and in the dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from chromium import Page, open_page, requests_in
from numpy.typing import NDArray

from hsigeo.report.findings import Findings

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@dataclass
class Visit:
    """A page that was opened once, for all tests: a browser takes seconds to start."""

    tab: Page
    path: Path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Path]]:
    folder = tmp_path_factory.mktemp("chromium")
    with open_page(folder / "profile", folder / "net.json") as tab:
        yield tab, folder


@pytest.fixture(scope="module")
def visit(browser: tuple[Page, Path], full: tuple[Findings, str]) -> Visit:
    tab, folder = browser
    path = folder / "report.html"
    path.write_text(full[1], encoding="utf-8")
    tab.go(path.as_uri())
    return Visit(tab, path)


def pixels(png: bytes) -> NDArray[np.int64]:
    """(y, x, 3)"""
    with rasterio.open(io.BytesIO(png)) as dataset:
        return dataset.read()[:3].transpose(1, 2, 0).astype(np.int64)


def test_every_picture_is_decoded_and_wide_enough_to_see(visit: Visit) -> None:
    found = visit.tab.ask(
        "[...document.images].map(i => [i.complete, i.naturalWidth, i.naturalHeight, i.getBoundingClientRect().width])"
    )
    assert len(found) == 3
    for complete, width, height, shown in found:
        assert complete
        assert min(width, height) > 100
        assert shown > 300


def test_the_browser_has_nothing_to_complain_about(visit: Visit) -> None:
    assert visit.tab.complaints == []
    assert visit.tab.ask("document.compatMode") == "CSS1Compat"


def test_the_tree_in_the_browser_is_the_one_that_was_written(visit: Visit, full: tuple[Findings, str]) -> None:
    """Markup that a browser has to mend would give another number of elements."""
    assert visit.tab.ask("document.querySelectorAll('*').length") == len(re.findall(r"<[a-zA-Z]", full[1]))
    assert visit.tab.ask("document.title") == "Class map of line_1"


def test_the_map_is_seen_in_the_colours_of_its_classes(visit: Visit, full: tuple[Findings, str]) -> None:
    look = pixels(visit.tab.look(height=1700))
    assert visit.tab.ask("document.documentElement.scrollHeight") > 3000
    for entry in full[0].by_area:
        seen = (np.abs(look - np.array(entry.color)).sum(axis=2) < 3).sum()
        assert seen > 500, entry.name


def test_dark_is_dark_and_light_is_light(visit: Visit) -> None:
    light = np.median(pixels(visit.tab.look(height=700)))
    dark = np.median(pixels(visit.tab.look(height=700, dark=True)))
    assert light > 240
    assert dark < 40


@pytest.mark.parametrize("width", [320, 390, 768, 1100, 1900])
def test_no_width_makes_the_page_itself_scroll_sideways(visit: Visit, width: int) -> None:
    visit.tab.look(width=width, height=10)
    assert visit.tab.ask("document.documentElement.scrollWidth") <= width


def test_scene_and_map_lie_beside_each_other_on_a_wide_screen_and_over_each_other_on_a_narrow_one(visit: Visit) -> None:
    where = "[...document.images].slice(0, 2).map(i => i.getBoundingClientRect()).map(b => [b.x, b.y, b.width])"
    visit.tab.look(width=1100, height=10)
    (x1, y1, width1), (x2, y2, width2) = visit.tab.ask(where)
    assert x1 < x2
    assert (y1, width1) == pytest.approx((y2, width2), abs=0.5)
    visit.tab.look(width=390, height=10)
    (x1, y1, width1), (x2, y2, width2) = visit.tab.ask(where)
    assert y1 < y2
    assert (x1, width1) == pytest.approx((x2, width2), abs=0.5)


def test_it_prints_on_a_few_pages_of_a4(visit: Visit) -> None:
    paper = visit.tab.print()
    assert paper.startswith(b"%PDF")
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert 4 <= len(boxes) <= 9
    for width, height in boxes:
        assert (float(width), float(height)) == pytest.approx((595, 842), abs=1.5)


def test_the_keyboard_reaches_the_map_first(visit: Visit) -> None:
    assert visit.tab.ask("document.querySelector('a').textContent") == "Skip to the map"
    assert visit.tab.ask("document.querySelector('#map') !== null")


BAD = "<script>document.title = 'taken'</script><img alt='' src='http://evil.example/x.png' onerror='document.title=1'>"


def test_no_request_leaves_the_page_and_the_log_would_show_one(full: tuple[Findings, str], tmp_path: Path) -> None:
    """Not even if markup did get in: the policy stops it."""
    report, broken, control = (tmp_path / f"{name}.html" for name in ("report", "broken", "control"))
    report.write_text(full[1], encoding="utf-8")
    broken.write_text(full[1].replace("<main>", f"<main>{BAD}"), encoding="utf-8")
    control.write_text("<!DOCTYPE html><title>x</title><img alt='' src='http://elsewhere.example/x.png'>")
    with open_page(tmp_path / "profile", tmp_path / "net.json") as tab:
        tab.go(report.as_uri())
        tab.look(height=1000)
        assert [url for url in tab.requested if not url.startswith(("file:", "data:"))] == []
        tab.go(broken.as_uri())
        assert tab.ask("document.title") == "Class map of line_1"
        assert any("Content Security Policy" in text for text in tab.complaints)
        tab.go(control.as_uri())
    assert set(requests_in(tmp_path / "net.json")) == {"http://elsewhere.example/x.png"}
