"""The index in a real headless Chromium: sorting by key, its policy, its widths, paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from campaigns import make_ids, make_line_grid, write_line
from chromium import Page, open_page

from hsigeo.report.index.making import write_index

LINES = 7
FIRST = "[...document.querySelectorAll('table.lines tbody tr')].map(row => row.cells[0].textContent)"
HEADS = "[...document.querySelectorAll('table.lines thead th')]"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("index")
    (folder / "maps").mkdir()
    for number in range(LINES):
        grid = make_line_grid(40 + 10 * number, 30, east=380_000.0 + 90 * (number * 3 % LINES))
        ids = make_ids(grid, number)
        confidence = np.full(ids.shape, 0.5 + 0.05 * number, dtype=np.float32)
        layers = {"confidence": confidence} if number % 2 else {}
        write_line(folder / "maps" / f"line_{number + 5}_map.tif", grid, ids, **layers)
    write_index(folder / "maps")
    with open_page(folder / "profile", folder / "net.json") as page:
        page.go((folder / "maps" / "index.html").as_uri())
        yield page


def press(tab: Page, column: str) -> list[str]:
    """Go to the head of a column by the keyboard's means, press Enter, and say in which order the lines are."""
    tab.ask(f"{HEADS}.find(th => th.textContent.startsWith('{column}')).querySelector('button').focus()")
    for kind in ("rawKeyDown", "char", "keyUp"):
        tab.send("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"})
    return [str(name) for name in tab.ask(FIRST)]


def test_lines_are_sorted_by_key_and_back(tab: Page) -> None:
    names = [f"line_{number}" for number in range(5, 5 + LINES)]
    assert press(tab, "With a class") == names[::-1]
    assert tab.ask("document.getElementById('sorted').textContent") == "Sorted by With a class (ha), descending."
    assert press(tab, "With a class") == names
    assert press(tab, "Line") == names, "numbers in names count as numbers"
    assert press(tab, "Line") == names[::-1]
    assert tab.ask(f"{HEADS}.map(th => th.ariaSort).filter(Boolean)") == ["descending"]


def test_what_is_not_known_comes_last_either_way(tab: Page) -> None:
    known = {"line_6", "line_8", "line_10"}
    assert set(press(tab, "Less than")[:3]) == known
    assert set(press(tab, "Less than")[:3]) == known


def test_the_browser_has_nothing_to_complain_about_and_asks_for_nothing(tab: Page) -> None:
    assert tab.complaints == []
    assert [url for url in tab.requested if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [320, 768, 1300])
def test_no_width_makes_the_page_itself_scroll_sideways(tab: Page, width: int) -> None:
    tab.look(width=width, height=10)
    assert tab.ask("document.documentElement.scrollWidth") <= width


def test_it_prints_on_a4_across(tab: Page) -> None:
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", tab.print())
    assert 2 <= len(boxes) <= 6
    for width, height in boxes:
        assert (float(width), float(height)) == pytest.approx((842, 595), abs=1.5)


def test_no_other_script_runs(tab: Page, tmp_path: Path) -> None:
    bad = "<script>document.title = 'taken'</script><img alt='' src='x' onerror='document.title=1'>"
    page = tmp_path / "index.html"
    text = Path(tab.ask("decodeURIComponent(location.pathname)")).read_text(encoding="utf-8")
    page.write_text(text.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    tab.go(page.as_uri())
    assert tab.ask("document.title") == "Class maps: maps"
    assert any("Content Security Policy" in said for said in tab.complaints)
