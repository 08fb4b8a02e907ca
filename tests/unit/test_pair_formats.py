"""Every layout of paired sets, from folders and zips; whose the pairs are; and the table that tells more."""

from pathlib import Path

import numpy as np
import pytest

from tfake.archive.pairs import PAIR_LAYOUTS, match_pairs, open_pairs
from tfake.core.radiometry import encode_celsius
from thermal_sets import HEIGHT, WIDTH, celsius, gray, same, visible, write_set, zipped

SKIN = np.full((HEIGHT, WIDTH), 1, np.uint8)
SPEAKING = "train_data/sub_7/trial_2"
# Of each layout: the files of a pair (its visible image is visible(3)), its name, its subject, and a second pair.
SETS = {
    "stems": (("S1/in/a_v.jpg", "S1/in/a_t.png", "S1/in/a_seg.png"), "S1/in/a", "S1", ("S2/a_v.png", "S2/a_t.bmp")),
    "tfake": (("S1/a_rgb.png", "S1/a_thermal.png", "S1/a_seg.png"), "S1/a", "S1", ("b_rgb.png", "b_thermal.png")),
    "speakingfaces": (
        (f"{SPEAKING}/rgb_image_aligned/7_2_1_5_900_3.png", f"{SPEAKING}/thr_image/7_2_1_5_900_1.png", None),
        f"{SPEAKING}/7_2_1_5_900",
        "sub_7",
        (
            "sub_12_ia/trial_1/rgb_image_cmd_aligned/12_1_2_1_42_3_3.png",
            "sub_12_ia/trial_1/thr_image_cmd/12_1_2_1_42_3_1.png",
        ),
    ),
    "folders": (
        ("visible/P1/a.jpg", "thermal/P1/a.png", "seg/P1/a.png"),
        "P1/a",
        "P1",
        ("P2/visible/b.png", "P2/thermal/b.tiff"),
    ),
}


@pytest.fixture(params=PAIR_LAYOUTS)
def made(request, tmp_path):
    (rgb, thermal, seg), name, subject, other = SETS[request.param]
    files = {rgb: visible(3), thermal: gray(), other[0]: visible(4), other[1]: gray(5)}
    files |= {"readme.txt": "no image", "__MACOSX/._a_v.png": b"resource fork", "docs/figure.png": visible()}
    if seg:
        files[seg] = SKIN
    if request.param == "speakingfaces":
        # The camera's own view is not registered with the thermal image.
        files[f"{SPEAKING}/rgb_image/7_2_1_5_900_2.png"] = visible()
    return write_set(tmp_path / "set", files), request.param, name, subject


@pytest.mark.parametrize("pack", [same, zipped])
def test_every_layout_from_folder_and_zip(made, pack):
    folder, layout, name, subject = made
    pairs = open_pairs(pack(folder), "relative", layout)
    assert len(pairs) == 2
    index = pairs.names.index(name)
    pair = pairs[index]
    assert (pair.name, pair.subject, pair.ambient_celsius) == (name, subject, None)
    assert pairs.subjects[index] == subject
    assert pairs.subjects[1 - index] != subject
    np.testing.assert_array_equal(pair.thermal, gray().astype(np.float32))
    assert pair.rgb.shape == (HEIGHT, WIDTH, 3)
    if layout != "speakingfaces":
        np.testing.assert_array_equal(pair.classes, SKIN)
    np.testing.assert_array_equal(pairs[1 - index].thermal, gray(5).astype(np.float32))


@pytest.mark.parametrize("layout", ["stems", "tfake"])
def test_the_case_of_an_ending_is_no_matter(layout):
    files = [name for name in SETS[layout][0] if name]
    upper = [f"{stem}_{ending.upper()}" for stem, _, ending in (name.rpartition("_") for name in files)]
    (pair,) = match_pairs("set", upper, layout).values()
    assert {pair.visible, pair.thermal, pair.segmentation} == set(upper)
    with pytest.raises(ValueError, match="claim the same place"):
        match_pairs("set", [*files, *upper], layout)


def test_a_lone_file_of_any_layout_is_named(made):
    folder, layout, _, _ = made
    lone = SETS[layout][3][1]
    (folder / SETS[layout][3][0]).unlink()
    with pytest.raises(ValueError, match="no partner") as caught:
        open_pairs(folder, "relative", layout)
    assert lone in str(caught.value)


