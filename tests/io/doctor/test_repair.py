"""The whole way: a broken header, what is said about it, the corrected one, and what GDAL makes of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from spectral_scenes import SOUND, WAVELENGTH, edit, make_image, write_scene

from hsigeo.errors import OutputError, OutputExistsError, SceneError
from hsigeo.io import open_cube
from hsigeo.io.doctor.examination import examine, examine_unreadable
from hsigeo.io.doctor.repair import plan_repair, write_repair
from hsigeo.io.envi.header import read_header
from hsigeo.io.envi.layout import read_layout

IN_WATER = ((WAVELENGTH >= 1340) & (WAVELENGTH <= 1445)) | ((WAVELENGTH >= 1790) & (WAVELENGTH <= 1955))
BLANKS = "{UTM, 3, 2, 500010, 4199995, 5, 5, 33, North, WGS-84, units=Meters, rotation = 30}"

FAULTS: dict[str, dict[str, Any]] = {
    "byte order": {"byte_order": 1},
    "interleave": {"interleave": "bsq"},
    "byte order and interleave": {"byte_order": 1, "interleave": "bip"},
    "no byte order, no interleave": {"byte_order": None, "interleave": None},
    "data type": {"data_type": 4},
    "unsigned": {"data_type": 12},
    "unit with a typo": {"wavelength_units": "Nanometerz"},
    "unit that cannot be": {"wavelength_units": "Micrometers"},
    "no scale": {"reflectance_scale_factor": None},
    "no fill value": {"data_ignore_value": None},
    "fill value of another type": {"data_ignore_value": -99999},
    "inverted bad bands": {"bbl": "{" + ", ".join(str(int(band)) for band in IN_WATER) + "}"},
    "bad bands of another length": {"bbl": "{1, 1, 1}"},
    "pixel size of 0": {"map_info": "{UTM, 1, 1, 5e5, 4.2e6, 0, 0, 33, North, WGS-84}", "pixel_size": "{5, 5}"},
    "no datum": {"map_info": "{UTM, 1, 1, 500000, 4200000, 5, 5, 33, North}"},
    "rotation with blanks": {"map_info": BLANKS},
    "names with commas": {"band_names": "{\n" + ",\n".join(f"B{i}, corrected" for i in range(40)) + "}"},
    "wavelengths that are no numbers": {"wavelength": "{red, green}"},
    "lines": {"lines": 30},
    "no data type": {"data_type": None},
}


@pytest.fixture
def image() -> Any:
    made = make_image()
    made[:, :, :2] = -9999
    return made


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_headers_are_explained_corrected_and_clean(fault: str, image: Any, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, image), **FAULTS[fault])
    before = path.read_bytes()
    repair = plan_repair(path)
    assert repair.sentences
    assert repair.error == ""
    write_repair(repair, tmp_path / "scene.img.hdr")
    fixed = open_cube(tmp_path / "scene.img.hdr")
    assert [finding for finding in examine(fixed).findings if finding.severity != "note"] == []
    assert plan_repair(tmp_path / "scene.img.hdr").sentences == ()
    assert fixed.header.repairs == tuple(repair.sentences)
    np.testing.assert_array_equal(fixed.read(slice(None), slice(None)), image)
    assert path.read_bytes() == before
    # The name was chosen so that GDAL, too, goes by the new header.
    with rasterio.open(tmp_path / "scene.img") as dataset:
        np.testing.assert_array_equal(dataset.read(), image)
        assert dataset.nodata == -9999
        assert dataset.transform.almost_equals(fixed.header.grid.transform, 1e-6)
        assert dataset.crs.to_epsg() == rasterio.CRS.from_wkt(fixed.header.grid.crs).to_epsg() == 32633
        if fault != "wavelengths that are no numbers":
            wavelength = [float(dataset.tags(band)["wavelength"]) for band in dataset.indexes]
            np.testing.assert_allclose(wavelength, WAVELENGTH)
            assert dataset.tags(1)["wavelength_units"] == "Nanometers"


def test_a_sound_header_gives_nothing_to_correct(image: Any, tmp_path: Path) -> None:
    assert plan_repair(write_scene(tmp_path, image)).sentences == ()


def test_comments_and_unknown_fields_stay_and_strays_become_comments(image: Any, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, image), byte_order=1)
    path.write_text(path.read_text() + "; flown at noon\nmood = good\nwhat is this\nmood = better\n")
    text = plan_repair(path).text
    assert "; flown at noon" in text
    assert "mood = better" in text
    assert "; mood = good" in text
    assert "; what is this" in text


def test_every_repair_reaches_the_scene(image: Any, tmp_path: Path) -> None:
    from hsigeo.io import open_scene

    path = edit(write_scene(tmp_path, image), byte_order=1, wavelength_units=None)
    write_repair(plan_repair(path), tmp_path / "scene.img.hdr")
    repairs = open_scene(tmp_path / "scene.img.hdr").attrs["repairs"]
    assert len(repairs) == 2
    assert "byte order = 0" in repairs[0]
    assert "wavelength unit is not stated" in repairs[1]


@pytest.mark.parametrize(
    ("data", "out", "named"),
    [("scene.img", "scene.img.hdr", False), ("scene.img", "fixed.hdr", True), ("scene", "scene_fixed.hdr", True)],
)
def test_the_new_header_finds_the_data_by_name_or_names_it(
    data: str, out: str, named: bool, image: Any, tmp_path: Path
) -> None:
    path = edit(write_scene(tmp_path, image, suffix=data.removeprefix("scene")), byte_order=1)
    write_repair(plan_repair(path), tmp_path / out)
    assert ("hsigeo data file = " in (tmp_path / out).read_text()) == named
    assert Path(open_cube(tmp_path / out).header.data_path).name == data


def test_a_header_that_names_a_file_elsewhere_does_not_lead_there(image: Any, tmp_path: Path) -> None:
    path = write_scene(tmp_path, image)
    for name in ("../scene.img", "/etc/passwd", "..", "sub\\scene.img", "gone.img"):
        assert Path(open_cube(edit(path, hsigeo_data_file=name)).header.data_path) == tmp_path / "scene.img"


def test_problems_can_be_kept_as_they_are(image: Any, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, image), data_ignore_value=None, byte_order=1)
    repair = plan_repair(path, keep=["undeclared-nodata"])
    assert "data ignore value" not in repair.text
    assert [finding.code for finding in repair.remaining] == ["undeclared-nodata"]


def test_nothing_is_replaced_unasked_and_the_scene_never(image: Any, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, image), byte_order=1)
    repair = plan_repair(path)
    for target, message in (
        (path, "is an input"),
        (tmp_path / "scene.img", r"ends in \.hdr"),
        (tmp_path / "fixed.txt", r"ends in \.hdr"),
    ):
        with pytest.raises(OutputError, match=message):
            write_repair(repair, target, overwrite=True)
    (tmp_path / "sub").mkdir()
    with pytest.raises(OutputError, match="another folder"):
        write_repair(repair, tmp_path / "sub" / "scene.hdr")
    (tmp_path / "other.hdr").write_text("mine")
    with pytest.raises(OutputExistsError):
        write_repair(repair, tmp_path / "other.hdr")
    assert (tmp_path / "other.hdr").read_text() == "mine"
    write_repair(repair, tmp_path / "other.hdr", overwrite=True)
    assert open_cube(tmp_path / "other.hdr").header.byte_order == "little"


def test_open_braces_are_closed(image: Any, tmp_path: Path) -> None:
    path = write_scene(tmp_path, image)
    text = path.read_text()
    path.write_text(text.replace("units=Meters}", "units=Meters"))
    (finding, *_) = examine_unreadable(path).findings
    assert finding.code == "open-brace"
    assert "'map info' opens in line" in finding.message
    write_repair(plan_repair(path), tmp_path / "scene.img.hdr")
    assert open_cube(tmp_path / "scene.img.hdr").header.grid.is_georeferenced
    assert (tmp_path / "scene.img.hdr").read_text().startswith(text[:20])


def test_a_short_file_can_be_used_as_far_as_it_goes(image: Any, tmp_path: Path) -> None:
    path = write_scene(tmp_path, image)
    content = (tmp_path / "scene.img").read_bytes()
    (tmp_path / "scene.img").write_bytes(content[: len(content) * 2 // 3])
    write_repair(plan_repair(path), tmp_path / "scene.img.hdr")
    read = open_cube(tmp_path / "scene.img.hdr").read(slice(None), slice(None))
    np.testing.assert_array_equal(read, image[:, : read.shape[1]])
    assert read.shape[1] == 16


def test_what_is_no_envi_scene_is_refused_in_one_line(tmp_path: Path) -> None:
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        width=2,
        height=2,
        count=1,
        dtype="uint8",
        transform=rasterio.Affine.scale(2),
    ):
        pass
    with pytest.raises(SceneError, match="no ENVI header"):
        plan_repair(tmp_path / "a.tif")


def test_real_headers_with_faults_come_out_clean(real_data: Path, tmp_path: Path) -> None:
    for folder, name in (
        ("envi_header_edge_cases", "qps_envi"),
        ("gamsberg_hyperion", "cubus_gamsberg_subset"),
        ("avirisng_isofit", "ang20160910t185702_2rdn_img"),
        ("avirisng_isofit", "ang20170323t202244_rdn_7000-7010"),
        ("emit_jpl", "emit20250324t221005_jpl_unmix_ex"),
    ):
        for suffix in ("", ".hdr"):
            (tmp_path / f"{name}{suffix}").write_bytes((real_data / folder / f"{name}{suffix}").read_bytes())
        header = open_cube(tmp_path / f"{name}.hdr").header
        write_repair(plan_repair(tmp_path / f"{name}.hdr"), tmp_path / f"{name}_fixed.hdr")
        fixed = open_cube(tmp_path / f"{name}_fixed.hdr")
        np.testing.assert_allclose(fixed.header.bands.wavelength, header.bands.wavelength, rtol=1e-9)
        assert [finding.code for finding in examine(fixed).findings if finding.severity != "note"] == []
        assert fixed.header.repairs


def test_real_headers_stay_as_they_are_but_for_what_is_guessed(real_data: Path, tmp_path: Path) -> None:
    """Those whose data file is not there, with one of zeros: what is said about it is that it is filled."""
    headers = sorted((real_data / "envi_header_edge_cases").glob("lfsonly_*.hdr"))
    assert len(headers) > 15
    for number, source in enumerate(headers):
        path = tmp_path / f"{number}.hdr"
        path.write_bytes(source.read_bytes())
        header = read_header(path)
        if header.text("file type").lower() == "envi spectral library":
            continue
        with path.with_suffix(".img").open("wb") as file:
            file.truncate(read_layout(header, path, []).data_bytes)
        repair = plan_repair(path, keep=["undeclared-nodata"])
        assert repair.error == ""
        expected = 1 if "_image.hdr" in source.name.lower() else 0
        assert len(repair.sentences) == expected, (source.name, repair.sentences)
        assert all("no scale is stated" in sentence for sentence in repair.sentences)


def test_sound_fields_are_not_touched(image: Any, tmp_path: Path) -> None:
    path = edit(write_scene(tmp_path, image), byte_order=1)
    lines = set(plan_repair(path).text.splitlines())
    assert set(path.read_text().splitlines()) - lines == {"byte order = 1"}
    assert str(SOUND["map info"]) in plan_repair(path).text
