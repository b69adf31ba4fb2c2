from __future__ import annotations

import csv
import json
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "sample_scenes"
GIVEN = (SAMPLES / "line_1.hdr", "--labels", SAMPLES / "training.gpkg", "--field", "class")


def test_a_line_for_each_component_says_what_it_contributes(hsigeo, tmp_path):
    done = hsigeo(
        *("ablate", *GIVEN, "--folds", 2, "--only", "attention", "--only", "slope", "--damage"),
        *("--csv", "scores.csv", "--json", "scores.json"),
    )

    assert done.returncode == 0, done.stderr
    head, whole, _, *lines = done.stdout.splitlines()
    assert head.split()[:5] == ["overall", "average", "better", "worse", "seconds"]
    assert head.split()[5:] == ["dead", "level", "scatter", "drift", "shift"]
    assert whole.startswith("the default, complete")
    assert [line.split()[0] for line in lines] == ["attention", "slope"]
    assert "folds by polygon: 2 trials, 1 seed" in done.stderr
    assert "attention: Tokens that contradict the rest lose their say" in done.stderr
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 6  # folds, networks, conditions
    found = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    attention = found["components"][0]["contribution"]
    assert attention["dead"]["overall"] > 0.1 > abs(attention["clean"]["overall"])

    again = hsigeo("ablate", *GIVEN, "--only", "attention", "--csv", "scores.csv")
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_what_the_scene_says_is_a_component_where_there_is_a_scene(hsigeo):
    done = hsigeo("ablate", *GIVEN, "--folds", 2, "--only", "scene")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[0] == "scene"


def test_a_spectral_library_has_no_scene_to_leave_out(hsigeo, real_data):
    library = real_data / "santa_barbara" / "santa_barbara.sli"
    done = hsigeo("ablate", "--labels", library, "--field", "Level_2", "--only", "scene")
    assert done.returncode == 2
    assert "a spectral library has none" in " ".join(done.stderr.split())


def test_the_claims_are_answered_one_by_one(hsigeo):
    done = hsigeo("ablate", *GIVEN, "--claims", "--plain-steps", 10)

    assert done.returncode == 0, done.stderr
    for said in ("k-means start", "ratio", "prototypes a pixel reads, of 70", "Band dropout", "clean"):
        assert said in done.stdout


def test_what_cannot_be_taken_out_is_refused_with_what_can(hsigeo):
    done = hsigeo("ablate", *GIVEN, "--only", "luck")
    assert done.returncode == 2
    assert "'luck'" in done.stderr
    assert "attention, memory" in " ".join(done.stderr.split())
    assert hsigeo("ablate", *GIVEN, "--claims", "--plain").returncode == 2