@pytest.mark.parametrize("layout", PAIR_LAYOUTS)
def test_a_set_of_another_layout_is_empty(tmp_path, layout):
    write_set(tmp_path, {"left/a.png": gray(), "right/a.png": gray()})
    with pytest.raises(ValueError, match=r"no pairs .* among its 2 files"):
        open_pairs(tmp_path, "relative", layout)


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one of stems, tfake, speakingfaces, folders; found 'sejong'"):
        open_pairs(tmp_path, "relative", "sejong")


@pytest.mark.parametrize(
    ("stems", "subjects"),
    [
        (("a", "b"), ("", "")),
        (("S1/a", "b"), ("S1", "")),
        (("S1/a", "S2/x/b"), ("S1", "S2")),
        (("S1/a", "S1/b"), ("S1", "S1")),
        (("all/S1/a", "all/S2/b"), ("S1", "S2")),
    ],
)
def test_the_subject_is_the_first_folder_that_is_no_wrapper(stems, subjects):
    names = [f"{stem}_{role}.png" for stem in stems for role in "vt"]
    pairs = match_pairs("set", names, "stems")
    assert tuple(pairs[stem].subject for stem in stems) == subjects


def test_no_image_is_decoded_to_know_the_subjects(tmp_path, monkeypatch):
    write_set(tmp_path, {"S1/a_v.png": visible(), "S1/a_t.png": gray()})
    monkeypatch.setattr("tfake.archive.pairs.read_stored", lambda *_: pytest.fail("decoded"))
    assert open_pairs(tmp_path, "relative").subjects == ["S1"]


def test_float_temperatures_come_as_tiff_and_as_npy(tmp_path):
    for n, suffix in enumerate((".tiff", ".npy")):
        write_set(tmp_path, {f"{n}_v.png": visible(), f"{n}_t{suffix}": celsius(n)})
    pairs = open_pairs(tmp_path, "celsius")
    for n in (0, 1):
        np.testing.assert_array_equal(pairs[n].thermal, celsius(n))


def with_table(folder: Path, table: str | bytes):
    files = {f"S1/{stem}_{role}": image for stem in "abc" for role, image in (("v.png", visible()), ("t.png", gray()))}
    return write_set(folder, files | {"pairs.csv": table})


@pytest.mark.parametrize("pack", [same, zipped])
def test_the_table_tells_subject_and_ambient(tmp_path, pack):
    table = "\ufeffname,subject,ambient_celsius\r\nS1/a,Ada,\r\nS1/b,,19.5\r\n"
    pairs = open_pairs(pack(with_table(tmp_path / "set", table)), "relative")
    assert pairs.subjects == ["Ada", "S1", "S1"]
    assert [pair.ambient_celsius for pair in pairs] == [None, 19.5, None]
    assert [pair.subject for pair in pairs] == pairs.subjects


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,subject,ambient_celsius\nS1/z,,\n", "line 2: the set holds no pair 'S1/z'"),
        ("name,subject\nS1/a,x\nS1/a,y\n", "line 3: the pair 'S1/a' is there twice"),
        ("name,room\nS1/a,x\n", "found name, room"),
        ("subject\nx\n", "found subject"),
        ("", "found none"),
        ("name,ambient_celsius\nS1/a,warm\n", "line 2: expected an ambient of -60 to 60 degrees Celsius, found 'warm'"),
        ("name,ambient_celsius\nS1/a,295\n", "found '295'"),
        ("name,subject\nS1/a\n", "line 2: expected 2 values"),
        ("name\nS1/a,x\n", "line 2: expected 1 values"),
        (b"name\n\xff\xfe\n", "line 2: the set holds no pair 'ÿþ'"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, table, said):
    with pytest.raises(ValueError, match=r"pairs\.csv") as caught:
        open_pairs(with_table(tmp_path, table), "relative")
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_counts_and_damage_in_a_zip(tmp_path):
    write_set(tmp_path / "set", {"a_v.png": visible(), "a_t.png": encode_celsius(celsius())})
    path = zipped(tmp_path / "set")
    np.testing.assert_allclose(open_pairs(path, "celsius")[0].thermal, celsius(), atol=0.006)
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a_t\.png cannot be read out of the zip"):
        open_pairs(path, "celsius")


def test_the_real_pairs_open(request):
    folder = request.config.rootpath / "../shared/data/speakingfaces_pairs"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/speakingfaces_pairs")
    pairs = open_pairs(folder, "relative")
    assert len(pairs) == 16
    for pair in pairs:
        assert pair.rgb.shape[:2] == pair.thermal.shape
        assert np.ptp(pair.thermal) > 50
