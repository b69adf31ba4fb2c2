from __future__ import annotations

import json

import numpy as np
from campaigns import make_line_grid, write_line


def test_a_folder_becomes_a_catalogue(hsigeo, tmp_path):
    grid = make_line_grid(8, 6)
    (tmp_path / "maps").mkdir()
    write_line(tmp_path / "maps" / "a_map.tif", grid, np.ones(grid.shape))

    done = hsigeo("catalogue", "maps", "--title", "Harz", "--license", "CC0-1.0")
    again = hsigeo("catalogue", "maps")

    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "maps" / "collection.json").read_text())
    assert (document["title"], document["license"]) == ("Harz", "CC0-1.0")
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
