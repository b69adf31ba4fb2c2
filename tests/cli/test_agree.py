from __future__ import annotations

import numpy as np
from campaigns import make_ids, make_line_grid, write_line


def test_lines_are_compared_and_the_mixed_processing_is_named(hsigeo, tmp_path):
    maps = []
    for number in range(3):
        grid = make_line_grid(60, 30, turn=0, east=380_000 + 80 * number)
        ids = make_ids(make_line_grid(60, 90), 0)[:, 20 * number : 20 * number + 30]
        kind = "bidirectional" if number == 1 else "directional"
        metadata = {"scene": f"NEON_{number}_{kind}_reflectance.h5", "model_sha256": "0" * 64}
        write_line(tmp_path / f"line_{number}_map.tif", grid, ids, metadata=metadata)
        maps.append(f"line_{number}_map.tif")

    done = hsigeo("agree", *maps, "-o", "report")
    again = hsigeo("agree", *maps, "-o", "report")

    assert done.returncode == 0, done.stderr
    assert "2 pairs of 3 lines" in done.stdout
    assert "Wasser <süß>" in done.stdout
    assert "caution: lines differ in their correction" in done.stderr
    assert "BRDF-corrected in line_1" in done.stderr
    assert (tmp_path / "report" / "disagreement.tif").is_file()
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_lines_that_do_not_meet_are_said_to(hsigeo, tmp_path):
    for number in range(2):
        grid = make_line_grid(20, 10, east=380_000 + 1000 * number)
        write_line(tmp_path / f"{number}_map.tif", grid, np.ones(grid.shape))

    done = hsigeo("agree", "0_map.tif", "1_map.tif", "-o", "report")

    assert done.returncode == 0, done.stderr
    assert "no two lines have a pixel in common" in done.stdout
